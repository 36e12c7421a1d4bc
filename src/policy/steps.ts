/** An evaluation would take more work than one request may cause. */
export class TooComplex extends Error {}

/**
 * Counts the work of one evaluation: a step is about one character that is looked at. Matching takes a time that grows
 * with the lengths of pattern and text, and policies and requests bring many of both, so that their product needs a
 * bound of its own.
 */
export class Steps {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  get taken(): number {
    return this.#most - this.#left;
  }

  /** Throws TooComplex when there are none left. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new TooComplex('the policies are too complex to be evaluated');
  }
}

/** For texts and patterns whose lengths are bounded where they come in. */
export const unlimited = new Steps(Number.POSITIVE_INFINITY);
