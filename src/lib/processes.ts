import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
  /** One letter of proc(5), of its first thread. */
  readonly state: string;
  /** Threads that have not ended; of a process that is just being removed none. */
  readonly threads: number;
}

const numberAt = (fields: readonly string[], index: number): number => Number(fields[index] ?? Number.NaN);

/** What `/proc/PID/stat` says (proc(5)); the name before the last parenthesis may hold anything. */
const statOf = (text: string): Omit<ProcessFacts, 'pid' | 'uid'> => {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '?',
    ppid: numberAt(fields, 1),
    sessionId: numberAt(fields, 3),
    threads: numberAt(fields, 17),
    startTime: numberAt(fields, 19),
  };
};

/**
 * Whether the process has ended and only its entry is left. The state is that of the first thread: a zombie with other
 * threads still works.
 */
export const isOver = ({ state, threads }: Pick<ProcessFacts, 'state' | 'threads'>): boolean =>
  'Xx'.includes(state) || (state === 'Z' && threads <= 1);

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
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
    return { pid, uid, ...statOf(stat) };
  } catch (error) {
    if (goneCodes.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

/** Every process of the machine, those that have ended among them. Takes some 50 µs for each: not for a loop that serves requests. */
export const allProcesses = (): readonly ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processFacts(Number(name)) ?? []);

/** Every living process of the machine. As slow as `allProcesses`. */
export const processes = (): readonly ProcessFacts[] => allProcesses().filter((p) => !isOver(p));

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
  return there !== undefined && there.startTime === id.startTime && !isOver(there);
};

/** Signals exactly this process, if it lives. */
export const sendSignal = (id: ProcessId, signal: NodeJS.Signals): void => {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
};

/** Like `isAlive`, without holding the event loop; a process of which nothing can be found out now has not ended. */
const hasEnded = async (id: ProcessId): Promise<boolean> => {
  try {
    const found = statOf(await readFile(`/proc/${id.pid}/stat`, 'utf8'));
    return found.startTime !== id.startTime || isOver(found);
  } catch (error) {
    return goneCodes.has(codeOf(error) ?? '');
  }
};

/** Milliseconds between looks at a process that is no child of this one: only a parent is told of an end. */
const lookEvery = 250;

/** Calls once when this process has ended. */
export const whenEnded = (id: ProcessId, ended: () => void): Stop => {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    const over = await hasEnded(id);
    if (stopped) return;
    if (over) ended();
    else wait();
  };
  const wait = (): void => {
    timer = setTimeout(() => void look(), lookEvery);
    timer.unref();
  };
  wait();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};

/** Waits until this process has ended, at most so many milliseconds; false when it has not. */
export const waitForEnd = async (id: ProcessId, milliseconds: number): Promise<boolean> => {
  const deadline = performance.now() + milliseconds;
  while (!(await hasEnded(id))) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
};
