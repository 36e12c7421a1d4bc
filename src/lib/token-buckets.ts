import type { Clock } from './clock.ts';

interface Bucket {
  left: number;
  /** Monotonic milliseconds. */
  at: number;
}

/** How often something may be done: so many times at once, then so many times a second. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Bounds how often each of any number of callers does something (token bucket); remembers a bounded number of them. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #most: number;
  /** Who was longest away comes first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>, most = 10_000) {
    this.#rate = rate;
    this.#clock = clock;
    this.#most = most;
  }

  /** True when it may be done now, which then counts. */
  take(key: string): boolean {
    const bucket = this.#bucket(key);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  /** Whether it may be done now, without counting it. */
  has(key: string): boolean {
    return this.#bucket(key).left >= 1;
  }

  #bucket(key: string): Bucket {
    const now = this.#clock.monotonic();
    const { perSecond, burst } = this.#rate;
    const known = this.#buckets.get(key) ?? { left: burst, at: now };
    known.left = Math.min(burst, known.left + ((now - known.at) / 1000) * perSecond);
    known.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, known);
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > this.#most && oldest !== undefined) this.#buckets.delete(oldest);
    return known;
  }
}
