import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliAnswer } from '../../environments/ports.ts';
import { killAll, sessionOf } from '../../lib/end-processes.ts';
import { textOf } from '../../lib/errors.ts';
import { type Account, idOfNew } from '../../lib/process.ts';
import type { Selection } from '../../lib/process-selection.ts';
import type { ProcessId } from '../../lib/processes.ts';
import { commandOf } from '../local/launch.ts';
import { withoutDataFolder, withoutPackageFolders } from '../local/shown-paths.ts';
import type { View } from '../local/view.ts';
import { collect } from './output.ts';

interface RunLimits {
  /** Milliseconds of wall clock for one command. */
  readonly timeout: number;
  /** Bytes kept of each stream. */
  readonly bytes: number;
}

/** Amazon MWAA documents no numbers; its gateway was seen to answer 504 after about a minute. */
const defaultRunLimits: RunLimits = { timeout: 60_000, bytes: 4 * 1024 * 1024 };

export interface AirflowRun {
  /** The interpreter of the environment's virtual environment. */
  readonly python: string;
  /** Words that `checkCommand` accepted. */
  readonly words: readonly string[];
  /** The whole environment of the command; nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The account to run as; absent means the account of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** What it sees of the machine; absent means everything. */
  readonly view?: View | undefined;
  /** How it gets a pid namespace, which nothing leaves; absent means by session and mark only. */
  readonly pidNamespace?: View['kind'] | undefined;
  /** Whom Airflow names for it: its user name of whoever made the token. Absent means the account. */
  readonly person?: string | undefined;
  /** The data folder, of which no path is shown. */
  readonly data: string;
  /** GiB that one process of it may take. */
  readonly memory?: number | undefined;
  /** Processes and threads that its account may have. */
  readonly mostProcesses?: number | undefined;
  readonly signal: AbortSignal;
  readonly limits?: RunLimits;
}

/** Names the processes of one command, also those that left its session. */
const markName = 'WINDSOCK_COMMAND_ID';

/** A double fork with setsid leaves the session, so the mark in the process's first environment counts as well. */
const familyOf = (leader: ProcessId, mark: string, uid: number): Selection => ({
  anyOf: [sessionOf(leader), { uid, variable: `${markName}=${mark}` }],
});

/**
 * The child of unshare(1) is the first process of the namespace: the kernel ends all in it with it, and shows its end
 * only after theirs (pid_namespaces(7)). What has not got that far is found by session and mark.
 */
const endAll = async (leader: ProcessId, family: Selection, hasNamespace: boolean): Promise<void> => {
  if (hasNamespace) await killAll({ anyOf: [{ childOf: leader }] });
  await killAll(family);
};

const accountOf = ({ uid, gid }: AirflowRun): Account | undefined =>
  uid === undefined ? undefined : { name: String(uid), uid, gid: gid ?? uid };

/**
 * What `python -m airflow` does (in `shim/windsock_command.py`), with the words from variables that are gone before
 * Airflow begins: arguments are in the list of processes, which every account of the machine reads, and words may hold
 * passwords. WINDSOCK_WORDS says of each word in how many variables it is.
 */
const program = `import itertools, os, sys
pieces = (os.environ.pop(f"WINDSOCK_WORD_{i}") for i in itertools.count())
counts = map(int, os.environ.pop("WINDSOCK_WORDS").split())
sys.argv = ["airflow", *("".join(itertools.islice(pieces, count)) for count in counts)]
from windsock_command import main
main()`;

/** Linux refuses a variable of 128 KiB or more (execve(2), MAX_ARG_STRLEN); a character takes up to four bytes. */
const piecesOf = (word: string): readonly string[] => word.match(/[\s\S]{1,30000}/gu) ?? [''];

