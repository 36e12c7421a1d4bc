import type { Readable } from 'node:stream';
import type { ContentLocation } from '../environments/record.ts';
import type { Stop } from '../lib/stop.ts';

export interface ContentSource {
  /** Whole listing, paths relative to the location with `/`; throws SourceUnavailable, never gives a short list. */
  list(
    where: ContentLocation,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, { readonly size: number; readonly version: string }>>;
  /** Bytes of exactly that version; throws VersionGone. */
  open(where: ContentLocation, path: string, version: string): Promise<Readable>;
  /** Hints that something changed; the loop lists anyway every 5 s. */
  watch(where: ContentLocation, hint: () => void): Stop;
}
