import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../lib/process-tree.ts';
import type { Facts } from './facts.ts';

/** Milliseconds that running tasks get under GRACEFUL (API reference of UpdateEnvironment). */
const longest = 12 * 3_600_000;

/** Runs `work` with at most the time that running tasks get. @throws what `signal` was aborted with */
export const withPatience = async (
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const late = AbortSignal.timeout(longest);
  try {
    await work(AbortSignal.any([signal, late]));
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
  }
};

/** Lets the tasks of a scheduler end that an earlier server started and nobody has taken over. */
export const drainFound = async (
  facts: Facts | undefined,
  bootId: string,
  signal: AbortSignal,
): Promise<void> => {
  const scheduler = facts?.processes.find(({ component }) => component === 'scheduler');
  if (scheduler === undefined || facts?.bootId !== bootId || !isAlive(scheduler)) return;
  if (!scheduler.draining) process.kill(scheduler.pid, 'SIGTERM');
  while (isAlive(scheduler)) await delay(250, undefined, { signal });
};
