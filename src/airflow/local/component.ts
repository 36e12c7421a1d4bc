import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { ComponentStatus } from '../../environments/ports.ts';
import { endSession, killSession } from '../../lib/end-processes.ts';
import { textOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isAlive, type ProcessId } from '../../lib/processes.ts';
import { backOff } from '../../lib/retry.ts';
import { adoptLeader, type ComponentSpec, type Leader, startLeader } from './leader.ts';

export interface ComponentOptions {
  readonly name: string;
  readonly environmentId: string;
  readonly spec: () => ComponentSpec;
  readonly log: Log;
  /** Writes down the processes that run, this one among them. A throw keeps it from being started. */
  readonly record: (starting: Component, leader: Leader) => void;
  readonly changed: (component: Component) => void;
  /** Ends what a leader left behind; false when something survives. */
  readonly endRest: (leader: ProcessId) => Promise<boolean>;
  /** False while another server may be acting on this environment: then nothing is started. */
  readonly mayStart: () => boolean;
}

/** A component that ran this long is no longer counted as dying at its start. */
const steadyAfter = 60_000;
/** Milliseconds until what was not possible is tried again. */
const askAgain = 1_000;

/** The end of a component's log, from this start on, without blank lines. */
const tailOf = (file: string, from: number, lines: number): string => {
  const fd = openSync(file, 'r');
  try {
    const size = statSync(file).size;
    const start = Math.max(Math.min(from, size), size - 16_384);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    readSync(fd, buffer, 0, buffer.length, start);
    return buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines)
      .join('\n');
  } finally {
    closeSync(fd);
  }
};

/**
 * One process of Airflow, kept running: restarted with a growing pause when it ends, with every process of its
 * session ended first. It writes its log straight to a file, so that it does not depend on this server.
 */
export class Component {
  readonly name: string;
  readonly #o: ComponentOptions;
  #leader: Leader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #logStart = 0;
  #wanted = false;
  #since = Date.now();
  #ending: Promise<boolean> = Promise.resolve(true);
  #last: ProcessId | undefined;
  #killedFor: string | undefined;
  #endFault: string | undefined;
  /** It was told to end and takes its time. */
  draining = false;
  /** Deaths since it last ran steadily. */
  deaths = 0;
  starts = 0;
  lastError: string | undefined;

  constructor(options: ComponentOptions) {
    this.name = options.name;
    this.#o = options;
  }

  /** The process that runs now. */
  get leader(): Leader | undefined {
    return this.#leader;
  }

