import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Attempts } from './attempts.ts';
import { GenerationChanged, LeaseLost, RecordLocked } from './errors.ts';
import { isOwnStep, plan } from './plan.ts';
import type {
  AirflowDriver,
  Door,
  EnvironmentLocks,
  EnvironmentStore,
  KeyLock,
  Observation,
  Progress,
} from './ports.ts';
import type { EnvironmentId, EnvironmentRecord } from './record.ts';
import { doStep, endUnderway } from './step.ts';
import { afterFailure, forgetFailure, saveTime, settled } from './write-down.ts';

/** A step of one environment, for people who wait. */
export interface EnvironmentProgress extends Progress {
  readonly id: EnvironmentId;
  readonly name: string;
}

export interface ReconcileDeps {
  readonly store: EnvironmentStore;
  readonly locks: EnvironmentLocks;
  readonly driver: AirflowDriver;
  readonly door: Door;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProgress: (p: EnvironmentProgress) => void;
  /** Milliseconds for which a creation or an update that fails is tried; the wall clock has no say in it. */
  readonly creationDeadline: number;
  /** Asks whether this server is still the only one on its database; a lost connection may have let another in. */
  readonly isOwner: () => Promise<boolean>;
  readonly attempts: Attempts;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

/** The next step, of the driver or of the loop itself; undefined when nothing is to do. */
const nextStep = (d: ReconcileDeps, e: EnvironmentRecord, found: Observation): string | undefined => {
  const goal = plan(e, {
    isReached: (phase) => found.next(phase) === undefined,
    snapshot: found.snapshot,
    hasAddress: d.door.hasAddress(e),
    door: d.door.stateOf(e),
  });
  return goal === undefined || isOwnStep(goal) ? goal : found.next(goal);
};

/** The record with all that was spent on it until now. */
const read = async (d: ReconcileDeps, id: EnvironmentId): Promise<EnvironmentRecord | undefined> => {
  const record = await d.store.findById(id);
  if (record === undefined) return undefined;
  d.attempts.look(record);
  return { ...record, tries: d.attempts.triesOf(record) };
};

/** Says nothing about the step: somebody else has the record, or changed it. */
const isNoFault = (error: unknown): boolean =>
  error instanceof LeaseLost || error instanceof GenerationChanged || error instanceof RecordLocked;

/** One look at an environment: 'go on' to look again at once, else when to do so, undefined when nothing is to do. */
const look = async (
  d: ReconcileDeps,
  id: EnvironmentId,
  lock: KeyLock,
  passed: boolean,
): Promise<number | undefined | 'go on'> => {
  const e = await read(d, id);
  if (e === undefined) return undefined;
  if (passed) await forgetFailure(e, lock);
  const found = await d.driver.observe(e);
  const step = nextStep(d, e, found);
  endUnderway(d, e, step);
  if (step === undefined) {
    await settled(d, e, found.trouble, lock);
    return undefined;
  }
  try {
    const waiting = await doStep(d, step, e, lock);
    if (waiting === undefined) return 'go on';
    await saveTime(d, e, lock);
    return waiting.again;
  } catch (error) {
    if (lock.signal.aborted || isNoFault(error)) throw error;
    return afterFailure(d, e, lock, step, error);
  }
};

/** Looks until nothing is to do or something must be waited for. */
const underLock = async (d: ReconcileDeps, id: EnvironmentId, key: KeyLock): Promise<number | undefined> => {
  const signal = AbortSignal.any([key.signal, d.stopping]);
  const stillHeld = async () => !signal.aborted && (await d.isOwner()) && key.stillHeld();
  const lock: KeyLock = { ...key, signal, stillHeld };
  let passed = false;
  while (!signal.aborted) {
    try {
      const next = await look(d, id, lock, passed);
      if (next !== 'go on') return next;
      passed = true;
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLost || error instanceof RecordLocked) break;
      // A request came between: what it wants is read at the next look.
      if (!(error instanceof GenerationChanged)) throw error;
    }
  }
  return d.stopping.aborted ? undefined : 1_000;
};

/**
 * Takes one environment from what is to what is wanted, step by step, reading everything anew before each.
 * Safe to run at any time, any number of times. Gives the milliseconds after which it wants to be run again.
 */
export const reconcile = async (d: ReconcileDeps, id: EnvironmentId): Promise<number | undefined> => {
  try {
    const outcome = await d.locks.withKey(id, (key) => underLock(d, id, key));
    return outcome === 'busy' ? 2_000 : outcome;
  } catch (error) {
    if (d.stopping.aborted) return undefined;
    d.log.error('reconcile failed', { environmentId: id, reason: textOf(error) });
    return 5_000;
  }
};
