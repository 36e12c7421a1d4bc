/** What comes this close together is one signal (milliseconds). */
const together = 500;
/** On a busy machine npm passes its copy of a terminal's Ctrl-C on this much later. */
const copyWithin = 3_000;

/** Tells a signal that is meant from a copy of the one before. */
export class SignalCounter {
  readonly #underNpm: boolean;
  #last = Number.NEGATIVE_INFINITY;
  #copyDue = false;
  #count = 0;

  constructor(underNpm: boolean) {
    this.#underNpm = underNpm;
  }

  /** How many signals were meant until now, or undefined for a copy. `now` in milliseconds. */
  add(signal: string, now: number): number | undefined {
    const since = now - this.#last;
    const isCopy = since < together || (this.#copyDue && signal === 'SIGINT' && since < copyWithin);
    if (isCopy) {
      this.#copyDue = false;
      return undefined;
    }
    this.#last = now;
    this.#copyDue = this.#underNpm && signal === 'SIGINT';
    this.#count += 1;
    return this.#count;
  }
}

/**
 * Calls `first` at the first TERM, INT or HUP and `second` at the next one that is meant: a terminal delivers
 * one Ctrl-C to this process and to npm, which passes it on. Under npm, which does not pass on HUP, the loss of
 * the parent counts as HUP.
 */
export const onStopSignals = (o: {
  readonly first: (why: string) => void;
  readonly second: (why: string) => void;
  /** True when npm started this process. */
  readonly underNpm: boolean;
}): void => {
  const counter = new SignalCounter(o.underNpm);
  const stop = (why: string): void => {
    const count = counter.add(why, performance.now());
    if (count === 1) o.first(why);
    else if (count !== undefined) o.second(why);
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
