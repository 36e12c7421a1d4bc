import { readFileSync, rmSync } from 'node:fs';
import type { DataFolder } from '../config/data-folder.ts';
import type { ServerFile } from '../config/runtime-files.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import { ownVersion } from '../lib/own-version.ts';
import { processFacts } from '../lib/processes.ts';

/** The version of Windsock. */
export const version = ownVersion();

/** This process as the server of a data folder. */
export const serverFacts = (endpoint: string): ServerFile => ({
  pid: process.pid,
  startTime: processFacts(process.pid)?.startTime ?? 0,
  bootId: systemClock.bootId,
  version,
  startedAt: Date.now(),
  endpoint,
});

/** False when another server has written down that it is the one. */
export const isOurs = (folders: DataFolder, own: ServerFile): boolean => {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(folders.server, 'utf8')) as ServerFile;
    return pid === own.pid && startTime === own.startTime;
  } catch {
    return true;
  }
};

/** Writes down which process is the server of this data folder; gives the way to take that back. */
export const writeServerFile = (folders: DataFolder, own: ServerFile): (() => void) => {
  writeFileAtomic(folders.server, JSON.stringify(own), { mode: 0o600 });
  return () => {
    if (isOurs(folders, own)) rmSync(folders.server, { force: true });
  };
};
