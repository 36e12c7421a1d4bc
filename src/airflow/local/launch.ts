import { type Account, type RunOptions, type RunResult, run } from '../../lib/process.ts';
import { quoted } from '../../lib/shell.ts';
import { namespaceScript, unshareArguments, utilFile, type View } from './view.ts';

/** A program of an environment, with all that it gets from outside. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory, as it sees it. */
  readonly cwd: string;
  /** Undefined: the account of this process. */
  readonly account: Account | undefined;
  /** GiB of data that it and each process of it may have (RLIMIT_DATA); one that needs more gets a MemoryError. */
  readonly memory?: number | undefined;
  /** Processes and threads that its account may have when it starts one (RLIMIT_NPROC); without an account of no effect. */
  readonly mostProcesses?: number | undefined;
  /** Undefined: it sees the file system as it is. */
  readonly view: View | undefined;
  /**
   * Gives it a pid namespace: everything it starts ends with it, whatever it does to get away, and it ends with this
   * server. How the namespace is made must be how the view is made.
   */
  readonly pidNamespace?: View['kind'] | undefined;
}

/** What spawn(2) is given, and what is then written to its standard input, whole and once. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
  readonly words: string;
}

/**
 * Waits for its words before the program starts, in the same process: without them it ends. So a server that is
 * killed before it has written the process down leaves nothing behind.
 */
const gate = 'words=$(cat) && eval "$words"';

/** dash and busybox call it p, bash u. */
const processLimit = ({ account, mostProcesses }: Launch): readonly string[] =>
  account === undefined || mostProcesses === undefined
    ? []
    : [`ulimit -u ${mostProcesses} 2>/dev/null || ulimit -p ${mostProcesses} 2>/dev/null || :`];

/**
 * The environment is among the words: variables that a user chooses must not reach what runs as root before
 * (LD_PRELOAD), nor be read in the list of processes.
 */
const wordsOf = (l: Launch): string =>
  [
    'unset PATH LC_ALL',
    ...Object.entries(l.env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    'ulimit -c 0',
    // a machine may allow less already
    ...(l.memory === undefined ? [] : [`ulimit -d ${l.memory * 1024 * 1024} 2>/dev/null || :`]),
    ...processLimit(l),
    `cd ${quoted(l.cwd)} || exit`,
    'unset OLDPWD',
    // The shell stays as the first process of a pid namespace, to which orphans are given and signals do nothing.
    l.pidNamespace === undefined ? 'exec "$@" </dev/null' : '"$@" </dev/null\nexit $?',
  ].join('\n');

const plain = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

const ownIds = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** The server's end is the end of unshare(1), and that of its child, even if the server was killed. */
const untilServerEnds = (): readonly string[] => [
  utilFile('setpriv') ?? 'setpriv',
  ...['--pdeathsig', 'KILL', '--'],
];

/**
 * A child that changed its account before it became another program could be stopped by the account, and this process
 * waits for that moment (libuv, uv_spawn).
 */
const asAccount = ({ uid, gid }: Account): readonly string[] => [
  utilFile('setpriv') ?? 'setpriv',
  ...['--no-new-privs', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'],
];

/** The one way in which anything of an environment is started: account, limits, and what it sees. */
export const commandOf = (l: Launch): Command => {
  const inner = ['/bin/sh', '-c', gate, 'sh', l.program, ...l.args];
  const words = wordsOf(l);
  const kind = l.view?.kind ?? l.pidNamespace;
  if (kind === undefined) {
    const [file = '', ...args] = [...(l.account ? asAccount(l.account) : []), ...inner];
    return { file, args, options: { cwd: '/', env: plain }, words };
  }
  const hasPids = l.pidNamespace !== undefined;
  const script = namespaceScript({ kind, view: l.view, hasPids, account: l.account, ids: ownIds });
  const [file = '', ...args] = [
    ...(hasPids ? untilServerEnds() : []),
    ...[utilFile('unshare') ?? 'unshare', ...unshareArguments(kind, hasPids)],
    ...['/bin/sh', '-c', script, 'sh', ...inner],
  ];
  return { file, args, options: { cwd: '/', env: plain }, words };
};

/** Starts it and waits for its end; throws only when it cannot be started. */
export const runToItsEnd = (
  l: Launch,
  o: Pick<RunOptions, 'timeout' | 'signal' | 'onLine'>,
): Promise<RunResult> => {
  const { file, args, options, words } = commandOf(l);
  return run(file, args, { ...options, input: words, ...o });
};
