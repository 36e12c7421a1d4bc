import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WindsockError } from '../../lib/errors.ts';
import { isAlive, type ProcessId, processFacts, whenEnded } from '../../lib/processes.ts';
import { type LaunchOptions, reasonIn, sizeOf, spawnPostmaster, waitUntilReady } from './launch.ts';
import { endOrphans, removeMisleadingLock, runningPostmaster, stopPostmaster } from './postmaster.ts';

/** A postmaster that was started or found. */
export interface Postmaster extends ProcessId {
  readonly adopted: boolean;
  /** The reason once it has ended, for people. */
  fault(): string | undefined;
  /** Calls once, at its end. */
  watch(ended: (reason: string) => void): () => void;
}

const found = (id: ProcessId): Postmaster => {
  const fault = () =>
    isAlive(id) ? undefined : 'it ended (another process started it, so how is not known)';
  return {
    ...id,
    adopted: true,
    fault,
    watch: (ended) => whenEnded(id, () => ended(fault() ?? 'it ended')),
  };
};

const spawned = (o: LaunchOptions): Postmaster => {
  const logged = sizeOf(o.logFile);
  const child = spawnPostmaster(o);
  let reason: string | undefined;
  let tell: (reason: string) => void = () => {};
  const end = (why: string): void => {
    if (reason !== undefined) return;
    reason = why;
    tell(why);
  };
  child.once('error', (error) => end(`PostgreSQL could not be started: ${error.message}`));
  child.once('exit', (code, signal) =>
    end(`PostgreSQL ended (${signal ?? `exit code ${code}`}): ${reasonIn(o.logFile, logged)}`),
  );
  const pid = child.pid ?? 0;
  return {
    pid,
    startTime: processFacts(pid)?.startTime ?? 0,
    adopted: false,
    fault: () => reason,
    watch: (ended) => {
      tell = ended;
      if (reason !== undefined) ended(reason);
      return () => {
        tell = () => {};
        child.unref();
      };
    },
  };
};

/** Milliseconds for whoever was faster to write itself down. */
const winnerWithin = 2_000;

/** The postmaster of a server that started one at the same moment and was faster. */
const winner = async (folder: string): Promise<ProcessId | undefined> => {
  const deadline = performance.now() + winnerWithin;
  for (;;) {
    const there = runningPostmaster(folder);
    if (there || performance.now() > deadline) return there;
    await delay(50);
  }
};

const adopt = async (o: LaunchOptions, id: ProcessId, signal: AbortSignal): Promise<Postmaster> => {
  const postmaster = found(id);
  await waitUntilReady(o, id.pid, () => postmaster.fault(), signal);
  return postmaster;
};

const findOrStart = async (
  o: LaunchOptions,
  there: ProcessId | undefined,
  signal: AbortSignal,
): Promise<Postmaster> => {
  if (there) return adopt(o, there, signal);
  await endOrphans(o.folder);
  await removeMisleadingLock(join(o.folder, 'postmaster.pid'), o.folder);
  await removeMisleadingLock(join(o.socketFolder, '.s.PGSQL.5432.lock'), o.folder);
  const own = spawned(o);
  try {
    await waitUntilReady(o, own.pid, () => own.fault(), signal);
    // Another one may have answered.
    if (own.fault() === undefined) return own;
    throw new WindsockError('PostgresNotStarted', own.fault() ?? '');
  } catch (error) {
    const other = own.fault() === undefined ? undefined : await winner(o.folder);
    if (other) return adopt(o, other, signal);
    if (!signal.aborted || signal.reason !== 'leave') await stopPostmaster(own, o.folder);
    throw error;
  }
};

/** A postmaster that is found while it ends, on the last server's word, is waited for; then one is started. */
const mostFound = 3;

/**
 * Finds the postmaster of the cluster or starts one, and waits until it answers. One that was started and does not
 * answer is ended again, unless `signal` says `leave`.
 * @throws WindsockError PostgresNotStarted; the reason of `signal` when that is aborted
 */
export const bringUp = async (o: LaunchOptions, signal: AbortSignal): Promise<Postmaster> => {
  for (let tries = 1; ; tries += 1) {
    const there = runningPostmaster(o.folder);
    try {
      return await findOrStart(o, there, signal);
    } catch (error) {
      if (!there || isAlive(there) || signal.aborted || tries === mostFound) throw error;
    }
  }
};
