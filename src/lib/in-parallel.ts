/**
 * The same work on each of them, so many at once. The first error ends it, and is thrown when those that were begun are
 * done: nothing works on afterwards.
 */
export const inParallel = async <T>(
  all: Iterable<T>,
  atOnce: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> => {
  const rest = all[Symbol.iterator]();
  let failed = false;
  const next = async (): Promise<void> => {
    for (let one = rest.next(); !failed && !one.done; one = rest.next()) await work(one.value);
  };
  const done = await Promise.allSettled(
    Array.from({ length: atOnce }, () =>
      next().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    ),
  );
  for (const one of done) if (one.status === 'rejected') throw one.reason;
};
