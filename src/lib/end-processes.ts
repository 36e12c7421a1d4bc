import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ProcessAsks } from './process-asks.ts';
import type { Description, Selection } from './process-selection.ts';
import { type ProcessId, sendSignal } from './processes.ts';

/** TypeScript in a clone, JavaScript in the package. */
const workerFile = new URL(
  `./process-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

const asks = new ProcessAsks({
  start: () => new Worker(workerFile),
  deadline: 15_000,
  most: 1_000,
});

/** Ends the thread that looks for processes; a later look starts it again. */
export const closeProcessWorker = (): Promise<void> => asks.close();

/** Whether such a process lives. @throws WindsockError ProcessesNotKnown, as all below do */
export const isAnyAlive = async (selection: Selection): Promise<boolean> =>
  (await asks.ask(selection, { kill: false })) > 0;

/** Milliseconds between two looks for the same processes. */
const pauses = { first: 20, most: 200 };

/** Asks again until none is found; false when some still are after so many milliseconds. */
const untilNone = async (ask: () => Promise<number>, milliseconds: number): Promise<boolean> => {
  const deadline = performance.now() + milliseconds;
  for (let pause = pauses.first; (await ask()) > 0; pause = Math.min(2 * pause, pauses.most)) {
    const left = deadline - performance.now();
    if (left < 0) return false;
    await delay(Math.min(pause, left + 1));
  }
  return true;
};

/** Waits until no such process lives, at most so many milliseconds; false when some still do. */
export const waitUntilGone = (selection: Selection, milliseconds: number): Promise<boolean> =>
  untilNone(() => asks.ask(selection, { kill: false }), milliseconds);

/** KILLs every such process, again and again until none is left; false when some survive 10 s. */
export const killAll = (selection: Selection): Promise<boolean> =>
  untilNone(() => asks.ask(selection, { kill: true }), 10_000);

/** Exit codes: some were signalled, or there were none (ESRCH). */
const signalled = new Set([0, 3]);

/**
 * Changes its own account and runs no other program after that. Until a process does, other processes of the new account
 * can neither read its memory nor reach files through its entry in /proc (prctl(2), PR_SET_DUMPABLE).
 */
const killer = `
const uid = Number(process.argv[1]);
process.setgroups([]);
process.setgid(uid);
process.setuid(uid);
try {
  process.kill(-1, 'SIGKILL');
} catch (error) {
  process.exit(error.code === 'ESRCH' ? 3 : 1);
}`;

/**
 * KILLs every process of an account in one call, which none can outrun (kill(2), pid -1). False when the process that
 * makes the call was not started, or was stopped or ended by the account. It is started as root: a child that changes its
 * account before it is another program can be stopped by the account, and would hold up this process with it.
 */
const killAtOnce = async (uid: number): Promise<boolean> => {
  const child = spawn(process.execPath, ['-e', killer, String(uid)], {
    ...{ cwd: '/', env: {}, stdio: 'ignore', timeout: 5_000, killSignal: 'SIGKILL' },
  });
  try {
    const [code] = await once(child, 'exit');
    return signalled.has(code);
  } catch {
    return false;
  }
};

/** How often the call is tried. */
const mostCalls = 5;

/**
 * KILLs every process of an account other than this server's, also one that forks and ends all the time, so that no
 * look at /proc finds it. False when some survive.
 * @throws WindsockError ProcessesNotKnown
 */
export const killAccount = async (uid: number): Promise<boolean> => {
  if (!(uid > 0) || uid === process.geteuid?.())
    throw new Error(`Account ${uid} is not an environment's own`);
  const all = { anyOf: [{ uid }] };
  // those that are found easily are no longer there to disturb the call
  await killAll(all);
  for (let call = 1; call <= mostCalls; call += 1) {
    const wasCalled = await killAtOnce(uid);
    const gone = await killAll(all);
    if (wasCalled) return gone;
  }
  return false;
};

/** A whole session by its leader, which may have ended. */
export const sessionOf = ({ pid, startTime }: ProcessId): Description => ({
  inSessionOf: { pid, startTime },
});

/** KILLs the session of a leader; false when something survives. */
export const killSession = (leader: ProcessId): Promise<boolean> => killAll({ anyOf: [sessionOf(leader)] });

/** Waits for an event, at most so many milliseconds. */
const within = async (event: Promise<void>, milliseconds: number): Promise<void> => {
  const came = new AbortController();
  await Promise.race([event, delay(milliseconds, undefined, { signal: came.signal })]);
  came.abort();
};

/** Milliseconds until the end of a leader that was killed is told. */
const toldWithin = 1_000;

/**
 * Ends a whole session: TERM to its leader, which ends its children; once it has `ended`, or after `patience`
 * milliseconds, KILL to all that is left. A process group does not hold an Airflow component together, its
 * session does. False when something survives.
 */
export const endSession = async (
  leader: ProcessId,
  ended: Promise<void>,
  patience: number,
): Promise<boolean> => {
  sendSignal(leader, 'SIGTERM');
  await within(ended, patience);
  const gone = await killSession(leader);
  await within(ended, toldWithin);
  return gone;
};