const variablesOf = (words: readonly string[]): Readonly<Record<string, string>> => {
  const pieces = words.map(piecesOf);
  return {
    WINDSOCK_WORDS: pieces.map(({ length }) => length).join(' '),
    ...Object.fromEntries(pieces.flat().map((piece, i) => [`WINDSOCK_WORD_${i}`, piece])),
  };
};

const personOf = ({ person }: AirflowRun): Readonly<Record<string, string>> =>
  person === undefined ? {} : { WINDSOCK_PERSON: person };

const start = (o: AirflowRun, mark: string) => {
  const { file, args, options, words } = commandOf({
    program: o.python,
    args: ['-c', program],
    env: { ...o.env, ...variablesOf(o.words), ...personOf(o), [markName]: mark },
    cwd: o.cwd,
    account: accountOf(o),
    view: o.view,
    memory: o.memory,
    mostProcesses: o.mostProcesses,
    pidNamespace: o.pidNamespace,
  });
  const child = spawn(file, args, { ...options, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(words);
  return child;
};

/** Resolves at the end of the process itself: a survivor may hold its pipes open until it is killed. */
const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });

/** Milliseconds for the ends of the streams, which a process that slipped away may hold open. */
const drain = 1000;

const closed = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('close', () => resolve());
  });

/** Waits for the end of the streams, or lets go of them. */
const letGo = async (child: ReturnType<typeof start>, close: Promise<void>): Promise<void> => {
  const ended = new AbortController();
  await Promise.race([close, delay(drain, undefined, { signal: ended.signal }).catch(() => undefined)]);
  ended.abort();
  child.stdout.destroy();
  child.stderr.destroy();
};

/** Of text with one byte a character: what was printed need not be UTF-8. */
const shown = (printed: Buffer, data: string, show: (text: string, data: string) => string): Buffer =>
  Buffer.from(show(printed.toString('latin1'), Buffer.from(data).toString('latin1')), 'latin1');

const failedToStart = (error: unknown): CliAnswer => ({
  kind: 'ran',
  stdout: Buffer.alloc(0),
  stderr: Buffer.from(`The Airflow command could not be started: ${textOf(error)}\n`),
  exitCode: 127,
});

/**
 * Runs one Airflow command as the leader of a session of its own, with empty stdin, and ends everything that it
 * started when it ends, at the time limit and on abort. Throws the reason of the abort, or a
 * WindsockError when what it started cannot be found out.
 */
export const runAirflow = async (o: AirflowRun): Promise<CliAnswer> => {
  o.signal.throwIfAborted();
  const limits = o.limits ?? defaultRunLimits;
  const mark = randomUUID();
  const child = start(o, mark);
  const exit = exitOf(child);
  const close = closed(child);
  const [stdout, stderr] = [collect(child.stdout, limits.bytes), collect(child.stderr, limits.bytes)];
  const leader = idOfNew(child);
  if (leader === undefined) return exit.then(() => failedToStart('no process'), failedToStart);
  const family = familyOf(leader, mark, o.uid ?? process.geteuid?.() ?? -1);
  let timedOut = false;
  const gaveUp = Promise.withResolvers<number>();
  // a process that the kernel cannot end must not hold the caller
  const kill = () =>
    void endAll(leader, family, o.pidNamespace !== undefined)
      .catch(() => child.kill('SIGKILL'))
      .then(() => delay(drain))
      .then(() => gaveUp.resolve(137));
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, limits.timeout);
  o.signal.addEventListener('abort', kill);
  try {
    const exitCode = await Promise.race([exit, gaveUp.promise]);
    await killAll(family);
    await letGo(child, close);
    o.signal.throwIfAborted();
    if (timedOut) return { kind: 'timed-out' };
    return {
      kind: 'ran',
      stdout: shown(stdout.bytes(), o.data, withoutPackageFolders),
      stderr: shown(stderr.bytes(), o.data, withoutDataFolder),
      exitCode,
    };
  } finally {
    clearTimeout(timer);
    o.signal.removeEventListener('abort', kill);
  }
};
