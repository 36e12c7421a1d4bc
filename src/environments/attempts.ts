import type { Clock } from '../lib/clock.ts';
import type { Waiting } from './ports.ts';
import type { EnvironmentId, EnvironmentRecord, Tries } from './record.ts';

/** A step that is under way, from its first look on. */
export interface Underway {
  readonly step: string;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly said: string;
}

interface Attempt {
  readonly status: EnvironmentRecord['status'];
  readonly generation: number;
  /** Monotonic milliseconds of the last reading. */
  readonly readAt: number;
  /** Milliseconds since the record was last written. */
  readonly spent: number;
  readonly drained: number;
  readonly drains: boolean;
  readonly underway: Underway | undefined;
}

/**
 * What this server remembers of the environments it works on between two looks: the time since the first look, which
 * is added to the record now and then, and the step that is under way.
 */
export class Attempts {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #attempts = new Map<EnvironmentId, Attempt>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Takes the time; what is remembered of another status, or from before another request, is forgotten. */
  look(e: EnvironmentRecord): void {
    const now = this.#clock.monotonic();
    const before = this.#attempts.get(e.id);
    if (before?.status !== e.status || before.generation !== e.generation) {
      const { status, generation } = e;
      const fresh = { spent: 0, drained: 0, drains: false, underway: undefined };
      this.#attempts.set(e.id, { status, generation, readAt: now, ...fresh });
      return;
    }
    const kind = before.drains ? 'drained' : 'spent';
    this.#attempts.set(e.id, { ...before, readAt: now, [kind]: before[kind] + now - before.readAt });
  }

  /** What the record says, and what came since; after `look`. */
  triesOf({ id, tries }: EnvironmentRecord): Tries {
    const since = this.#attempts.get(id);
    if (!since) return tries;
    return { ...tries, spent: tries.spent + since.spent, drained: tries.drained + since.drained };
  }

  /** Milliseconds that no record has yet. */
  unwritten({ id }: EnvironmentRecord): number {
    const since = this.#attempts.get(id);
    return since === undefined ? 0 : since.spent + since.drained;
  }

  /** The record has it all now. */
  written({ id }: EnvironmentRecord): void {
    this.#change(id, { spent: 0, drained: 0 });
  }

  underway({ id }: EnvironmentRecord): Underway | undefined {
    return this.#attempts.get(id)?.underway;
  }

  /** The step waits, since `since`. */
  waits({ id }: EnvironmentRecord, step: string, since: number, waiting: Waiting): void {
    this.#change(id, {
      underway: { step, since, said: waiting.text },
      drains: waiting.drains ?? false,
    });
  }

  /** No step is under way any more. */
  ends({ id }: EnvironmentRecord): void {
    this.#change(id, { underway: undefined, drains: false });
  }

  forget(id: EnvironmentId): void {
    this.#attempts.delete(id);
  }

  #change(id: EnvironmentId, change: Partial<Attempt>): void {
    const before = this.#attempts.get(id);
    if (before) this.#attempts.set(id, { ...before, ...change });
  }
}
