import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StepFailed } from '../../environments/errors.ts';
import type { ComponentStatus, WebTarget } from '../../environments/ports.ts';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import { killAll, type ProcessId, sessionOf } from '../../lib/process-tree.ts';
import type { AirflowVersion } from '../versions.ts';
import { argumentsOf, type ComponentName, componentsOf, neededToBeReady } from './commands.ts';
import { Component } from './component.ts';
import { type ProcessFact, readFacts, writeFacts } from './facts.ts';
import { healthOf, type Part, Unwell } from './health.ts';
import type { Leader } from './leader.ts';
import type { Places } from './places.ts';
import { isPortTaken } from './port.ts';
import { endStrays, type Owner, processesOf } from './strays.ts';

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
  /** False while another server may be acting on this environment. */
  readonly mayStart: () => boolean;
}

/** Deaths of one component at its start after which a creation is given up. */
const mostDeaths = 3;
/** Milliseconds between looks at an environment that is well. */
const lookAtWell = 10_000;
/** Milliseconds of silence after which a web server gets no more requests, and after which it counts as hanging. */
const silence = { noRequests: 30_000, hangs: 60_000, neverUp: 5 * 60_000 };
/** Milliseconds after which a component that Airflow itself calls unhealthy (no heartbeat for 30 s) counts as hanging. */
const hangsAfter = 120_000;

/** The running components of one environment. */
export class LocalEnvironment {
  readonly #o: LocalEnvironmentOptions;
  readonly #components: ReadonlyMap<ComponentName, Component>;
  readonly #unwell = new Unwell();
  #checkedStart = 0;
  #checking = false;
  #closed = false;
  #healthy = false;
  #openToStrangers = false;
  #nextLook = 0;
  #toldTrouble: string | undefined;
  /** Another program has its web server's port: it must be configured anew. */
  lostItsPort = false;

  constructor(options: LocalEnvironmentOptions) {
    this.#o = options;
    this.#components = new Map(componentsOf(options.version).map((name) => [name, this.#component(name)]));
  }

  /** The web server, once this start of it was seen to refuse strangers, and while it answers. */
  get webTarget(): WebTarget | undefined {
    const web = this.#web;
    const answers = this.#unwell.for('webserver') < silence.noRequests;
    return answers && web.state === 'running' && this.#checkedStart === web.starts ? this.#target : undefined;
  }

  get started(): boolean {
    return this.#needed.every((c) => c.state !== 'stopped');
  }

  get ready(): boolean {
    return this.#healthy && this.webTarget !== undefined;
  }

  get components(): readonly ComponentStatus[] {
    return this.#all.map((c) => c.status);
  }

