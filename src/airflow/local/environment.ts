import { dirname } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import type { ComponentStatus, WebTarget } from '../../environments/ports.ts';
import type { ProcessId } from '../../lib/processes.ts';
import { type ComponentName, neededToBeReady } from './commands.ts';
import type { Component } from './component.ts';
import { Components, type ComponentsOptions } from './components.ts';
import type { ProcessFact } from './facts.ts';
import { type HealthPage, healthOf, type Part, type PartHealth, Unwell } from './health.ts';
import { isPortTaken } from './port.ts';
import { withoutDataFolder } from './shown-paths.ts';

/** What the web server of one start answers: ready only when it refused a request without an assertion. */
export type StartCheck = (
  target: WebTarget,
  airflowVersion: string,
) => Promise<'ready' | 'starting' | 'open-to-strangers'>;

export interface LocalEnvironmentOptions extends ComponentsOptions {
  readonly startCheck: StartCheck;
  readonly healthPage: HealthPage;
  readonly changed: () => void;
}

/** Milliseconds in which an environment must become ready. */
const readyTimeout = 5 * 60_000;
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
  readonly #components: Components;
  readonly #unwell = new Unwell();
  /** The start of a component that Airflow last called healthy. */
  readonly #wellStarts = new Map<string, number>();
  #checkedStart = 0;
  #checking = false;
  #closed = false;
  #draining = false;
  /** When it must be ready, while that is waited for. */
  #readyBy: number | undefined;
  #healthy = false;
  #openToStrangers = false;
  #nextLook = 0;
  /** The trouble there was when a change was last told. */
  #toldTrouble: string | undefined;
  /** Another program has its web server's port: it must be configured anew. */
  lostItsPort = false;

  constructor(options: LocalEnvironmentOptions) {
    this.#o = options;
    this.#components = new Components(options, (name) => this.#changed(name));
  }

  /** The web server, once this start of it was seen to refuse strangers, and while it answers. */
  get webTarget(): WebTarget | undefined {
    const web = this.#web;
    const answers = this.#unwell.for('webserver') < silence.noRequests;
    return answers && web.state === 'running' && this.#checkedStart === web.starts ? this.#target : undefined;
  }

  get started(): boolean {
    return this.#components.needed.every((c) => c.state !== 'stopped');
  }

  get ready(): boolean {
    return this.#healthy && this.webTarget !== undefined;
  }

  get components(): readonly ComponentStatus[] {
    return this.#all.map((c) => c.status);
  }

  /** @throws StepFailed as `Components.adopt` does */
  adopt(living: readonly ProcessFact[]): Promise<void> {
    return this.#components.adopt(living);
  }

  /** Web server first: on Airflow 3 the others talk to it. What is not needed to be ready starts afterwards. */
  start(): void {
    this.#draining = false;
    for (const component of this.#components.needed) component.start();
  }

  /**
   * One look at an environment that is to become ready, which is when the web server refuses strangers and every
   * needed part is healthy. Says what is still missing; undefined when it is ready.
   * @throws StepFailed, also when it has not become ready in time
   */
  async lookUntilReady(): Promise<string | undefined> {
    this.#readyBy ??= performance.now() + readyTimeout;
    const missing = this.ready ? undefined : await this.#look();
    if (this.ready) {
      this.#readyBy = undefined;
      return undefined;
    }
    this.#giveUp(performance.now() > this.#readyBy ? missing : undefined);
    return missing;
  }

  /** Of what its processes were started with. */
  get revision(): string {
    return this.#o.revision;
  }

  /** The web server's process, which may serve on while the rest is replaced. */
  get webLeader(): ProcessId | undefined {
    return this.#web.leader;
  }

  /** Writes down which of its processes run now. */
  writeDown(): void {
    this.#components.writeDown();
  }

  /** It was told to end, whether all of it has or not: it is not started again, only replaced. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Lets the running tasks end, and starts none; the web server is looked after meanwhile. Repeatable. */
  drain(): void {
    this.#draining = true;
    this.#components.drain();
    this.#web.start();
  }

  /** True once no task runs any more and none can be started. */
  get isDrained(): boolean {
    return this.#components.isDrained;
  }

  /** Ends all but the web server, which serves on until it is stopped. */
  retire(patience: number): Promise<void> {
    this.#closed = true;
    return this.#components.stopBehindWeb(patience);
  }

  /** Ends the web server of what was retired. */
  stopWeb(patience: number): Promise<void> {
    return this.#web.stop(patience);
  }

  /** Ends every component and what is left of the environment. */
  stop(patience: number): Promise<void> {
    this.#closed = true;
    return this.#components.stop(patience);
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
      const { ready } = this;
      await this.#look();
      await this.#checkPort();
      if (this.ready !== ready || this.trouble !== this.#toldTrouble || this.lostItsPort) this.#tell();
      this.#nextLook = performance.now() + (this.ready ? lookAtWell : 0);
    } finally {
      this.#checking = false;
    }
  }

  /** What is wrong with its components, for people; undefined when all is well. */
  get trouble(): string | undefined {
    const found = this.#all.flatMap((c) => (this.#isOver(c) ? [] : (c.trouble ?? [])));
    return found.length === 0 ? undefined : `Airflow's ${found.join('; ')}`;
  }

  get #all(): readonly Component[] {
    return this.#components.all;
  }

  get #web(): Component {
    return this.#components.web;
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

  #changed(name: ComponentName): void {
    this.#unwell.forget(name);
    if (this.#web.starts !== this.#checkedStart || this.#web.state !== 'running') this.#healthy = false;
    this.#nextLook = 0;
    this.#tell();
  }

  #tell(): void {
    this.#toldTrouble = this.trouble;
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
    const health = await healthOf(this.#target, this.#o.version, this.#o.healthPage);
    const missing = this.#missing(health);
    this.#healthy = missing.length === 0;
    if (health === undefined) return this.#silent();
    this.#unwell.forget('webserver');
    this.#noteWell(health);
    // A scheduler that lets its tasks end gives no sign of life, and is not to be started again.
    if (this.#draining) return 'waiting for running tasks to end';
    this.#endWhatHangs(health);
    if (this.ready && !this.#closed) for (const component of this.#all) component.start();
    return missing.length === 0 ? 'ready' : `waiting for ${missing.join(', ').replaceAll('-', ' ')}`;
  }

  #missing(health: ReadonlyMap<Part, PartHealth> | undefined): readonly Part[] {
    const needed: Part[] = ['metadatabase', ...neededToBeReady(this.#o.version)];
    return needed.filter((part) =>
      part === 'webserver' ? health === undefined : !this.#isWell(part, health?.get(part)),
    );
  }

  /** It ended once and is well again; one that ended several times in a row may do so once more. */
  #isOver(component: Component): boolean {
    const isWell = component.state === 'running' && this.#wellStarts.get(component.name) === component.starts;
    return isWell && component.deaths === 1;
  }

  #noteWell(health: ReadonlyMap<Part, PartHealth>): void {
    for (const component of this.#all) {
      const isWeb = component === this.#web;
      if (isWeb || this.#isWell(component.name as Part, health.get(component.name as Part)))
        this.#wellStarts.set(component.name, component.starts);
    }
  }

  /** The last sign of life of a component that was just started may be its predecessor's. */
  #isWell(part: Part, health: PartHealth | undefined): boolean {
    if (!health?.isHealthy) return false;
    const component = this.#all.find((c) => c.name === part);
    if (component === undefined) return true;
    const { state, since } = component.status;
    const isOfThisStart = health.heartbeat === undefined || health.heartbeat >= since || since > Date.now();
    return state === 'running' && isOfThisStart;
  }

  /** A web server that answers no more is ended, and with that started again. */
  #silent(): string {
    const silentFor = this.#unwell.note('webserver', false);
    const wasUp = this.#checkedStart === this.#web.starts;
    const hangs = silentFor > (wasUp ? silence.hangs : silence.neverUp);
    if (hangs && !this.#closed) this.#end(this.#web, silentFor);
    return 'waiting for the web server';
  }

  #endWhatHangs(health: ReadonlyMap<Part, PartHealth>): void {
    for (const component of this.#all) {
      // without its database no component can say that it is well
      const isWell =
        !health.get('metadatabase')?.isHealthy || health.get(component.name as Part)?.isHealthy !== false;
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

  #logTail(component: Component): string {
    return withoutDataFolder(component.logTail(), dirname(dirname(this.#o.places.root)));
  }

  #giveUp(tooLateFor: string | undefined): void {
    try {
      this.#checkHope(tooLateFor);
    } catch (error) {
      this.#readyBy = undefined;
      throw error;
    }
  }

  /** @throws StepFailed when it will not become ready, or has not in time */
  #checkHope(tooLateFor: string | undefined): void {
    if (this.#openToStrangers) {
      throw new StepFailed('The web server answers without an assertion; it is not let online', {
        retry: false,
        logTail: this.#logTail(this.#web),
      });
    }
    for (const component of this.#components.needed) {
      if (component.deaths < mostDeaths) continue;
      const logTail = this.#logTail(component);
      throw new StepFailed(
        `Airflow's ${component.name} does not start (${component.lastError}). Its log ends:\n${logTail}`,
        { retry: false, logTail },
      );
    }
    if (tooLateFor !== undefined) {
      const logTail = this.#logTail(this.#web);
      throw new StepFailed(
        `Airflow was not ready in time (${tooLateFor}). The web server's log ends:\n${logTail}`,
        { retry: false, logTail },
      );
    }
  }
}
