import { setTimeout as delay } from 'node:timers/promises';

export interface SlotLimits {
  /** Commands of one environment at once. */
  readonly parallel: number;
  /** Commands of one environment that may wait. */
  readonly waiting: number;
  /** Milliseconds a command waits at most. */
  readonly patience: number;
}

interface Line {
  running: number;
  readonly waiters: (() => void)[];
}

/** A bounded number of commands at once for each environment, and a bounded line before them. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #lines = new Map<string, Line>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Runs work when a slot of the key is free; 'busy' when the line is full or patience ends. Throws on abort. */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | 'busy'> {
    signal.throwIfAborted();
    if (!(await this.#enter(key, signal))) {
      signal.throwIfAborted();
      return 'busy';
    }
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#leave(key);
    }
  }

  async #enter(key: string, signal: AbortSignal): Promise<boolean> {
    const line = this.#lines.get(key) ?? { running: 0, waiters: [] };
    this.#lines.set(key, line);
    if (line.running < this.#limits.parallel) {
      line.running += 1;
      return true;
    }
    if (line.waiters.length >= this.#limits.waiting) return false;
    return this.#wait(line, signal);
  }

  /** A slot is handed from the one that leaves to the first that waits, so that nobody overtakes. */
  async #wait(line: Line, signal: AbortSignal): Promise<boolean> {
    let given = false;
    const ended = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const turn = () => {
      given = true;
      resolve();
    };
    line.waiters.push(turn);
    const limit = AbortSignal.any([signal, ended.signal]);
    await Promise.race([
      promise,
      delay(this.#limits.patience, undefined, { signal: limit }).catch(() => undefined),
    ]);
    ended.abort();
    if (!given) line.waiters.splice(line.waiters.indexOf(turn), 1);
    return given;
  }

  #leave(key: string): void {
    const line = this.#lines.get(key);
    if (!line) return;
    const next = line.waiters.shift();
    if (next) next();
    else line.running -= 1;
    if (line.running === 0) this.#lines.delete(key);
  }
}
