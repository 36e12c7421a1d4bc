import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StepFailed } from '../../environments/errors.ts';
import type { WebTarget } from '../../environments/ports.ts';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import { killAll } from '../../lib/process-tree.ts';
import type { AirflowVersion } from '../versions.ts';
import { argumentsOf, type ComponentName, componentsOf, neededToBeReady } from './commands.ts';
import { Component } from './component.ts';
import { belongsTo, type ProcessFact, readFacts, writeFacts } from './facts.ts';
import { unhealthyParts } from './health.ts';
import type { Places } from './places.ts';

/** What the web server of one start answers: ready only when it refused a request without an assertion. */
export type StartCheck = (
  target: WebTarget,
  airflowVersion: string,
) => Promise<'ready' | 'starting' | 'open-to-strangers'>;

export interface LocalEnvironmentOptions {
  readonly id: string;
  readonly generation: number;
  readonly version: AirflowVersion;
  readonly places: Places;
  readonly python: string;
  readonly account: Account | undefined;
  readonly webPort: number;
  readonly variables: (component: string) => Record<string, string>;
  readonly startCheck: StartCheck;
  readonly bootId: string;
  readonly log: Log;
  readonly changed: () => void;
}

/** Deaths of one component at its start after which a creation is given up. */
const mostDeaths = 3;
/** Milliseconds between looks at an environment that is well. */
const lookAtWell = 10_000;
/** Milliseconds of silence after which a web server that was up counts as hanging. */
const longestSilence = 60_000;

/** The running components of one environment. */
export class LocalEnvironment {
  readonly #o: LocalEnvironmentOptions;
  readonly #components: ReadonlyMap<ComponentName, Component>;
  #checkedStart = 0;
  #checking = false;
  #closed = false;
  #healthy = false;
  #openToStrangers = false;
  #nextLook = 0;
  #silentSince: number | undefined;
  #toldTrouble: string | undefined;

  constructor(options: LocalEnvironmentOptions) {
    this.#o = options;
    this.#components = new Map(componentsOf(options.version).map((name) => [name, this.#component(name)]));
  }

  /** The web server, once this start of it was seen to refuse strangers. */
  get webTarget(): WebTarget | undefined {
    const web = this.#web;
    return web.state === 'running' && this.#checkedStart === web.starts ? this.#target : undefined;
  }

  get started(): boolean {
    return this.#needed.every((c) => c.state !== 'stopped');
  }

  get ready(): boolean {
    return this.#healthy && this.webTarget !== undefined;
  }

