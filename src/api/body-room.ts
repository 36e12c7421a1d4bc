/** The body of one request, while the request is there. */
export interface HeldBody {
  /** More bytes came. False when there is no room for them: every other body is whole and being worked on. */
  add(bytes: number): boolean;
  /** All of it has come: it does not make room for others any more. */
  complete(): void;
  /** The request has ended. */
  release(): void;
}

interface Held {
  size: number;
  /** Counted bytes: those beyond what every body may have. */
  counted: number;
  readonly giveUp: () => void;
}

/**
 * Bounds the bytes of request bodies that are in memory at once: they are held before it is known who sends them,
 * because the signature covers them. When there are too many, bodies that have not come whole make room, the one that
 * began first to begin with. The first `free` bytes of each body are not counted, so that usual calls always find room.
 */
export class BodyRoom {
  readonly #most: number;
  readonly #free: number;
  readonly #incomplete = new Set<Held>();
  #total = 0;

  constructor(o: { readonly most: number; readonly free: number }) {
    this.#most = o.most;
    this.#free = o.free;
  }

  /** `giveUp` ends the request to make room for others. */
  hold(giveUp: () => void): HeldBody {
    const held: Held = { size: 0, counted: 0, giveUp };
    this.#incomplete.add(held);
    return {
      add: (bytes) => this.#add(held, bytes),
      complete: () => void this.#incomplete.delete(held),
      release: () => this.#release(held),
    };
  }

  #add(held: Held, bytes: number): boolean {
    held.size += bytes;
    const more = Math.max(0, held.size - this.#free) - held.counted;
    held.counted += more;
    this.#total += more;
    while (this.#total > this.#most) {
      const oldest = [...this.#incomplete].find((one) => one !== held && one.counted > 0);
      if (!oldest) return false;
      this.#release(oldest);
      oldest.giveUp();
    }
    return true;
  }

  #release(held: Held): void {
    this.#incomplete.delete(held);
    this.#total -= held.counted;
    held.counted = 0;
  }
}
