import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../lib/errors.ts';
import type { Stop } from '../lib/stop.ts';
import { type PublishOptions, type PublishResult, publish } from './publish.ts';
import type { Listing } from './source.ts';

/** Milliseconds between two looks: ten times what a look takes, within these bounds. */
const pauses = { least: 1_000, most: 4_000 } as const;
/** Milliseconds after which a target of which nothing changed is compared again: only we write there, but nobody keeps others from it. */
const compareEvery = 10_000;
/** Node's recursive watch holds one watch a file; beyond this looking alone is cheaper. */
const mostWatchedFiles = 2_000;

export interface FollowOptions extends Omit<PublishOptions, 'signal'> {
  /** Told of each time that something was published or removed. */
  readonly published: (result: PublishResult) => void;
  /** Told of each look that failed, and with undefined of one that succeeded. */
  readonly failed: (reason: string | undefined) => void;
}

const isSame = (a: Listing | undefined, b: Listing): boolean =>
  a !== undefined &&
  a.size === b.size &&
  [...b].every(([path, file]) => a.get(path)?.version === file.version);

/** Keeps a folder equal to a location of a bucket. */
class Follower {
  readonly #o: FollowOptions;
  readonly #ended = new AbortController();
  #hinted = new AbortController();
  #stopWatching: Stop | undefined;
  /** What the target was made equal to, and when; undefined while something is left to do. */
  #done: { readonly listing: Listing; readonly at: number } | undefined;

  constructor(options: FollowOptions) {
    this.#o = options;
  }

  async run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const began = performance.now();
      this.#hinted = new AbortController();
      await this.#look().then(
        () => this.#o.failed(undefined),
        (error: unknown) => this.#unwatch(textOf(error)),
      );
      const took = performance.now() - began;
      const pause = Math.min(Math.max(pauses.least, took * 10), pauses.most);
      const signal = AbortSignal.any([this.#ended.signal, this.#hinted.signal]);
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  end(): void {
    this.#ended.abort();
    this.#stopWatching?.();
  }

  async #look(): Promise<void> {
    const { signal } = this.#ended;
    const listing = await this.#o.source.list(this.#o.where, signal);
    this.#watch(listing.size);
    const isFresh = this.#done !== undefined && performance.now() - this.#done.at < compareEvery;
    if (isFresh && isSame(this.#done?.listing, listing)) return;
    const at = performance.now();
    this.#done = undefined;
    const result = await publish({ ...this.#o, signal }, listing);
    if (result.isWhole) this.#done = { listing, at };
    if (result.changes.length > 0) this.#o.published(result);
  }

  #watch(files: number): void {
    if (files > mostWatchedFiles || this.#ended.signal.aborted) return;
    this.#stopWatching ??= this.#o.source.watch(this.#o.where, () => this.#hinted.abort());
  }

  /** A new folder of this name needs a new watch. */
  #unwatch(reason: string): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    if (!this.#ended.signal.aborted) this.#o.failed(reason);
  }
}

/**
 * Keeps the target equal to the location until it is stopped: at a hint of the system, and in any case by a look every
 * second (large trees: every four). One look at a time; what changes during one is found by the next.
 */
export const follow = (options: FollowOptions): Stop => {
  const follower = new Follower(options);
  void follower.run();
  return () => follower.end();
};
