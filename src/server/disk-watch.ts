import { statfsSync } from 'node:fs';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import type { Stop } from '../lib/stop.ts';

/** Told below the first, told as over above the second: a disk at the limit is not told again and again. */
const limits = { low: 256 * 1024 ** 2, enough: 512 * 1024 ** 2 };

const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Says in time that the disk of the data folder gets full, and that it has space again; looks every 10 s. */
export const watchDisk = (o: {
  readonly folder: string;
  readonly log: Log;
  readonly tell: (text: string) => void;
}): Stop => {
  let isLow = false;
  const look = async (): Promise<void> => {
    const free = freeBytes(o.folder);
    const mebibytes = Math.floor(free / 1024 ** 2);
    if (!isLow && free < limits.low) {
      isLow = true;
      o.tell(
        `Only ${mebibytes} MiB are free for ${o.folder}. On a full disk nothing can be changed: free some.`,
      );
      o.log.warn('disk nearly full', { free: mebibytes, data: o.folder });
    } else if (isLow && free > limits.enough) {
      isLow = false;
      o.tell(`${o.folder} has space again (${mebibytes} MiB).`);
      o.log.info('disk has space', { free: mebibytes, data: o.folder });
    }
  };
  return every(10_000, look, () => {});
};
