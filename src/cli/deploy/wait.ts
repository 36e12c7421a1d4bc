import { setTimeout as delay } from 'node:timers/promises';
import type { LiveContent, LiveFile } from '../content.ts';

/** What must be so before a deployment is over. */
export interface Awaited {
  /** SHA-256 by path. */
  readonly put: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

const isDag = ({ State }: LiveFile): boolean => State === 'read' || State === 'failed';

/**
 * The paths that are still waited for. A file that is no DAG may be imported by every one that is, so then all of these
 * must have been read after it came.
 */
export const stillAwaited = ({ Files }: LiveContent, { put, removed }: Awaited): readonly string[] => {
  const live = new Map(Files.map((file) => [file.Path, file]));
  const waiting = [...put].filter(([path, sha256]) => {
    const file = live.get(path);
    return file === undefined || file.Sha256 !== sha256 || file.State === 'waiting';
  });
  const leaving = removed.filter((path) => live.has(path));
  const helpers = Files.filter((file) => put.has(file.Path) && file.State === 'no-dag');
  const since = Math.max(0, ...helpers.map(({ At }) => At));
  const stale = Files.filter((file) => isDag(file) && (file.ReadAt ?? 0) < since);
  return [...new Set([...waiting.map(([path]) => path), ...leaving, ...stale.map(({ Path }) => Path)])];
};

/** Milliseconds. */
const pause = 250;

/** Looks until nothing is awaited, at most so many milliseconds; gives the last look, and what is still awaited. */
export const waitUntilRead = async (
  look: () => Promise<LiveContent>,
  awaited: Awaited,
  o: { readonly patience: number; readonly signal: AbortSignal },
): Promise<{ readonly content: LiveContent; readonly left: readonly string[] }> => {
  const deadline = performance.now() + o.patience;
  for (;;) {
    const content = await look();
    const left = stillAwaited(content, awaited);
    if (left.length === 0 || performance.now() > deadline) return { content, left };
    await delay(pause, undefined, { signal: o.signal });
  }
};
