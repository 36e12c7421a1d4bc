import { existsSync, linkSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAnyAlive, killAll, waitUntilGone } from '../../lib/end-processes.ts';
import { type Description, selectFrom } from '../../lib/process-selection.ts';
import {
  isAlive,
  isOver,
  type ProcessFacts,
  type ProcessId,
  processFacts,
  waitForEnd,
} from '../../lib/processes.ts';

const textOfFile = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** PostgreSQL works in its data folder: that tells its processes from others, whatever numbers they have. */
const processesIn = (folder: string): readonly Description[] => {
  try {
    return [{ program: 'postgres', folder: realpathSync(folder) }];
  } catch {
    return [];
  }
};

const worksIn = (folder: string, p: ProcessFacts): boolean =>
  selectFrom([p], { anyOf: processesIn(folder) }).length > 0;

const pidIn = (lockFile: string): number => Number(textOfFile(lockFile).split('\n')[0] || Number.NaN);
const living = (pid: number): ProcessFacts | undefined => {
  const found = Number.isInteger(pid) && pid > 0 ? processFacts(pid) : undefined;
  return found && !isOver(found) ? found : undefined;
};

/** The postmaster that serves this cluster now: the process that its lock file names, when it is no stranger. */
export const runningPostmaster = (folder: string): ProcessId | undefined => {
  const found = living(pidIn(join(folder, 'postmaster.pid')));
  return found && worksIn(folder, found) ? { pid: found.pid, startTime: found.startTime } : undefined;
};

/** True while somebody has stopped the process (SIGSTOP), so that it answers nobody. */
export const isSuspended = (pid: number): boolean => ['T', 't'].includes(living(pid)?.state ?? '');

/**
 * Processes of PostgreSQL whose postmaster has ended. They show themselves as `postgres: …`, which a postmaster never
 * does, so one that another server is just starting is not among them.
 */
const orphansOf = (folder: string): readonly Description[] =>
  processesIn(folder).map((ours) => ({ ...ours, title: 'postgres: ', parentIsNot: ours }));

/**
 * Ends what a killed postmaster left: its processes see its end by themselves, but one that hangs keeps the shared
 * memory, and PostgreSQL refuses to start beside it.
 */
export const endOrphans = async (folder: string): Promise<void> => {
  const orphans = { anyOf: orphansOf(folder) };
  if (await waitUntilGone(orphans, 3_000)) return;
  await killAll(orphans);
};

/** Milliseconds after which a lock file that is still empty is no longer being written. */
const writtenWithin = 200;

/** Nothing of this cluster lives behind the lock, but PostgreSQL would not see that by itself. */
const isMisleading = (lockFile: string, text: string, folder: string): boolean => {
  if (text === '') return existsSync(lockFile);
  const pid = pidIn(lockFile);
  const holder = Number.isInteger(pid) && pid > 0 ? processFacts(pid) : undefined;
  return holder !== undefined && (isOver(holder) || !worksIn(folder, holder));
};

/**
 * Takes away a lock file that PostgreSQL would take for the one of a living server (src/backend/utils/init/miscinit.c,
 * CreateLockFile): its number was given to somebody else after a crash, its process is dead and not yet reaped, or a
 * power cut left it empty. Every other stale lock file PostgreSQL removes by itself.
 */
export const removeMisleadingLock = async (lockFile: string, folder: string): Promise<void> => {
  const judged = textOfFile(lockFile);
  if (!isMisleading(lockFile, judged, folder)) return;
  if (judged === '') await delay(writtenWithin);
  const aside = `${lockFile}.${process.pid}`;
  renameSync(lockFile, aside);
  // Another server may have put a living one there meanwhile.
  if (textOfFile(aside) !== judged) linkSync(aside, lockFile);
  rmSync(aside, { force: true });
};

/** True while any process of this cluster lives. */
export const isInUse = (folder: string): Promise<boolean> => isAnyAlive({ anyOf: processesIn(folder) });

/**
 * Fast shutdown (INT); after 20 s an immediate one (QUIT); KILL last, of everything that is left. TERM would wait for
 * clients (postgres(1)). One that was suspended goes on first, so that it can end itself.
 */
export const stopPostmaster = async (postmaster: ProcessId, folder: string): Promise<void> => {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isAlive(postmaster)) break;
    try {
      process.kill(postmaster.pid, signal);
      process.kill(postmaster.pid, 'SIGCONT');
    } catch {
      break;
    }
    if (await waitForEnd(postmaster, 20_000)) break;
  }
  await endOrphans(folder);
};