  /** Web server first: on Airflow 3 the others talk to it. What is not needed to be ready starts afterwards. */
  start(): void {
    for (const component of this.#needed) component.start();
  }

  /**
   * Waits until the web server refuses strangers and every needed part is healthy.
   * @throws StepFailed
   */
  async waitUntilReady(report: (text: string) => void, signal: AbortSignal, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    let said = '';
    while (!this.ready) {
      signal.throwIfAborted();
      const waitingFor = await this.#look();
      if (waitingFor !== said) report(waitingFor);
      said = waitingFor;
      this.#giveUp(performance.now() > deadline ? said : undefined);
      if (!this.ready) await delay(200, undefined, { signal });
    }
  }

  /** Ends every component, then whatever is left of their sessions and of the environment's account. */
  async stop(patience: number): Promise<boolean> {
    this.#closed = true;
    const facts = this.#facts();
    await Promise.all([...this.#components.values()].map((c) => c.stop(patience)));
    const ours = belongsTo([...facts, ...readFacts(this.#o.places.facts)], this.#o.bootId);
    const uid = this.#o.account?.uid;
    return killAll((p) => ours(p) || (uid !== undefined && p.uid === uid));
  }

  /** KILLs every component now. */
  kill(): void {
    this.#closed = true;
    for (const component of this.#components.values()) component.kill();
  }

  /** Looks after a running environment: checks a new start of the web server, and ends one that hangs. */
  async tend(): Promise<void> {
    if (this.#closed || this.#checking || performance.now() < this.#nextLook) return;
    this.#checking = true;
    try {
      const [ready, trouble] = [this.ready, this.#toldTrouble];
      await this.#look();
      this.#toldTrouble = this.trouble;
      if (this.ready !== ready || this.#toldTrouble !== trouble) this.#o.changed();
      this.#nextLook = performance.now() + (this.ready ? lookAtWell : 0);
    } finally {
      this.#checking = false;
    }
  }

  /** What is wrong with its components, for people; undefined when all is well. */
  get trouble(): string | undefined {
    const found = [...this.#components.values()].flatMap((c) => c.trouble ?? []);
    return found.length === 0 ? undefined : `Airflow's ${found.join('; ')}`;
  }

  get #needed(): Component[] {
    return neededToBeReady(this.#o.version).flatMap((name) => this.#components.get(name) ?? []);
  }

  get #web(): Component {
    const web = this.#components.get('webserver');
    if (!web) throw new Error('an environment without a web server');
    return web;
  }

  get #target(): WebTarget {
    const uid = this.#o.account?.uid;
    return {
      host: '127.0.0.1',
      port: this.#o.webPort,
      startId: `${this.#o.id}-${this.#web.pid}-${this.#web.starts}`,
      ...(uid === undefined ? {} : { uid }),
    };
  }

  #component(name: ComponentName): Component {
    const o = this.#o;
    const pidFile = (): string => join(o.places.temporary, `${name}-${Date.now()}.pid`);
    return new Component({
      name,
      log: o.log,
      changed: () => this.#changed(),
      spec: () => ({
        name,
        program: o.python,
        args: argumentsOf(name, o.version, { webPort: o.webPort, pidFile: pidFile() }),
        env: o.variables(name),
        cwd: o.places.home,
        account: o.account,
        logFile: join(o.places.componentLogs, `${name}.log`),
      }),
    });
  }

  #changed(): void {
    if (this.#web.starts !== this.#checkedStart || this.#web.state !== 'running') this.#healthy = false;
    this.#nextLook = 0;
    if (!this.#closed) writeFacts(this.#o.places.facts, this.#facts());
    this.#o.changed();
  }

  #facts(): ProcessFact[] {
    return [...this.#components.values()].flatMap((c) => {
      const leader = c.leader;
      return leader
        ? [{ component: c.name, ...leader, bootId: this.#o.bootId, generation: this.#o.generation }]
        : [];
    });
  }

  /** One look at the web server and the health page; says what is still missing. */
  async #look(): Promise<string> {
    const web = this.#web;
    const start = web.starts;
    if (web.state !== 'running') return 'waiting for the web server to start';
    if (this.#checkedStart !== start) {
      const answer = await this.#o.startCheck(this.#target, this.#o.version.version);
      this.#openToStrangers = answer === 'open-to-strangers';
      if (answer !== 'ready') return 'waiting for the web server';
      if (web.starts === start) this.#checkedStart = start;
    }
    const unhealthy = await unhealthyParts(this.#target, this.#o.version);
    this.#healthy = unhealthy?.length === 0;
    this.#endWhenSilent(unhealthy === undefined);
    if (this.ready && !this.#closed) for (const component of this.#components.values()) component.start();
    if (unhealthy === undefined) return 'waiting for the web server';
    return unhealthy.length === 0 ? 'ready' : `waiting for ${unhealthy.join(', ').replaceAll('_', ' ')}`;
  }

  /** A web server that was up and answers no more is ended, and with that started again. */
  #endWhenSilent(silent: boolean): void {
    if (!silent || this.#closed) this.#silentSince = undefined;
    else this.#silentSince ??= performance.now();
    if (this.#silentSince === undefined || performance.now() - this.#silentSince < longestSilence) return;
    this.#silentSince = undefined;
    this.#o.log.warn('web server hangs', { environmentId: this.#o.id });
    this.#web.kill();
  }

  #giveUp(tooLateFor: string | undefined): void {
    if (this.#openToStrangers) {
      throw new StepFailed('The web server answers without an assertion; it is not let online', {
        retry: false,
        logTail: this.#web.logTail(),
      });
    }
    for (const name of neededToBeReady(this.#o.version)) {
      const component = this.#components.get(name);
      if (!component || component.deaths < mostDeaths) continue;
      const logTail = component.logTail();
      throw new StepFailed(
        `Airflow's ${name} does not start (${component.lastError}). Its log ends:\n${logTail}`,
        { retry: false, logTail },
      );
    }
    if (tooLateFor !== undefined) {
      const logTail = this.#web.logTail();
      throw new StepFailed(
        `Airflow was not ready in time (${tooLateFor}). The web server's log ends:\n${logTail}`,
        { retry: false, logTail },
      );
    }
  }
}
