import { isAlive } from '../../lib/processes.ts';
import { type Facts, type ProcessFact, readFacts, writeFacts } from './facts.ts';

/** Milliseconds that running tasks get under GRACEFUL (API reference of UpdateEnvironment). */
export const longestDrain = 12 * 3_600_000;

/** The scheduler that an earlier server started and nobody has taken over, while it lives. */
const foundScheduler = (facts: Facts | undefined, bootId: string): ProcessFact | undefined => {
  if (facts?.bootId !== bootId) return undefined;
  return facts.processes.find((fact) => fact.component === 'scheduler' && isAlive(fact));
};

/** True while a scheduler that an earlier server started lives, and with it perhaps tasks. */
export const foundDrains = (facts: Facts | undefined, bootId: string): boolean =>
  foundScheduler(facts, bootId) !== undefined;

/** Tells the scheduler that an earlier server started to end once its tasks have, and writes that down. */
export const drainFound = (file: string, bootId: string): void => {
  const facts = readFacts(file);
  const scheduler = foundScheduler(facts, bootId);
  // Told a second time, Airflow stops waiting for its tasks.
  if (facts === undefined || scheduler === undefined || scheduler.draining) return;
  process.kill(scheduler.pid, 'SIGTERM');
  const processes = facts.processes.map((p) => (p === scheduler ? { ...p, draining: true } : p));
  writeFacts(file, { ...facts, processes });
};