  get state(): ComponentStatus['state'] {
    if (this.#leader) return 'running';
    return this.#wanted ? 'waiting' : 'stopped';
  }

  /** How long this start has run, in milliseconds. */
  get runsFor(): number {
    return this.#leader ? performance.now() - this.#startedAt : 0;
  }

  get status(): ComponentStatus {
    return {
      name: this.name,
      state: this.state,
      pid: this.#leader?.pid,
      since: this.#since,
      restarts: Math.max(0, this.starts - 1),
      adopted: this.#leader?.adopted ?? false,
      lastError: this.lastError,
    };
  }

  /** What is wrong with it, for people; undefined when it has run steadily for a while or never ended by itself. */
  get trouble(): string | undefined {
    if (this.deaths === 0 || !this.#wanted) return undefined;
    if (this.#leader && this.runsFor > steadyAfter) return undefined;
    const doing = this.#leader ? 'restarted' : 'waiting to be restarted';
    const times = this.deaths === 1 ? '' : ` (${this.deaths} times in a row)`;
    return `${this.name} ${this.lastError}, ${doing}${times}`;
  }

  start(): void {
    this.#wanted = true;
    if (this.#leader || this.#timer) return;
    this.#spawn();
  }

  /** Goes on with a process that an earlier server started; false when it has ended. */
  adopt(
    id: ProcessId,
    before: { readonly since: number; readonly restarts: number; readonly draining?: boolean },
  ): boolean {
    const leader = adoptLeader(id, (reason) => this.#ended(id, reason));
    if (!leader) return false;
    this.#wanted = true;
    this.#leader = leader;
    // it is known to have come through its start
    this.#startedAt = performance.now() - steadyAfter;
    this.starts = before.restarts + 1;
    this.#since = before.since;
    this.draining = before.draining ?? false;
    this.#o.log.info('component adopted', { ...this.#about, pid: id.pid });
    return true;
  }

  /**
   * Tells it to end, once: Airflow's scheduler lets the running tasks end first, and stops waiting for them when it is
   * told again. It is not started again. True when it was told now.
   */
  drain(): boolean {
    this.#want(false);
    const leader = this.#leader;
    if (!leader || this.draining || !isAlive(leader)) return false;
    this.draining = true;
    process.kill(leader.pid, 'SIGTERM');
    return true;
  }

  /** TERM to the leader, then KILL to what is left of its session; no restart any more. */
  async stop(patience: number): Promise<void> {
    this.#want(false);
    const leader = this.#leader;
    if (leader) await endSession(leader, leader.ended, patience);
    await this.#ending;
  }

  /** Leaves it running, without looking after it any more. */
  letGo(): void {
    this.#want(false);
    this.#leader?.letGo();
  }

  /** Ends it at once, with its whole session; it is started again unless it was stopped. */
  kill(why?: string): void {
    const leader = this.#leader;
    this.#killedFor = why;
    if (leader) killSession(leader).catch(() => {});
  }

  /** The last useful lines this start printed. */
  logTail(lines = 15): string {
    try {
      return this.#logStart < 0 ? '' : tailOf(this.#o.spec().logFile, this.#logStart, lines);
    } catch {
      return '';
    }
  }

  get #about() {
    return { environmentId: this.#o.environmentId, component: this.name };
  }

  #want(wanted: boolean): void {
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #spawn(): void {
    if (!this.#o.mayStart()) {
      this.#later(askAgain);
      return;
    }
    this.starts += 1;
    this.#startedAt = performance.now();
    try {
      const spec = this.#o.spec();
      this.#logStart = statSync(spec.logFile, { throwIfNoEntry: false })?.size ?? 0;
      const id = { pid: 0, startTime: 0 };
      this.#leader = startLeader(
        spec,
        (leader) => {
          Object.assign(id, leader);
          this.#o.record(this, leader);
        },
        (reason) => this.#ended(id, reason),
      );
      this.#since = Date.now();
      this.#o.log.info('component started', { ...this.#about, pid: id.pid });
    } catch (error) {
      this.#failed(`cannot be started (${textOf(error)})`);
      return;
    }
    this.#o.changed(this);
  }

  #ended(id: ProcessId, reason: string): void {
    if (this.#leader?.pid !== id.pid) return;
    this.#leader = undefined;
    this.draining = false;
    this.#last = { pid: id.pid, startTime: id.startTime };
    this.#ending = this.#endRest();
    if (this.#wanted) this.#failed(this.#killedFor ?? reason);
    this.#killedFor = undefined;
  }

  #failed(reason: string): void {
    this.deaths = performance.now() - this.#startedAt >= steadyAfter ? 1 : this.deaths + 1;
    this.lastError = reason;
    this.#since = Date.now();
    this.#o.log.warn('component ended', { ...this.#about, reason, deaths: this.deaths });
    this.#later(backOff(this.deaths, { first: 500, most: 60_000 }));
    this.#o.changed(this);
  }

  #later(wait: number): void {
    this.#timer = setTimeout(() => void this.#again(), wait);
  }

  /** Starts it again once nothing of the one before is left: there are never two. */
  async #again(): Promise<void> {
    const gone = await this.#ending;
    if (!this.#wanted || this.#leader) return;
    this.#timer = undefined;
    if (gone) return this.#spawn();
    this.lastError = `ended, and what it left behind cannot be ended (${this.#endFault ?? 'it survives KILL'})`;
    this.#ending = this.#endRest();
    this.#later(askAgain);
  }

  async #endRest(): Promise<boolean> {
    this.#endFault = undefined;
    try {
      return this.#last === undefined || (await this.#o.endRest(this.#last));
    } catch (error) {
      this.#endFault = textOf(error);
      return false;
    }
  }
}
