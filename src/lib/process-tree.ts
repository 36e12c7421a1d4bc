import { readdirSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './errors.ts';
import type { Stop } from './stop.ts';

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

/** The process ended before or while it was read (proc(5)). */
const goneCodes = new Set(['ENOENT', 'ESRCH']);

/**
 * Facts of one process, or undefined when it is gone. Throws when that cannot be found out (no file descriptor
 * left): taking such a process for gone would start a second one beside it.
 */
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
  } catch (error) {
    if (goneCodes.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

/** Every process of the machine that is not a zombie. */
export const processes = (): readonly ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processFacts(Number(name)) ?? [])
    .filter((p) => p.state !== 'Z');

/** True when the process was started with this variable, `NAME=value`; some programs overwrite theirs. */
export const hasVariable = (p: ProcessFacts, variable: string): boolean => {
  try {
    return readFileSync(`/proc/${p.pid}/environ`, 'latin1').split('\0').includes(variable);
  } catch {
    return false;
  }
};

/** Selects the processes that belong to one owner: a session id, or an account. */
export type Belongs = (p: ProcessFacts) => boolean;

/** A process that is told from a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  readonly startTime: number;
}

/** Epoch milliseconds at which it was started, as the clock of now sees it. A tick is 10 ms (proc(5), USER_HZ). */
export const startedAt = (id: ProcessId): number =>
  Math.round(Date.now() - uptime() * 1000 + id.startTime * 10);

/** True while exactly this process lives. */
export const isAlive = (id: ProcessId): boolean => {
  const there = processFacts(id.pid);
  return there !== undefined && there.startTime === id.startTime && there.state !== 'Z';
};

/** Milliseconds between looks at a process that is no child of this one: only a parent is told of an end. */
const lookEvery = 250;

/** Calls once when this process has ended. */
export const whenEnded = (id: ProcessId, ended: () => void): Stop => {
  const timer = setInterval(() => {
    try {
      if (isAlive(id)) return;
    } catch {
      // not known now: the next look tells
      return;
    }
    clearInterval(timer);
    ended();
  }, lookEvery);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * The session of a leader, also after the leader has ended: its number is not given to another process while the
 * session lives. A leader of the same number that started at another time is a stranger, and so is its session.
 */
export const sessionOf = (leader: ProcessId): Belongs => {
  return (p) => {
    if (p.sessionId !== leader.pid || p.startTime < leader.startTime) return false;
    const there = p.pid === leader.pid ? p : processFacts(leader.pid);
    return there === undefined || there.startTime === leader.startTime;
  };
};

/**
 * The numbers of all processes in the trees of these roots: the roots, their sessions, every descendant, and the
 * sessions of which a descendant is the leader (a shell task makes one).
 */
export const treesOf = (all: readonly ProcessFacts[], roots: readonly number[]): ReadonlySet<number> => {
  const tree = new Set(roots);
  for (let size = -1; size !== tree.size; ) {
    size = tree.size;
    for (const p of all) if (tree.has(p.ppid) || tree.has(p.sessionId)) tree.add(p.pid);
  }
  return tree;
};

/** Selects among all processes of the machine, for what one process alone does not tell. */
export type Select = (all: readonly ProcessFacts[]) => readonly ProcessFacts[];

const found = (select: Select): readonly ProcessFacts[] =>
  select(processes()).filter((p) => p.pid !== process.pid);

const signalAll = (select: Select, signal: NodeJS.Signals): number => {
  const targets = found(select);
  for (const p of targets) {
    try {
      process.kill(p.pid, signal);
    } catch {
      // it ended in the meantime
    }
  }
  return targets.length;
};

const waitForNone = async (select: Select, milliseconds: number): Promise<boolean> => {
  const deadline = performance.now() + milliseconds;
  while (found(select).length > 0) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
};

/** Waits until no such process lives, at most so many milliseconds; false when some still do. */
export const waitUntilGone = (belongs: Belongs, milliseconds: number): Promise<boolean> =>
  waitForNone((all) => all.filter(belongs), milliseconds);

/** KILLs every selected process, again and again until none is left; false when some survive 10 s. */
export const killSelected = async (select: Select): Promise<boolean> => {
  const deadline = performance.now() + 10_000;
  while (signalAll(select, 'SIGKILL') > 0) {
    if (performance.now() > deadline) return false;
    await waitForNone(select, 200);
  }
  return true;
};

/** KILLs every process that belongs, again and again until none is left; false when some survive 10 s. */
export const killAll = (belongs: Belongs): Promise<boolean> => killSelected((all) => all.filter(belongs));

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

/** Ends the session of one leader that this process started and has not yet seen end. */
export const killSession = (sessionId: number): Promise<boolean> => killAll((p) => p.sessionId === sessionId);
