import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { startedAt } from '../../lib/processes.ts';
import { backOff } from '../../lib/retry.ts';
import { bringUp, type Postmaster } from './bring-up.ts';
import type { LaunchOptions } from './launch.ts';
import { stopPostmaster } from './postmaster.ts';

export interface PostgresOptions extends LaunchOptions {
  readonly log: Log;
}

/** How PostgreSQL is, for people. */
export interface PostgresStatus {
  readonly state: 'running' | 'restarting' | 'stopped';
  readonly pid: number | undefined;
  /** Epoch milliseconds at which it entered this state. */
  readonly since: number;
  /** Starts after the first. */
  readonly restarts: number;
  /** True when an earlier server, or another one, started this process. */
  readonly adopted: boolean;
  readonly lastError: string | undefined;
}

/** A running PostgreSQL; started again when it dies, as often as it takes. */
export interface Postgres {
  status(): PostgresStatus;
  /** Ends it: fast shutdown, then immediate, then everything that is left. */
  stop(): Promise<void>;
  /** Lets go of it: it runs on, and nobody looks after it. */
  leave(): void;
}

/** A PostgreSQL that ran this long, in milliseconds, is no longer counted as dying at its start. */
const steadyAfter = 60_000;

class Supervised implements Postgres {
  readonly #options: PostgresOptions;
  readonly #closing = new AbortController();
  #postmaster: Postmaster | undefined;
  #unwatch: () => void = () => {};
  #reviving: Promise<void> = Promise.resolve();
  #state: PostgresStatus['state'] = 'stopped';
  #since = Date.now();
  #restarts = 0;
  #deaths = 0;
  #lastError: string | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    const postmaster = await bringUp(this.#options, this.#closing.signal);
    this.#postmaster = postmaster;
    if (this.#deaths > 0) this.#restarts += 1;
    this.#enter('running');
    if (postmaster.adopted) this.#since = startedAt(postmaster);
    const begun = performance.now();
    const { pid, adopted } = postmaster;
    this.#options.log.info(adopted ? 'postgres adopted' : 'postgres started', { pid });
    this.#unwatch = postmaster.watch((reason) => {
      if (performance.now() - begun > steadyAfter) this.#deaths = 0;
      this.#reviving = this.#revive(reason);
    });
  }

  status(): PostgresStatus {
    return {
      state: this.#state,
      pid: this.#postmaster?.pid,
      since: this.#since,
      restarts: this.#restarts,
      adopted: this.#postmaster?.adopted ?? false,
      lastError: this.#lastError,
    };
  }

  async stop(): Promise<void> {
    this.#unwatch();
    this.#closing.abort('stop');
    await this.#reviving;
    if (this.#postmaster) await stopPostmaster(this.#postmaster, this.#options.folder);
    this.#postmaster = undefined;
    this.#enter('stopped');
  }

  leave(): void {
    this.#unwatch();
    this.#closing.abort('leave');
  }

  #enter(state: PostgresStatus['state']): void {
    this.#state = state;
    this.#since = Date.now();
  }

  /** Tries until it runs: what keeps it from running, a full disk for instance, may go away at any time. */
  async #revive(reason: string): Promise<void> {
    const pid = this.#postmaster?.pid;
    this.#postmaster = undefined;
    this.#lastError = reason;
    this.#enter('restarting');
    this.#options.log.error('postgres died', { pid, deaths: this.#deaths + 1, reason });
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#deaths += 1;
      const wait = backOff(this.#deaths, { first: 200, most: 30_000 });
      try {
        await delay(wait, undefined, { signal, ref: false });
        await this.begin();
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = textOf(error);
        this.#options.log.error('postgres not restarted', { reason: textOf(error), attempt: this.#deaths });
      }
    }
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
