import { type ChildProcess, spawn } from 'node:child_process';
import { killSession } from './end-processes.ts';
import { type ProcessId, processFacts } from './processes.ts';

/** An account to run as; absent fields mean the account of this process. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly account?: Account | undefined;
  /** What it reads from its standard input; by default nothing. */
  readonly input?: string;
  /** Milliseconds after which the whole session is killed. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for which its output is awaited after it has ended: other processes may hold it open. */
  readonly lateOutput?: number;
  /** Called with each line of either stream. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const outputLimit = 4 * 1024 * 1024;

const collect = (
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
): (() => string) => {
  let text = '';
  let pending = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (text.length < outputLimit) text += chunk;
    if (!onLine) return;
    const lines = (pending + chunk).split('\n');
    pending = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) onLine(line);
  });
  return () => text;
};

/** A process that left the session may keep the pipes open for ever: then they are closed here. */
const ended = (child: ChildProcess, lateOutput: number): Promise<number> =>
  new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    child.once('error', reject);
    child.once('exit', () => {
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, lateOutput);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? (signal ? 128 : 1));
    });
  });

/**
 * A child that was started in this very turn, as it is told from a later process with its number; undefined when it was
 * not started. @throws when that cannot be found out; the child is killed
 */
export const idOfNew = (child: ChildProcess): ProcessId | undefined => {
  try {
    return child.pid === undefined ? undefined : processFacts(child.pid);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
};

/**
 * Runs a program to its end as the leader of a session of its own, without a shell, with exactly the given
 * environment. Kills the whole session at the timeout or on abort. Throws only when it cannot be started.
 */
export const run = async (
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> => {
  options.signal?.throwIfAborted();
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.account ? { uid: options.account.uid, gid: options.account.gid } : {}),
  });
  // it may have ended before
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const stdout = collect(child.stdout, options.onLine);
  const stderr = collect(child.stderr, options.onLine);
  const leader = idOfNew(child);
  let timedOut = false;
  const stop = () => void (leader && killSession(leader).catch(() => child.kill('SIGKILL')));
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, options.timeout);
  options.signal?.addEventListener('abort', stop);
  try {
    const exitCode = await ended(child, options.lateOutput ?? 5_000);
    return { exitCode, stdout: stdout(), stderr: stderr(), timedOut };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    if (leader) await killSession(leader);
  }
};