  /**
   * Goes on with the processes an earlier server started, and ends everything else of this environment: what was
   * not written down, what ended half, the commands nobody waits for any more.
   * @throws StepFailed when something cannot be ended
   */
  async adopt(living: readonly ProcessFact[]): Promise<void> {
    for (const fact of living) {
      const component = this.#components.get(fact.component as ComponentName);
      if (component && component.state === 'stopped') component.adopt(fact, fact);
    }
    if (!(await endStrays(this.#owner(), this.#leaders)))
      throw new StepFailed('Processes of an earlier start cannot be ended', { retry: true });
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
    const owner = this.#owner();
    await Promise.all(this.#all.map((c) => c.stop(patience)));
    return killAll(processesOf(owner));
  }

  /** Leaves every component running for the server that comes next. */
  letGo(): void {
    this.#closed = true;
    for (const component of this.#all) component.letGo();
  }

  /** KILLs every component now. */
  kill(): void {
    this.#closed = true;
    for (const component of this.#all) component.kill();
  }

  /** Looks after a running environment: checks a new start of the web server, and ends what hangs. */
  async tend(): Promise<void> {
    if (this.#closed || this.#checking || performance.now() < this.#nextLook) return;
    this.#checking = true;
    try {
      const [ready, trouble] = [this.ready, this.#toldTrouble];
      await this.#look();
      await this.#checkPort();
      this.#toldTrouble = this.trouble;
      if (this.ready !== ready || this.#toldTrouble !== trouble || this.lostItsPort) this.#o.changed();
      this.#nextLook = performance.now() + (this.ready ? lookAtWell : 0);
    } finally {
      this.#checking = false;
    }
  }

  /** What is wrong with its components, for people; undefined when all is well. */
  get trouble(): string | undefined {
    const found = this.#all.flatMap((c) => c.trouble ?? []);
    return found.length === 0 ? undefined : `Airflow's ${found.join('; ')}`;
  }

  get #all(): readonly Component[] {
    return [...this.#components.values()];
  }

  get #needed(): readonly Component[] {
    return neededToBeReady(this.#o.version).flatMap((name) => this.#components.get(name) ?? []);
  }

  get #leaders(): readonly number[] {
    return this.#all.flatMap((c) => c.leader?.pid ?? []);
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
      startId: `${this.#o.id}-${this.#web.leader?.pid}-${this.#web.starts}`,
      ...(uid === undefined ? {} : { uid }),
    };
  }

  #owner(): Owner {
    const { id, account, places, bootId } = this.#o;
    return { environmentId: id, uid: account?.uid, facts: readFacts(places.facts), bootId };
  }

  #component(name: ComponentName): Component {
    const o = this.#o;
    const pidFile = (): string => join(o.places.temporary, `${name}-${Date.now()}.pid`);
    return new Component({
      name,
      environmentId: o.id,
      log: o.log,
      mayStart: o.mayStart,
      record: (starting, leader) => this.#record(starting, leader),
      changed: () => this.#changed(name),
      endRest: (leader) => this.#endRest(name, leader),
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

  /** A task's shell makes a session of its own, so with a scheduler go all processes that no component is over. */
  async #endRest(name: ComponentName, leader: ProcessId): Promise<boolean> {
    const gone = await killAll(sessionOf(leader));
    return name === 'scheduler' ? (await endStrays(this.#owner(), this.#leaders)) && gone : gone;
  }

  #record(starting: Component, leader: Leader): void {
    const { places, bootId, generation, webPort } = this.#o;
    const processes = this.#all.flatMap((c) => {
      const process = c === starting ? leader : c.leader;
      const { restarts } = c.status;
      const since = c === starting ? Date.now() : c.status.since;
      return process
        ? [{ component: c.name, pid: process.pid, startTime: process.startTime, since, restarts }]
        : [];
    });
    writeFacts(places.facts, { bootId, generation, webPort, processes });
  }

  #changed(name: ComponentName): void {
    this.#unwell.forget(name);
    if (this.#web.starts !== this.#checkedStart || this.#web.state !== 'running') this.#healthy = false;
    this.#nextLook = 0;
    this.#o.changed();
  }

  /** One look at the web server and the health page; says what is still missing. */
  async #look(): Promise<string> {
    const web = this.#web;
    const start = web.starts;
    if (web.state !== 'running') {
      this.#unwell.forget('webserver');
      return 'waiting for the web server to start';
    }
    if (this.#checkedStart !== start) {
      const answer = await this.#o.startCheck(this.#target, this.#o.version.version);
      this.#openToStrangers = answer === 'open-to-strangers';
      if (answer !== 'ready') return this.#silent();
      if (web.starts === start) this.#checkedStart = start;
    }
    const health = await healthOf(this.#target, this.#o.version);
    const missing = this.#missing(health);
    this.#healthy = missing.length === 0;
    if (health === undefined) return this.#silent();
    this.#unwell.forget('webserver');
    this.#endWhatHangs(health);
    if (this.ready && !this.#closed) for (const component of this.#all) component.start();
    return missing.length === 0 ? 'ready' : `waiting for ${missing.join(', ').replaceAll('-', ' ')}`;
  }

  #missing(health: ReadonlyMap<Part, boolean> | undefined): readonly Part[] {
    const needed: Part[] = ['metadatabase', ...neededToBeReady(this.#o.version)];
    return needed.filter((part) =>
      part === 'webserver' ? health === undefined : health?.get(part) !== true,
    );
  }

  /** A web server that answers no more is ended, and with that started again. */
  #silent(): string {
    const silentFor = this.#unwell.note('webserver', false);
    const wasUp = this.#checkedStart === this.#web.starts;
    const hangs = silentFor > (wasUp ? silence.hangs : silence.neverUp);
    if (hangs && !this.#closed) this.#end(this.#web, silentFor);
    return 'waiting for the web server';
  }

  #endWhatHangs(health: ReadonlyMap<Part, boolean>): void {
    for (const component of this.#all) {
      // without its database no component can say that it is well
      const isWell = !health.get('metadatabase') || health.get(component.name as Part) !== false;
      const unwellFor = this.#unwell.note(component.name, isWell);
      const hangs = unwellFor > hangsAfter && component.runsFor > hangsAfter;
      if (hangs && !this.#closed) this.#end(component, unwellFor);
    }
  }

  #end(component: Component, unwellFor: number): void {
    this.#unwell.forget(component.name);
    component.kill(`gave no sign of life for ${Math.round(unwellFor / 1000)} s and was ended`);
  }

  /** A web server that dies at its start because another program took its port in the meantime. */
  async #checkPort(): Promise<void> {
    const web = this.#web;
    if (web.state === 'waiting' && web.deaths > 1) this.lostItsPort = await isPortTaken(this.#o.webPort);
  }

  #giveUp(tooLateFor: string | undefined): void {
    if (this.#openToStrangers) {
      throw new StepFailed('The web server answers without an assertion; it is not let online', {
        retry: false,
        logTail: this.#web.logTail(),
      });
    }
    for (const component of this.#needed) {
      if (component.deaths < mostDeaths) continue;
      const logTail = component.logTail();
      throw new StepFailed(
        `Airflow's ${component.name} does not start (${component.lastError}). Its log ends:\n${logTail}`,
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
