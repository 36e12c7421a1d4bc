import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What /proc says of one process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly sessionId: number;
  readonly uid: number;
  /** Clock ticks after boot at which it started: tells a process from a later one with the same pid. */
  readonly startTime: number;
  /** One letter of proc(5); Z is a zombie. */
  readonly state: string;
}

const numberAt = (fields: readonly string[], index: number): number => Number(fields[index] ?? Number.NaN);

/** Facts of one process, or undefined when it is gone. */
export const processFacts = (pid: number): ProcessFacts | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      state: fields[0] ?? '?',
      ppid: numberAt(fields, 1),
      sessionId: numberAt(fields, 3),
      startTime: numberAt(fields, 19),
      uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN),
    };
  } catch {
    return undefined;
  }
};

/** Every process of the machine that is not a zombie. */
export const processes = (): readonly ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processFacts(Number(name)) ?? [])
    .filter((p) => p.state !== 'Z');

/** Selects the processes that belong to one owner: a session id, or an account. */
export type Belongs = (p: ProcessFacts) => boolean;

const signalAll = (belongs: Belongs, signal: NodeJS.Signals): number => {
  const found = processes().filter((p) => p.pid !== process.pid && belongs(p));
  for (const p of found) {
    try {
      process.kill(p.pid, signal);
    } catch {
      // it ended in the meantime
    }
  }
  return found.length;
};

/** Waits until no such process lives, at most so many milliseconds; false when some still do. */
export const waitUntilGone = async (belongs: Belongs, milliseconds: number): Promise<boolean> => {
  const deadline = performance.now() + milliseconds;
  while (processes().some((p) => p.pid !== process.pid && belongs(p))) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
};

/** KILLs every process that belongs, again and again until none is left; false when some survive 10 s. */
export const killAll = async (belongs: Belongs): Promise<boolean> => {
  const deadline = performance.now() + 10_000;
  while (signalAll(belongs, 'SIGKILL') > 0) {
    if (performance.now() > deadline) return false;
    await waitUntilGone(belongs, 200);
  }
  return true;
};

/** Milliseconds that the rest of a tree gets once its leaders have ended. */
const afterLeaders = 300;

/**
 * Ends a whole tree: TERM to its leaders, which end their children; once they are gone, or after `patience`
 * milliseconds, KILL to all that is left. A process group does not hold an Airflow component together, its
 * session does.
 */
export const endTree = async (
  leaders: readonly number[],
  belongs: Belongs,
  patience: number,
): Promise<boolean> => {
  const started = new Map(leaders.map((pid) => [pid, processFacts(pid)?.startTime]));
  for (const pid of leaders) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // gone already
    }
  }
  await waitUntilGone((p) => started.has(p.pid) && started.get(p.pid) === p.startTime, patience);
  await waitUntilGone(belongs, afterLeaders);
  return killAll(belongs);
};

/** Ends the session of one leader. */
export const killSession = (sessionId: number): Promise<boolean> => killAll((p) => p.sessionId === sessionId);
