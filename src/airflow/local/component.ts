import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import { endTree, killSession, processFacts } from '../../lib/process-tree.ts';
import { backOff } from '../../lib/retry.ts';

/** How one component of an environment is started. */
export interface ComponentSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly account: Account | undefined;
  readonly logFile: string;
}

export type ComponentState = 'stopped' | 'running' | 'waiting';

/** A component that ran this long is no longer counted as dying at its start. */
const steadyAfter = 60_000;

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
  readonly #spec: () => ComponentSpec;
  readonly #log: Log;
  readonly #changed: (component: Component) => void;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #logStart = 0;
  #logFile = '';
  #wanted = false;
  #ending: Promise<unknown> = Promise.resolve();
  /** Deaths since it last ran steadily. */
  deaths = 0;
  starts = 0;
  lastError: string | undefined;

  constructor(o: {
    name: string;
    spec: () => ComponentSpec;
    log: Log;
    changed: (component: Component) => void;
  }) {
    this.name = o.name;
    this.#spec = o.spec;
    this.#log = o.log;
    this.#changed = o.changed;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get state(): ComponentState {
    if (this.#child) return 'running';
    return this.#wanted ? 'waiting' : 'stopped';
  }

  /** What is wrong with it, for people; undefined when it has run steadily for a while or never ended by itself. */
  get trouble(): string | undefined {
    if (this.deaths === 0 || !this.#wanted) return undefined;
    if (this.#child && performance.now() - this.#startedAt > steadyAfter) return undefined;
    const doing = this.#child ? 'restarted' : 'waiting to be restarted';
    const times = this.deaths === 1 ? '' : ` (${this.deaths} times in a row)`;
    return `${this.name} ${this.lastError}, ${doing}${times}`;
  }

  start(): void {
    this.#wanted = true;
    if (this.#child || this.#timer) return;
    this.#spawn();
  }

  /** TERM to the leader, then KILL to what is left of its session; no restart any more. */
  async stop(patience: number): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pid = this.#child?.pid;
    if (pid !== undefined) await endTree([pid], (p) => p.sessionId === pid, patience);
    await this.#ending;
  }

  /** Ends a component that hangs; it is started again. */
  kill(): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) void killSession(pid);
  }

  /** The last useful lines this start printed. */
  logTail(lines = 15): string {
    try {
      return this.#logFile ? tailOf(this.#logFile, this.#logStart, lines) : '';
    } catch {
      return '';
    }
  }

  #spawn(): void {
    const spec = this.#spec();
    this.starts += 1;
    this.#startedAt = performance.now();
    const out = openSync(spec.logFile, 'a', 0o640);
    this.#logFile = spec.logFile;
    this.#logStart = statSync(spec.logFile).size;
    try {
      const child = spawn(spec.program, [...spec.args], {
        cwd: spec.cwd,
        env: { ...spec.env },
        detached: true,
        stdio: ['ignore', out, out],
        ...(spec.account ? { uid: spec.account.uid, gid: spec.account.gid } : {}),
      });
      this.#child = child;
      child.once('error', (error) => this.#ended(child, error.message));
      child.once('exit', (code, signal) =>
        this.#ended(child, signal ? `ended by ${signal}` : `ended with exit code ${code}`),
      );
    } finally {
      closeSync(out);
    }
    this.#changed(this);
  }

  #ended(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const pid = child.pid;
    this.#ending = pid === undefined ? Promise.resolve() : killSession(pid);
    if (!this.#wanted) return;
    this.deaths = performance.now() - this.#startedAt > steadyAfter ? 1 : this.deaths + 1;
    this.lastError = reason;
    this.#log.warn('component ended', { component: this.name, reason, deaths: this.deaths });
    const wait = backOff(this.deaths, { first: 500, most: 60_000 });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#wanted) void this.#ending.then(() => this.#wanted && !this.#child && this.#spawn());
    }, wait);
    this.#changed(this);
  }

  /** For the facts file. */
  get leader(): { pid: number; startTime: number } | undefined {
    const pid = this.#child?.pid;
    const startTime = pid === undefined ? undefined : processFacts(pid)?.startTime;
    return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
  }
}
