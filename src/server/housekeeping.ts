import type { DataFolder } from '../config/data-folder.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import { LogRotation } from '../lib/rotate-logs.ts';
import type { Stop } from '../lib/stop.ts';
import { watchDisk } from './disk-watch.ts';
import { logFolders } from './folders.ts';

/**
 * What the owner of a data folder does for it, at once and again and again: logs are kept short, a disk that gets
 * full is told.
 */
export const keepHouse = async (o: {
  readonly folders: DataFolder;
  readonly log: Log;
  readonly tell: (text: string) => void;
}): Promise<Stop> => {
  const rotation = new LogRotation({ folders: async () => logFolders(o.folders), log: o.log });
  // what ran without a server may have written much
  await rotation.rotate();
  const stops: readonly Stop[] = [
    every(
      5_000,
      () => rotation.rotate(),
      () => {},
    ),
    watchDisk({ folder: o.folders.root, log: o.log, tell: o.tell }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
