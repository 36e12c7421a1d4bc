import type { Readable } from 'node:stream';
import type { ContentLocation } from '../environments/record.ts';
import type { Stop } from '../lib/stop.ts';

/** Files by path, relative to a location, with `/`. */
export type Listing = ReadonlyMap<string, { readonly size: number; readonly version: string }>;

/** What a location may hold at most. */
export interface ContentLimits {
  readonly files: number;
  readonly bytes: number;
}

export const mostContent: ContentLimits = { files: 100_000, bytes: 5 * 1024 ** 3 };

/** How a location is followed. */
export interface Pace {
  /** Milliseconds between two looks: ten times what a look takes, within these bounds. */
  readonly least: number;
  readonly most: number;
  /** With each failure in a row the pause doubles, up to this. */
  readonly mostAfterFailures: number;
  /** Files that are read at once. */
  readonly filesAtOnce: number;
}

export interface ContentSource {
  /** The whole listing; throws SourceUnavailable, never gives a short list. */
  list(where: ContentLocation, signal: AbortSignal): Promise<Listing>;
  /** Bytes of exactly that version; throws VersionGone, SourceUnavailable. */
  open(where: ContentLocation, path: string, version: string, signal: AbortSignal): Promise<Readable>;
  /**
   * Hints soon after a change in the location itself or in one of these folders below it, as long as they are there;
   * undefined where the system does not tell of changes. Whoever must know lists as well.
   */
  watch(where: ContentLocation, folders: readonly string[], hint: () => void): Stop | undefined;
  /** False where nobody would ever hint. */
  canWatch(where: ContentLocation): boolean;
  paceOf(where: ContentLocation): Pace;
}
