import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, textOf, WindsockError } from '../../lib/errors.ts';
import { bootRole, type ClusterPlace } from './cluster.ts';
import { isSuspended } from './postmaster.ts';

export interface LaunchOptions extends ClusterPlace {
  /** Folder of the Unix socket. */
  readonly socketFolder: string;
  readonly logFile: string;
  readonly maxConnections: number;
  /** Of those, kept for Windsock's own role. */
  readonly ownConnections: number;
}

/** What a PostgreSQL is told on its command line, where nothing in its folder can change it. */
const parametersOf = (o: LaunchOptions): readonly string[] => [
  'listen_addresses=',
  `unix_socket_directories=${o.socketFolder}`,
  'unix_socket_permissions=0777',
  `max_connections=${o.maxConnections}`,
  `reserved_connections=${o.ownConnections}`,
  'password_encryption=scram-sha-256',
  // A failed statement may hold a password: its text stays out of the log.
  'log_min_error_statement=panic',
];

/**
 * Starts PostgreSQL. It writes itself down, in `postmaster.pid`, before it serves anybody, so a server that is killed
 * at any moment leaves either nothing or a postmaster that the next start finds there.
 */
export const spawnPostmaster = (o: LaunchOptions): ChildProcess => {
  const out = openSync(o.logFile, 'a', 0o600);
  try {
    return spawn(
      join(o.binaries, 'bin', 'postgres'),
      ['-D', o.folder, ...parametersOf(o).flatMap((parameter) => ['-c', parameter])],
      {
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
        detached: true,
        stdio: ['ignore', out, out],
        ...(o.account ? { uid: o.account.uid, gid: o.account.gid } : {}),
      },
    );
  } finally {
    closeSync(out);
  }
};

export const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** The longest piece of a log that is looked at, in bytes. */
const longestTail = 4_096;

/** The reason in PostgreSQL's log, from a size on: what it calls fatal, else its last lines. */
export const reasonIn = (file: string, from: number): string => {
  try {
    const size = sizeOf(file);
    const buffer = Buffer.alloc(Math.min(Math.max(size - from, 0), longestTail));
    const fd = openSync(file, 'r');
    try {
      readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    } finally {
      closeSync(fd);
    }
    const lines = buffer.toString('utf8').trim().split('\n');
    const fatal = lines.flatMap((line) => /(?:FATAL|PANIC):\s+(.*)/.exec(line)?.[1] ?? []);
    return fatal.at(-1) ?? lines.slice(-3).join('\n');
  } catch {
    return '';
  }
};

/** Connects once; every wait in it ends. */
const tryConnect = async (o: LaunchOptions, signal: AbortSignal): Promise<void> => {
  const client = new pg.Client({
    host: o.socketFolder,
    user: bootRole,
    database: 'postgres',
    password: o.password?.(),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => {});
  await client.connect();
  await Promise.race([client.end(), delay(1_000, undefined, { signal, ref: false })]);
};

/** Milliseconds: until a server must answer, one that recovers from a crash, and one that somebody suspended. */
const patience = { answer: 60_000, recovery: 600_000, suspended: 5_000 } as const;
/** PostgreSQL's code for "the database system is starting up". */
const startingUp = '57P03';
/** Class 28: it does not let this account in. */
const refused = /^28/;

const tooLate = (o: LaunchOptions, pid: number, waited: number, error: unknown): string | undefined => {
  const code = codeOf(error) ?? '';
  if (refused.test(code))
    return `PostgreSQL in ${o.folder} does not let this account in (${textOf(error)}). Start as the account that made the data folder.`;
  if (isSuspended(pid) && waited > patience.suspended)
    return `PostgreSQL (process ${pid}) was suspended by somebody (SIGSTOP) and answers nobody. Let it go on with "kill -CONT ${pid}", or end it with "kill -QUIT ${pid}", and start again.`;
  if (waited < (code === startingUp ? patience.recovery : patience.answer)) return undefined;
  const why = code === '' ? textOf(error) : `${code}: ${textOf(error)}`;
  return `PostgreSQL (process ${pid}) did not answer within ${Math.round(waited / 1000)} s (${why}). Its log: ${o.logFile}`;
};

/**
 * Waits until this postmaster answers. `fault` gives the reason once it has ended.
 * @throws WindsockError PostgresNotStarted; the reason of `signal` when that is aborted
 */
export const waitUntilReady = async (
  o: LaunchOptions,
  pid: number,
  fault: () => string | undefined,
  signal: AbortSignal,
): Promise<void> => {
  const begun = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const ended = fault();
    if (ended !== undefined) throw new WindsockError('PostgresNotStarted', ended);
    try {
      return await tryConnect(o, signal);
    } catch (error) {
      const late = tooLate(o, pid, performance.now() - begun, error);
      if (late !== undefined) throw new WindsockError('PostgresNotStarted', late, { cause: error });
    }
    await delay(20, undefined, { signal });
  }
};
