import { readFileSync, readlinkSync } from 'node:fs';
import { codeOf } from './errors.ts';
import { isOver, type ProcessFacts, type ProcessId } from './processes.ts';

/**
 * What is true of a process: everything that is said here. Plain data, so that another thread can look for it. Without
 * any word it describes no process, not every one.
 */
export interface Description {
  /** Its effective account. */
  readonly uid?: number;
  /**
   * In the session of this leader, also after the leader has ended: its number is not given to another process while
   * the session lives. A leader of the same number that started at another time is a stranger, and so is its session.
   */
  readonly inSessionOf?: ProcessId;
  readonly childOf?: ProcessId;
  readonly leadsSession?: true;
  /** It was started with this variable, `NAME=value`; some programs overwrite theirs. */
  readonly variable?: string;
  /** It has this word in its command line. */
  readonly word?: string;
  /** Its command line begins so. */
  readonly title?: string;
  /** The name of its program, at most 15 characters. */
  readonly program?: string;
  /** The folder it works in, without symbolic links. */
  readonly folder?: string;
  /** Its parent is not such a process. */
  readonly parentIsNot?: Description;
}

/** Selects processes of the machine: never one that has ended, and never this process. */
export interface Selection {
  /** A process is selected when one of these describes it. */
  readonly anyOf: readonly Description[];
  /** Nothing in the trees of these processes is selected. */
  readonly outsideTreesOf?: readonly number[];
}

/** What a process has besides its facts; of one that has ended, or that may not be read, nothing. */
export interface ProcessReader {
  variables(pid: number): readonly string[];
  commandLine(pid: number): string;
  program(pid: number): string;
  folder(pid: number): string | undefined;
}

/** It has ended, or belongs to somebody whose processes we may not read (proc(5)). */
const unreadable = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** @throws when no file descriptor is left: a process that was not read must not count as another's */
const readOr = <T>(otherwise: T, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (unreadable.has(codeOf(error) ?? '')) return otherwise;
    throw error;
  }
};

/** Reads /proc. */
const procReader: ProcessReader = {
  variables: (pid) => readOr([], () => readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')),
  commandLine: (pid) => readOr('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
  program: (pid) => readOr('', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()),
  folder: (pid) => readOr(undefined, () => readlinkSync(`/proc/${pid}/cwd`)),
};

/**
 * The numbers of all processes in the trees of these roots: the roots, their sessions, every descendant, and the
 * sessions of which a descendant is the leader (a shell task makes one).
 */
const treesOf = (all: readonly ProcessFacts[], roots: readonly number[]): ReadonlySet<number> => {
  const tree = new Set(roots);
  for (let size = -1; size !== tree.size; ) {
    size = tree.size;
    for (const p of all) if (tree.has(p.ppid) || tree.has(p.sessionId)) tree.add(p.pid);
  }
  return tree;
};

type Test = (p: ProcessFacts) => boolean;

const isNot = (p: ProcessFacts | undefined, id: ProcessId): boolean =>
  p !== undefined && p.startTime !== id.startTime;

/** One test for each word of a description; those that need no further reading first. */
const testsOf = (
  d: Description,
  byPid: ReadonlyMap<number, ProcessFacts>,
  read: ProcessReader,
): readonly Test[] => {
  const { uid, inSessionOf, childOf, leadsSession, variable, word, title, program, folder, parentIsNot } = d;
  const tests: Test[] = [];
  if (uid !== undefined) tests.push((p) => p.uid === uid);
  if (leadsSession !== undefined) tests.push((p) => p.sessionId === p.pid);
  if (inSessionOf !== undefined) {
    const isStranger = isNot(byPid.get(inSessionOf.pid), inSessionOf);
    tests.push((p) => !isStranger && p.sessionId === inSessionOf.pid && p.startTime >= inSessionOf.startTime);
  }
  if (childOf !== undefined) {
    const isStranger = isNot(byPid.get(childOf.pid), childOf);
    tests.push((p) => !isStranger && p.ppid === childOf.pid);
  }
  if (program !== undefined) tests.push((p) => read.program(p.pid) === program);
  if (folder !== undefined) tests.push((p) => read.folder(p.pid) === folder);
  if (title !== undefined) tests.push((p) => read.commandLine(p.pid).startsWith(title));
  if (word !== undefined) tests.push((p) => read.commandLine(p.pid).split('\0').includes(word));
  if (variable !== undefined) tests.push((p) => read.variables(p.pid).includes(variable));
  if (parentIsNot !== undefined) {
    const isSuch = describes(testsOf(parentIsNot, byPid, read));
    tests.push((p) => {
      const parent = byPid.get(p.ppid);
      return parent === undefined || isOver(parent) || !isSuch(parent);
    });
  }
  return tests;
};

const describes =
  (tests: readonly Test[]): Test =>
  (p) =>
    tests.length > 0 && tests.every((test) => test(p));

/**
 * Those of `all`, every process of the machine with those that have ended, that are selected.
 * @throws what the reader throws, when something cannot be found out
 */
export const selectFrom = (
  all: readonly ProcessFacts[],
  { anyOf, outsideTreesOf = [] }: Selection,
  read: ProcessReader = procReader,
): readonly ProcessFacts[] => {
  const byPid = new Map(all.map((p) => [p.pid, p]));
  const living = all.filter((p) => !isOver(p));
  const spared = treesOf(living, outsideTreesOf);
  const tests = anyOf.map((d) => describes(testsOf(d, byPid, read)));
  return living.filter((p) => p.pid !== process.pid && !spared.has(p.pid) && tests.some((test) => test(p)));
};
