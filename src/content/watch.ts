import { watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stop } from '../lib/stop.ts';

type Listing = ReadonlyMap<string, { readonly version: string }>;

/** Node's recursive watch holds one watch a file; beyond this the poll alone is cheaper. */
const mostWatchedFiles = 2000;
const pollEvery = 1000;
/** A copy of many files makes many events: one hint for all within this many milliseconds. */
const settle = 100;

const differs = (a: Listing | undefined, b: Listing): boolean =>
  a === undefined ||
  a.size !== b.size ||
  [...b].some(([path, file]) => a.get(path)?.version !== file.version);

/** Calls `hint` soon after an event below the folder; undefined where the system gives no watch. */
const watchEvents = (folder: string, hint: () => void): Stop | undefined => {
  let timer: NodeJS.Timeout | undefined;
  try {
    const watcher = watch(folder, { recursive: true, persistent: false }, () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        hint();
      }, settle).unref();
    });
    watcher.on('error', () => watcher.close());
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch {
    return undefined;
  }
};

/**
 * Hints that something below a folder changed: by the system's events where they work, and in any case by listing
 * it anew every second (large trees: pauses of ten times the time a listing takes, at most 4 s).
 */
export const watchFolder = (o: {
  readonly folder: string;
  readonly list: (signal: AbortSignal) => Promise<Listing>;
  readonly hint: () => void;
}): Stop => {
  const ended = new AbortController();
  let events: Stop | undefined;
  let last: Listing | undefined;
  const look = async (): Promise<number> => {
    const began = performance.now();
    const now = await o.list(ended.signal).catch(() => undefined);
    if (ended.signal.aborted) return 0;
    if (now === undefined) {
      // a new folder of this name needs a new watch
      events?.();
      events = undefined;
    } else if (differs(last, now)) {
      if (last !== undefined) o.hint();
      if (now.size <= mostWatchedFiles) events ??= watchEvents(o.folder, o.hint);
    }
    last = now ?? last;
    return Math.min(Math.max(pollEvery, (performance.now() - began) * 10), 4000);
  };
  const poll = async () => {
    while (!ended.signal.aborted) {
      const pause = await look();
      await delay(pause, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
  };
  void poll();
  return () => {
    ended.abort();
    events?.();
  };
};
