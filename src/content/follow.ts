import { SourceUnavailable } from '../environments/errors.ts';
import { textOf } from '../lib/errors.ts';
import type { Stop } from '../lib/stop.ts';
import { isPublishable } from './location.ts';
import { foldersOf, type PublishOptions, publish } from './publish.ts';
import type { Listing } from './source.ts';

/** Milliseconds after which a target of which nothing changed is compared again: only we write there, but nobody keeps others from it. */
const compareEvery = 10_000;
/** Each costs the machine a watch (inotify(7)); beyond this looking alone is cheaper. */
const mostWatchedFolders = 1_000;

export interface FollowOptions extends Omit<PublishOptions, 'signal' | 'emptyFor'> {
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
  /** Ends the pause that is on. */
  #wake = (): void => {};
  #isHinted = false;
  /** Files that could not be read in the version that was listed last, which they were put off for. */
  #postponed: ReadonlyMap<string, string> = new Map();
  /** Looks that failed, in a row. */
  #failures = 0;
  /** Monotonic milliseconds of the first of several empty listings. */
  #emptySince: number | undefined;
  #stopWatching: Stop | undefined;
  /** The folders that are watched. */
  #watched = '';
  /** What the target was made equal to, and when; undefined while something is left to do. */
  #done: { readonly listing: Listing; readonly at: number } | undefined;

  constructor(options: FollowOptions) {
    this.#o = options;
  }

  async run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const began = performance.now();
      this.#isHinted = false;
      await this.#look().then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(textOf(error)),
      );
      await this.#pause(this.#pauseAfter(performance.now() - began));
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#o.failed(undefined);
  }

  #pauseAfter(took: number): number {
    const { least, most, mostAfterFailures } = this.#o.source.paceOf(this.#o.where);
    if (this.#failures > 0) return Math.min(least * 2 ** (this.#failures - 1), mostAfterFailures);
    return Math.min(Math.max(least, took * 10), most);
  }

  /** Ends at a hint, also one that came during the look. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#isHinted || this.#ended.signal.aborted) return;
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(pause.resolve, milliseconds);
    timer.unref();
    this.#wake = pause.resolve;
    await pause.promise;
    clearTimeout(timer);
  }

  #hint(): void {
    this.#isHinted = true;
    this.#wake();
  }

  end(): void {
    this.#ended.abort();
    this.#wake();
    this.#stopWatching?.();
  }

  async #look(): Promise<void> {
    const { signal } = this.#ended;
    const listing = await this.#o.source.list(this.#o.where, signal);
    if (this.#o.source.canWatch(this.#o.where)) this.#watch(listing);
    if (listing.size > 0) this.#emptySince = undefined;
    else this.#emptySince ??= performance.now();
    const isFresh = this.#done !== undefined && performance.now() - this.#done.at < compareEvery;
    if (isFresh && isSame(this.#done?.listing, listing)) return;
    const at = performance.now();
    this.#done = undefined;
    const emptyFor = this.#emptySince === undefined ? 0 : at - this.#emptySince;
    const { isWhole, postponed } = await publish({ ...this.#o, signal, emptyFor }, listing);
    if (isWhole) this.#done = { listing, at };
    this.#checkPostponed(postponed, listing);
  }

  /** A file that changes while it is read is another one in the next listing. @throws SourceUnavailable */
  #checkPostponed(postponed: readonly string[], listing: Listing): void {
    const [path] = postponed.filter((one) => this.#postponed.get(one) === listing.get(one)?.version);
    this.#postponed = new Map(postponed.map((one) => [one, listing.get(one)?.version ?? '']));
    if (path === undefined) return;
    throw new SourceUnavailable(
      `${path} is listed with the version ${listing.get(path)?.version}, and cannot be read in that version.`,
    );
  }

  #watch(listing: Listing): void {
    const folders = foldersOf([...listing.keys()].filter(isPublishable));
    if (folders.size > mostWatchedFolders || this.#ended.signal.aborted) {
      this.#endWatch();
      return;
    }
    const key = [...folders].sort().join('\n');
    if (this.#stopWatching !== undefined && this.#watched === key) return;
    this.#endWatch();
    this.#watched = key;
    this.#stopWatching = this.#o.source.watch(this.#o.where, [...folders], () => this.#hint());
  }

  #endWatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** A new folder of this name needs a new watch. */
  #failed(reason: string): void {
    this.#failures += 1;
    this.#endWatch();
    if (!this.#ended.signal.aborted) this.#o.failed(reason);
  }
}

/**
 * Keeps the target equal to the location until it is stopped: at a hint of the system, and in any case by a look every
 * second or, of large trees and other machines, a few. One look at a time; what changes during one is found by the next.
 */
export const follow = (options: FollowOptions): Stop => {
  const follower = new Follower(options);
  void follower.run();
  return () => follower.end();
};
