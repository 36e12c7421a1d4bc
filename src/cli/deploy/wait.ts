import { setTimeout as delay } from 'node:timers/promises';
import type { LiveContent, LiveFile } from '../content.ts';

/** What must be so before a deployment is over. */
export interface Awaited {
  /** SHA-256 by path of all that was deployed, now or before. */
  readonly files: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** Epoch seconds at which a file was removed that is no DAG; 0 when none was. */
  readonly helpersRemovedAt: number;
}

const isDag = ({ State }: LiveFile): boolean => State === 'read' || State === 'failed';
const isNotKnown = ({ State }: LiveFile): boolean => State === 'waiting' || State === 'unknown';

/**
 * The paths that are still waited for. A file that is no DAG may be imported by every one that is, and one that is gone may
 * have been: then all of these must have been read afterwards.
 */
export const stillAwaited = (
  { Files }: LiveContent,
  { files, removed, helpersRemovedAt }: Awaited,
): readonly string[] => {
  const live = new Map(Files.map((file) => [file.Path, file]));
  const waiting = [...files].filter(([path, sha256]) => {
    const file = live.get(path);
    return file === undefined || file.Sha256 !== sha256 || isNotKnown(file);
  });
  const leaving = removed.filter((path) => live.has(path));
  const helpers = Files.filter((file) => files.has(file.Path) && file.State === 'no-dag');
  const since = Math.max(helpersRemovedAt, ...helpers.map(({ At }) => At));
  const stale = Files.filter((file) => isDag(file) && (file.ReadAt ?? 0) < since);
  return [...new Set([...waiting.map(([path]) => path), ...leaving, ...stale.map(({ Path }) => Path)])];
};

/** Looks until nothing is awaited, at most so many milliseconds, with a pause after each look; gives the last look, and what is still awaited. */
export const waitUntilRead = async (
  look: () => Promise<LiveContent>,
  awaited: Awaited,
  o: { readonly patience: number; readonly pause: number; readonly signal: AbortSignal },
): Promise<{ readonly content: LiveContent; readonly left: readonly string[] }> => {
  const deadline = performance.now() + o.patience;
  for (;;) {
    const content = await look();
    const left = stillAwaited(content, awaited);
    if (left.length === 0 || performance.now() > deadline) return { content, left };
    await delay(o.pause, undefined, { signal: o.signal });
  }
};
