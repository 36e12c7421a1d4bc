import { join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import { killAll, killSession } from '../../lib/end-processes.ts';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import type { ProcessId } from '../../lib/processes.ts';
import type { AirflowVersion } from '../versions.ts';
import { argumentsOf, type ComponentName, componentsOf, neededToBeReady } from './commands.ts';
import { Component } from './component.ts';
import { type ProcessFact, readFacts, writeFacts } from './facts.ts';
import type { Leader } from './leader.ts';
import type { Places } from './places.ts';
import type { Seen } from './seen.ts';
import { endStrays, type Owner, processesOf } from './strays.ts';
import type { View } from './view.ts';

export interface ComponentsOptions {
  readonly id: string;
  /** Of what its processes are started with. */
  readonly revision: string;
  readonly version: AirflowVersion;
  readonly places: Places;
  /** Where the components find their folders. */
  readonly seen: Seen;
  readonly view: View | undefined;
  /** GiB that one process may take. */
  readonly memory: number;
  /** Processes and threads that its account may have. */
  readonly mostProcesses: number;
  readonly python: string;
  readonly account: Account | undefined;
  readonly webPort: number;
  readonly webWorkers: number;
  /** True when deferrable tasks are waited for. */
  readonly triggerer: boolean;
  /** The folder below the environment's logs that a component's log is in. */
  readonly logFolder: (component: string) => string;
  readonly variables: (component: string) => Record<string, string>;
  readonly bootId: string;
  readonly log: Log;
  /** False while another server may be acting on this environment. */
  readonly mayStart: () => boolean;
  /** Leaders that are not of these components and go on: the web server that serves until this one is ready. */
  readonly spared: () => readonly ProcessId[];
}

/**
 * A triggerer of Airflow 3 takes up to 15 s to see that it was told to end. Nothing is lost when it is not waited for:
 * triggers are in the database, and the next triggerer begins them anew.
 */
const triggererPatience = 3_000;

const patienceWith = ({ name }: Component, patience: number): number =>
  name === 'triggerer' ? Math.min(patience, triggererPatience) : patience;

/** All processes of one environment: started, written down, taken over, ended. */
export class Components {
  readonly all: readonly Component[];
  /** Without these an environment is not ready. */
  readonly needed: readonly Component[];
  readonly web: Component;
  readonly #o: ComponentsOptions;

  constructor(options: ComponentsOptions, changed: (name: ComponentName) => void) {
    this.#o = options;
    const byName = new Map(
      componentsOf(options.version, options.triggerer).map((name) => [
        name,
        this.#component(name, () => changed(name)),
      ]),
    );
    this.all = [...byName.values()];
    this.needed = neededToBeReady(options.version).flatMap((name) => byName.get(name) ?? []);
    const web = byName.get('webserver');
    if (!web) throw new Error('an environment without a web server');
    this.web = web;
  }

  /**
   * Goes on with the processes an earlier server started, and ends everything else of this environment: what was
   * not written down, what ended half, the commands nobody waits for any more.
   * @throws StepFailed when something cannot be ended
   */
  async adopt(living: readonly ProcessFact[]): Promise<void> {
    for (const fact of living) {
      const component = this.all.find((c) => c.name === fact.component);
      if (component?.state === 'stopped') component.adopt(fact, fact);
    }
    if (!(await endStrays(this.#owner(), this.#leaders)))
      throw new StepFailed('Processes of an earlier start cannot be ended', { retry: true });
  }

  /** Ends every component, then whatever is left of their sessions and of the environment's account. */
  async stop(patience: number): Promise<void> {
    const owner = this.#owner();
    await Promise.all(this.all.map((c) => c.stop(patienceWith(c, patience))));
    await killAll({ anyOf: processesOf(owner), outsideTreesOf: this.#sparedPids });
  }

  /** Ends every component but the web server. */
  async stopBehindWeb(patience: number): Promise<void> {
    await Promise.all(this.all.filter((c) => c !== this.web).map((c) => c.stop(patienceWith(c, patience))));
  }

  /** Lets the running tasks end; no new one begins. Repeatable. */
  drain(): void {
    if (this.#scheduler?.drain()) this.writeDown();
  }

  /** True once the scheduler has ended, and with it all tasks, and is not started again. */
  get isDrained(): boolean {
    return this.#scheduler === undefined || this.#scheduler.state === 'stopped';
  }

  get #scheduler(): Component | undefined {
    return this.all.find((c) => c.name === 'scheduler');
  }

  get #sparedPids(): readonly number[] {
    return this.#o.spared().map(({ pid }) => pid);
  }

  get #leaders(): readonly number[] {
    return [...this.all.flatMap((c) => c.leader?.pid ?? []), ...this.#sparedPids];
  }

  #owner(): Owner {
    const { account, places, bootId } = this.#o;
    return { root: places.root, uid: account?.uid, facts: readFacts(places.facts), bootId };
  }

  #component(name: ComponentName, changed: () => void): Component {
    const o = this.#o;
    const pidFile = (): string => join(o.places.temporary, `${name}-${Date.now()}.pid`);
    return new Component({
      name,
      environmentId: o.id,
      log: o.log,
      mayStart: o.mayStart,
      changed,
      record: (starting, leader) => this.#record(starting, leader),
      endRest: (leader) => this.#endRest(name, leader),
      spec: () => ({
        name,
        program: o.python,
        args: argumentsOf(name, o.version, {
          webPort: o.webPort,
          webWorkers: o.webWorkers,
          pidFile: pidFile(),
        }),
        env: o.variables(name),
        cwd: o.seen.home,
        account: o.account,
        view: o.view,
        memory: o.memory,
        mostProcesses: o.mostProcesses,
        logFile: join(o.places.componentLogs, o.logFolder(name), `${name}.log`),
      }),
    });
  }

  /** A task's shell makes a session of its own, so with a scheduler go all processes that no component is over. */
  async #endRest(name: ComponentName, leader: ProcessId): Promise<boolean> {
    const gone = await killSession(leader);
    return name === 'scheduler' ? (await endStrays(this.#owner(), this.#leaders)) && gone : gone;
  }

  #record(starting: Component, leader: Leader): void {
    this.writeDown({ component: starting, leader });
  }

  /** Writes down the processes that run, and the one that is starting. */
  writeDown(starting?: { readonly component: Component; readonly leader: Leader }): void {
    const { places, bootId, revision, view, webPort } = this.#o;
    const processes = this.all.flatMap((c) => {
      const isStarting = c === starting?.component;
      const process = isStarting ? starting.leader : c.leader;
      if (!process) return [];
      const { restarts, since } = c.status;
      const fact = { component: c.name, pid: process.pid, startTime: process.startTime, restarts };
      return [{ ...fact, since: isStarting ? Date.now() : since, ...(c.draining ? { draining: true } : {}) }];
    });
    // No component has that name, so a later server ends it.
    const spared = this.#o.spared().map(({ pid, startTime }) => {
      return { component: 'retired webserver', pid, startTime, restarts: 0, since: Date.now() };
    });
    const written = { bootId, revision, view: view?.kind ?? 'none', webPort } as const;
    writeFacts(places.facts, { ...written, processes: [...processes, ...spared] });
  }
}
