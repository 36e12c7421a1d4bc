import { readFileSync } from 'node:fs';

/** Where time comes from. Deadlines use `monotonic`, which no change of the wall clock moves. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since this machine booted; comparable between processes that report the same `bootId`. */
  monotonic(): number;
  /** Changes at every boot of the machine. */
  readonly bootId: string;
}

const readBootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `process-${process.pid}-${Date.now()}`;
  }
};

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1_000_000n),
  bootId: readBootId(),
};
