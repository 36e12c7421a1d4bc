import type { Stop } from './stop.ts';

/** What a run of a key asks for next: nothing, or to be run again after so many milliseconds. */
export type Again = number | undefined;

interface Entry {
  running: boolean;
  wanted: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Runs work by key: one run of a key at a time, at most `parallel` at once; a key that is asked for while it
 * runs is run once more.
 */
export class KeyedQueue {
  readonly #work: (key: string) => Promise<Again>;
  readonly #parallel: number;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: string[] = [];
  #active = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: { work: (key: string) => Promise<Again>; parallel: number }) {
    this.#work = options.work;
    this.#parallel = options.parallel;
  }

  /** Asks for a run of the key as soon as there is room. */
  add(key: string): void {
    if (this.#closed) return;
    const entry = this.#entries.get(key) ?? { running: false, wanted: false, timer: undefined };
    this.#entries.set(key, entry);
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (entry.wanted) return;
    entry.wanted = true;
    if (!entry.running) this.#waiting.push(key);
    this.#pump();
  }

  /** Stops taking keys and resolves when no work runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (this.#active < this.#parallel) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.running = true;
    entry.wanted = false;
    this.#active += 1;
    const again = await this.#work(key).catch(() => 5_000);
    this.#active -= 1;
    entry.running = false;
    this.#after(key, entry, again);
    if (this.#active === 0 && this.#closed) for (const done of this.#idle.splice(0)) done();
    this.#pump();
  }

  #after(key: string, entry: Entry, again: Again): void {
    if (this.#closed) return;
    if (entry.wanted) this.#waiting.push(key);
    else if (again === undefined) this.#entries.delete(key);
    else entry.timer = setTimeout(() => this.add(key), again);
  }
}

/** Calls `work` every so many milliseconds, never twice at once; errors go to `onError`. */
export const every = (
  milliseconds: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Stop => {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void work()
      .catch(onError)
      .finally(() => {
        busy = false;
      });
  }, milliseconds);
  return () => clearInterval(timer);
};
