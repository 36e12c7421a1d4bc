/** Milliseconds of work after which others are let in. */
const slice = 10;

let last: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop in which nobody else who waits here works: many long requests at once then take
 * one slice a turn together, not one each.
 */
const nextTurn = (): Promise<void> => {
  last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
  return last;
};

/**
 * Splits long work into slices so that it never holds the event loop: call what this gives between two pieces, each of
 * which must be short. It waits only when the slice is used up.
 */
export const slices = (now: () => number = () => performance.now()): (() => Promise<void>) => {
  let since = now();
  return async () => {
    if (now() - since < slice) return;
    await nextTurn();
    since = now();
  };
};

/** The same of each, in their order, without holding the event loop. */
export const mapInTurns = async <T, U>(all: readonly T[], of: (one: T) => U): Promise<readonly U[]> => {
  const pause = slices();
  const found: U[] = [];
  for (const one of all) {
    await pause();
    found.push(of(one));
  }
  return found;
};
