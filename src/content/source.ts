import type { Readable } from 'node:stream';
import type { ContentLocation } from '../environments/record.ts';
import type { Stop } from '../lib/stop.ts';

/** Files by path, relative to a location, with `/`. */
export type Listing = ReadonlyMap<string, { readonly size: number; readonly version: string }>;

export interface ContentSource {
  /** The whole listing; throws SourceUnavailable, never gives a short list. */
  list(where: ContentLocation, signal: AbortSignal): Promise<Listing>;
  /** Bytes of exactly that version; throws VersionGone. */
  open(where: ContentLocation, path: string, version: string): Promise<Readable>;
  /**
   * Hints soon after a change in the location itself or in one of these folders below it, as long as they are there;
   * undefined where the system does not tell of changes. Whoever must know lists as well.
   */
  watch(where: ContentLocation, folders: readonly string[], hint: () => void): Stop | undefined;
}
