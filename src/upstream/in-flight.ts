/** How many may be at once, how many more may wait for their turn, and for how many milliseconds. */
export interface InFlightBounds {
  readonly atOnce: number;
  readonly waiting: number;
  readonly waitMs: number;
}

/** Called when one has ended; calling it again does nothing. */
export type Leave = () => void;

type Waiter = (turn: Leave | undefined) => void;

interface Line {
  open: number;
  readonly waiters: Set<Waiter>;
}

/** Bounds how many things of each key go on at once; the next ones wait in order, up to a bound. */
export class InFlight {
  readonly #bounds: InFlightBounds;
  readonly #lines = new Map<string, Line>();

  constructor(bounds: InFlightBounds) {
    this.#bounds = bounds;
  }

  /**
   * Resolves when it is one's turn; to undefined when too many wait, it takes too long, or one gives up:
   * `whenWaiting` gets the function for that.
   */
  enter(key: string, whenWaiting: (giveUp: () => void) => void): Leave | Promise<Leave | undefined> {
    const line = this.#lines.get(key) ?? { open: 0, waiters: new Set() };
    this.#lines.set(key, line);
    if (line.open < this.#bounds.atOnce) {
      line.open += 1;
      return this.#leave(key, line);
    }
    return this.#wait(line, whenWaiting);
  }

  #wait({ waiters }: Line, whenWaiting: (giveUp: () => void) => void): Promise<Leave | undefined> {
    if (waiters.size >= this.#bounds.waiting) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Leave | undefined>();
    const giveUp = () => waiter(undefined);
    const timer = setTimeout(giveUp, this.#bounds.waitMs);
    const waiter: Waiter = (turn) => {
      waiters.delete(waiter);
      clearTimeout(timer);
      resolve(turn);
    };
    waiters.add(waiter);
    whenWaiting(giveUp);
    return promise;
  }

  #leave(key: string, line: Line): Leave {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const [next] = line.waiters;
      if (next) return next(this.#leave(key, line));
      line.open -= 1;
      if (line.open === 0) this.#lines.delete(key);
    };
  }
}
