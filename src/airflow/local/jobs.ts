import type { Waiting } from '../../environments/ports.ts';
import type { EnvironmentId } from '../../environments/record.ts';

interface Job {
  readonly waiting: Set<EnvironmentId>;
  readonly ended: Promise<void>;
  readonly stop: AbortController;
  said: string;
}

/** Milliseconds until an environment looks again by itself; it is told as soon as there is something new. */
const lookAgain = 5_000;

/** The key of work that is of use to one environment only, whatever it is asked for. */
export const ownKey = (id: EnvironmentId, what: string): string => `${id}: ${what}`;

const isOwn = (key: string, id: EnvironmentId): boolean => key.startsWith(`${id}: `);

/** Work of a job: says what it does, and ends when the signal fires. */
export type JobWork = (report: (text: string) => void, signal: AbortSignal) => Promise<unknown>;

/**
 * Work for the whole machine that environments wait for, such as an installation: one job a key at a time, whoever
 * asks for it, and it goes on when one of those who asked is deleted.
 */
export class Jobs {
  readonly #hint: (id: EnvironmentId) => void;
  readonly #running = new Map<string, Job>();
  readonly #outcomes = new Map<EnvironmentId, { readonly key: string; readonly error: unknown }>();
  readonly #closing = new AbortController();

  constructor(hint: (id: EnvironmentId) => void) {
    this.#hint = hint;
  }

  /**
   * Starts the job unless it runs, and says what it does now; undefined once one that this environment waited for has
   * ended well. @throws what that one threw
   */
  ask(key: string, id: EnvironmentId, work: JobWork): Waiting | undefined {
    const outcome = this.#outcomes.get(id);
    this.#outcomes.delete(id);
    if (outcome?.key === key) {
      if (outcome.error !== undefined) throw outcome.error;
      return undefined;
    }
    const job = this.#running.get(key) ?? this.#start(key, work);
    job.waiting.add(id);
    return { again: lookAgain, text: job.said };
  }

  /** Forgets what an environment waited for; one that nobody else waits for, and that is its own, ends before this resolves. */
  async forget(id: EnvironmentId): Promise<void> {
    this.#outcomes.delete(id);
    const ending: Promise<void>[] = [];
    for (const [key, job] of this.#running) {
      job.waiting.delete(id);
      if (job.waiting.size > 0 || !isOwn(key, id)) continue;
      job.stop.abort();
      ending.push(job.ended);
    }
    await Promise.all(ending);
  }

  /** Ends every job and waits for that. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#running.values()].map((job) => job.ended));
  }

  #start(key: string, work: JobWork): Job {
    const waiting = new Set<EnvironmentId>();
    const stop = new AbortController();
    const report = (text: string): void => {
      job.said = text;
      for (const id of waiting) this.#hint(id);
    };
    const end = (error?: unknown): void => {
      this.#running.delete(key);
      for (const id of waiting) {
        this.#outcomes.set(id, { key, error });
        this.#hint(id);
      }
    };
    // What a job throws is an Error; undefined says that it ended well.
    const ended = Promise.resolve()
      .then(() => work(report, AbortSignal.any([this.#closing.signal, stop.signal])))
      .then(
        () => end(),
        (error: unknown) => end(error ?? new Error(`${key} failed`)),
      );
    const job: Job = { waiting, ended, stop, said: '' };
    this.#running.set(key, job);
    return job;
  }
}
