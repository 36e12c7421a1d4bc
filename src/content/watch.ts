import { watch } from 'node:fs';
import type { Stop } from '../lib/stop.ts';

/** Milliseconds: a copy of many files makes many events, and one hint for all of them. */
const settle = 100;

/** Calls `hint` soon after an event below the folder; undefined where the system gives no watch. */
export const watchEvents = (folder: string, hint: () => void): Stop | undefined => {
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
