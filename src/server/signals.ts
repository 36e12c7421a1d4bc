/** A terminal delivers one Ctrl-C twice through npm; what comes this close together is one. */
const together = 500;

/**
 * Calls `first` at the first TERM, INT or HUP and `second` at the next one that is meant.
 * Under npm, which does not pass on HUP, the loss of the parent counts as HUP.
 */
export const onStopSignals = (o: {
  readonly first: (why: string) => void;
  readonly second: (why: string) => void;
  /** True when npm started this process. */
  readonly underNpm: boolean;
}): void => {
  let last = Number.NEGATIVE_INFINITY;
  let asked = 0;
  const stop = (why: string): void => {
    const now = performance.now();
    const same = now - last < together;
    last = now;
    if (same) return;
    asked += 1;
    if (asked === 1) o.first(why);
    else o.second(why);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  if (!o.underNpm) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop('the terminal was closed');
  }, 500);
  timer.unref();
};
