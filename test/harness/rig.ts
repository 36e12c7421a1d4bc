import type { Account } from './accounts.ts';
import { Api } from './api.ts';
import { putDag } from './dags.ts';
import { Failpoints } from './failpoints.ts';
import { prepare } from './golden.ts';
import { Minter } from './minter.ts';
import type { Environment } from './mwaa.ts';
import {
  launch,
  leftOvers,
  makePlace,
  type Place,
  type Running,
  removePlace,
  startServer,
} from './server.ts';
import { installTrivialAirflow } from './trivial-airflow.ts';
import { until } from './until.ts';

/** The server ended while something was waited for. */
export class Died extends Error {}

export interface RigOptions {
  /** Versions that are installed as ever: not trivial. */
  readonly real?: readonly string[];
  /** A place that was prepared, which is then removed by whoever did; else a new one. */
  readonly place?: Place;
  /** True: the first start makes everything itself, also what could be prepared. */
  readonly fresh?: boolean;
  /** True: it makes the first environment, as a plain start does. */
  readonly demo?: boolean;
  /** A failpoint at which the first server dies, before the one that stays. */
  readonly killedAt?: string;
  /** For the server, over everything else. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Whom the server runs as; else whoever runs the test. */
  readonly account?: Account | undefined;
}

/** One data folder with the trivial Airflow, and a server on it that is ended and started again. */
export class Rig {
  readonly place: Place;
  readonly api: Api;
  readonly mint: Minter;
  readonly failpoints: Failpoints;
  readonly #env: Readonly<Record<string, string>>;
  readonly #args: readonly string[];
  readonly #isPrepared: boolean;
  readonly #account: Account | undefined;
  #server: Running | undefined;

  private constructor(place: Place, { real, env, args, account, demo, place: prepared }: RigOptions) {
    this.place = place;
    this.#isPrepared = prepared !== undefined;
    this.#account = account;
    // suites make tokens and requests faster than anybody is meant to
    const fast = ['--tokens-per-second', '1000', '--requests-per-second', '10000'];
    this.#args = [...(demo ? [] : ['--no-demo']), ...fast, ...(args ?? [])];
    this.api = new Api(place);
    this.mint = new Minter(place);
    this.failpoints = new Failpoints(place);
    this.#env = { ...installTrivialAirflow(place, real ? { real } : {}), ...this.failpoints.env, ...env };
  }

  /** Makes the folder and starts the server. */
  static async make(o: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(o.place ?? (await makePlace()), o);
    try {
      if (!o.fresh && !o.account) await prepare(rig.place, o.real);
      if (o.killedAt !== undefined) await rig.#dieAt(o.killedAt);
      await rig.start();
      return rig;
    } catch (error) {
      rig.#removePlace();
      throw error;
    }
  }

  async #dieAt(name: string): Promise<void> {
    this.failpoints.killAt(name);
    await this.launch().end(60);
    this.failpoints.disarm();
  }

  get server(): Running {
    if (!this.#server) throw new Error('there is no server');
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.#how, 60);
  }

  /** Starts the server and waits for nothing; the one of before has ended. */
  launch(): Running {
    this.#server = launch(this.#how);
    return this.#server;
  }

  /** TERM, and the end. */
  async stop(): Promise<void> {
    this.server.child.kill('SIGTERM');
    await this.server.end(60);
  }

  /** kill -9; PostgreSQL and Airflow run on. */
  async crash(): Promise<void> {
    this.server.child.kill('SIGKILL');
    await this.server.end(10);
  }

  /** TERM, and nothing may be left; then removes the folder. */
  async remove(): Promise<void> {
    try {
      if (!this.#server || this.#server.hasEnded) return;
      await this.stop();
      const left = await leftOvers(this.place);
      if (left.length > 0) throw new Error(`Left after the stop:\n${left.join('\n')}`);
    } finally {
      this.#removePlace();
    }
  }

  #removePlace(): void {
    if (!this.#isPrepared) removePlace(this.place);
  }

  /** Like `until`, but ends as soon as this server ends. @throws Died */
  async wait<T>(
    what: string,
    seconds: number,
    ask: () => Promise<T | undefined | false> | T | undefined | false,
  ): Promise<T> {
    const { server } = this;
    const ended = Symbol('ended');
    const answer = await until(what, seconds, () => (server.hasEnded ? ended : ask()), 40);
    if (answer === ended) throw new Died(`The server ended before: ${what}\n${server.output}`);
    return answer as T;
  }

  /** Asks for an environment with one DAG in a bucket of its name. */
  async create(name: string, airflowVersion: string, more: object = {}): Promise<void> {
    putDag(this.place, name, 'dag.py', 'pass\n');
    await this.api.create(name, airflowVersion, more);
  }

  /** Waits for a status, and for nothing that leads elsewhere; gives the statuses on the way. */
  async becomes(name: string, status: string, seconds = 60): Promise<Environment> {
    const seen = new Set<string>();
    return this.wait(`${name} ${status}`, seconds, async () => {
      const found = await this.api.find(name);
      seen.add(found?.Status ?? 'gone');
      const isSettled = /^(AVAILABLE|CREATE_FAILED|UPDATE_FAILED|UNAVAILABLE)$/.test(found?.Status ?? '');
      if (isSettled && found?.Status !== status && seen.size > 1)
        throw new Error(`${[...seen]}: ${JSON.stringify(found?.LastUpdate)}`);
      return found?.Status === status && found;
    });
  }

  available(name: string): Promise<Environment> {
    return this.wait(`${name} AVAILABLE`, 60, async () => {
      const found = await this.api.find(name);
      if (found?.Status === 'CREATE_FAILED') throw new Error(JSON.stringify(found.LastUpdate));
      return found?.Status === 'AVAILABLE' && found;
    });
  }

  get #how() {
    const how = { place: this.place, env: this.#env, args: this.#args };
    return this.#account ? { ...how, account: this.#account } : how;
  }

  async gone(name: string): Promise<void> {
    await this.wait(`${name} gone`, 60, async () => (await this.api.find(name)) === undefined);
  }
}
