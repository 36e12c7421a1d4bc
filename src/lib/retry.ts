/** Milliseconds to wait before the n-th try (from 1) of something that failed: doubling, bounded, with jitter. */
export const backOff = (tries: number, options: { first: number; most: number }): number => {
  const full = Math.min(options.most, options.first * 2 ** Math.min(tries - 1, 20));
  return Math.round(full * (0.75 + Math.random() / 2));
};
