import type { Leaving } from '../environments/ports.ts';

/** What was started, ended in the opposite order. */
export class Started {
  readonly #ends: {
    readonly what: string;
    readonly end: (leaving: Leaving) => Promise<void> | void;
  }[] = [];

  /** PostgreSQL ran already: what an earlier server left running is not for a failed start to end. */
  foundRunning = false;

  /** `end` is told whether Airflow and what it needs are to be ended as well, or kept for the next server. */
  add(what: string, end: (leaving: Leaving) => Promise<void> | void): void {
    this.#ends.push({ what, end });
  }

  /** Ends everything; what cannot be ended is told and does not keep the rest from being ended. */
  async end(leaving: Leaving, failed: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, end } of this.#ends.splice(0).reverse()) {
      try {
        await end(leaving);
      } catch (error) {
        failed(what, error);
      }
    }
  }
}
