import { type FSWatcher, watch } from 'node:fs';
import type { Stop } from '../lib/stop.ts';

/** Milliseconds: a copy of many files makes many events, and one hint for all of them. */
const settle = 100;

/** Watches one folder; undefined when it is gone or the system has no watch left. */
const watchOne = (folder: string, changed: () => void): FSWatcher | undefined => {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
};

/**
 * Calls `hint` soon after an event in one of these folders; undefined where the system gives no watch. One watch a folder:
 * Node's recursive one reads the whole tree in one turn, with all that nobody wants to know of.
 */
export const watchEvents = (folders: readonly string[], hint: () => void): Stop | undefined => {
  let timer: NodeJS.Timeout | undefined;
  const changed = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      hint();
    }, settle).unref();
  };
  const watchers = folders.flatMap((folder) => watchOne(folder, changed) ?? []);
  if (watchers.length === 0) return undefined;
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
};
