import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, textOf, WindsockError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { type Belongs, killSession, processFacts, waitUntilGone } from '../../lib/process-tree.ts';
import { backOff } from '../../lib/retry.ts';
import { bootRole, type ClusterPlace } from './cluster.ts';

export interface PostgresOptions extends ClusterPlace {
  /** Folder of the Unix socket. */
  readonly socketFolder: string;
  readonly logFile: string;
  readonly maxConnections: number;
  readonly log: Log;
}

/** A running PostgreSQL; restarted when it dies. */
export interface Postgres {
  readonly pid: number;
  /** Fast shutdown (INT); after 20 s an immediate one (QUIT). Never KILL first: it needs no recovery that way. */
  stop(): Promise<void>;
}

/** Fast shutdown, then immediate; TERM would wait for clients (postgres(1)). */
const stopPostmaster = async (pid: number): Promise<void> => {
  const startTime = processFacts(pid)?.startTime;
  const isPostmaster: Belongs = (p) => p.pid === pid && p.startTime === startTime;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await waitUntilGone(isPostmaster, 20_000)) return;
  }
  await killSession(pid);
};

const logTail = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-4).join('\n');
  } catch {
    return '';
  }
};

const tryConnect = async (options: PostgresOptions): Promise<void> => {
  const client = new pg.Client({
    host: options.socketFolder,
    user: bootRole,
    database: 'postgres',
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => {});
  await client.connect();
  await client.end();
};

/** The postmaster that holds this cluster now, told from a reused pid by the folder it was started with. */
const runningPostmaster = (folder: string): number | undefined => {
  try {
    const pid = Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return command.includes(folder) ? pid : undefined;
  } catch {
    return undefined;
  }
};

const start = (options: PostgresOptions): ChildProcess => {
  const out = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn(
      join(options.binaries, 'bin', 'postgres'),
      [
        '-D',
        options.folder,
        '-c',
        'listen_addresses=',
        '-c',
        `unix_socket_directories=${options.socketFolder}`,
        '-c',
        'unix_socket_permissions=0777',
        '-c',
        `max_connections=${options.maxConnections}`,
        '-c',
        'password_encryption=scram-sha-256',
        // A failed statement may hold a password: its text stays out of the log.
        '-c',
        'log_min_error_statement=panic',
      ],
      {
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
        detached: true,
        stdio: ['ignore', out, out],
        ...(options.account ? { uid: options.account.uid, gid: options.account.gid } : {}),
      },
    );
  } finally {
    closeSync(out);
  }
};

const waitUntilReady = async (options: PostgresOptions, failed: () => string | undefined): Promise<void> => {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const fault = failed();
    if (fault !== undefined) throw new WindsockError('PostgresNotStarted', fault);
    try {
      return await tryConnect(options);
    } catch (error) {
      if (performance.now() > deadline) {
        const why = codeOf(error) ?? textOf(error);
        throw new WindsockError(
          'PostgresNotStarted',
          `PostgreSQL did not answer within 60 s (${why}). Its log: ${options.logFile}`,
        );
      }
    }
    await delay(20);
  }
};

class Supervised implements Postgres {
  readonly #options: PostgresOptions;
  #pid = 0;
  #stopping = false;
  #deaths = 0;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#pid;
  }

  async begin(): Promise<void> {
    const there = runningPostmaster(this.#options.folder);
    if (there !== undefined) return this.#adopt(there);
    let fault: string | undefined;
    const child = start(this.#options);
    child.once('error', (error) => {
      fault = `PostgreSQL could not be started: ${error.message}`;
    });
    child.once('exit', (code, signal) => {
      fault = `PostgreSQL ended at once (${code ?? signal}): ${logTail(this.#options.logFile).slice(-600)}`;
      this.#died();
    });
    this.#pid = child.pid ?? 0;
    await waitUntilReady(this.#options, () => fault);
    this.#options.log.info('postgres started', { pid: this.#pid });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#pid > 0) await stopPostmaster(this.#pid);
  }

  async #adopt(pid: number): Promise<void> {
    this.#pid = pid;
    await waitUntilReady(this.#options, () =>
      processFacts(pid) ? undefined : 'PostgreSQL ended while it was being adopted',
    );
    this.#options.log.info('postgres adopted', { pid });
    const timer = setInterval(() => {
      if (this.#stopping) return clearInterval(timer);
      if (runningPostmaster(this.#options.folder) === pid) return;
      clearInterval(timer);
      this.#died();
    }, 1_000);
    timer.unref();
  }

  #died(): void {
    if (this.#stopping) return;
    this.#deaths += 1;
    this.#options.log.error('postgres died', { deaths: this.#deaths });
    const wait = backOff(this.#deaths, { first: 200, most: 30_000 });
    setTimeout(() => {
      if (this.#stopping) return;
      this.begin().then(
        () => {
          this.#deaths = 0;
        },
        (error) => this.#options.log.error('postgres not restarted', { reason: textOf(error) }),
      );
    }, wait).unref();
  }
}

/**
 * Starts PostgreSQL on a Unix socket only, or takes over the one that already runs on this folder.
 * @throws WindsockError PostgresNotStarted
 */
export const startPostgres = async (options: PostgresOptions): Promise<Postgres> => {
  const supervised = new Supervised(options);
  await supervised.begin();
  return supervised;
};
