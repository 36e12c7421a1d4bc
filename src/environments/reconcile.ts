import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Log } from '../lib/log.ts';
import { backOff } from '../lib/retry.ts';
import { GenerationChanged, LeaseLost, StepFailed } from './errors.ts';
import { type Actual, plan, type Step } from './plan.ts';
import type {
  AirflowDriver,
  Door,
  EnvironmentLocks,
  EnvironmentStore,
  KeyLock,
  ObservedChange,
  Progress,
} from './ports.ts';
import type { EnvironmentId, EnvironmentRecord, LastUpdate } from './record.ts';
import { type EnvironmentStatus, isSettled, type LastUpdateStatus, mayBecome } from './status.ts';

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
  /** Milliseconds for which this server tries a creation or an update that fails; the wall clock has no say in it. */
  readonly creationDeadline: number;
  /** Asks whether this server is still the only one on its database; a lost connection may have let another in. */
  readonly isOwner: () => Promise<boolean>;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

/** By environment: failures in a row, and since when (monotonic milliseconds) this status has been tried. */
export type Tries = Map<
  EnvironmentId,
  { readonly status: EnvironmentStatus; failures: number; readonly since: number }
>;

const tryOf = (d: ReconcileDeps, e: EnvironmentRecord, tries: Tries) => {
  const before = tries.get(e.id);
  if (before?.status === e.status) return before;
  const fresh = { status: e.status, failures: 0, since: d.clock.monotonic() };
  tries.set(e.id, fresh);
  return fresh;
};

/** Longest text of LastUpdate.Error.ErrorMessage (botocore mwaa/2020-07-01, ErrorMessage). */
const longestMessage = 1024;
/** AWS's code for a creation that failed by what it was given. */
const failedCode = 'INCORRECT_CONFIGURATION';

const shortened = (text: string): string => {
  const plain = text.replaceAll(/\s*\n\s*/g, ' | ').trim();
  return plain.length <= longestMessage ? plain : `${plain.slice(0, 500)} … ${plain.slice(-520)}`;
};

const failureOf = (reason: string) => ({
  ErrorCode: failedCode,
  ErrorMessage: shortened(reason) || 'unknown',
});

/** The last update as it is now; its first date and how it was asked for stay. */
const lastUpdateOf = (
  { lastUpdate: { Error: _, ...kept } }: EnvironmentRecord,
  status: LastUpdateStatus,
  error?: LastUpdate['Error'],
): LastUpdate => ({ ...kept, Status: status, ...(error ? { Error: error } : {}) });

const aboutOf = (e: EnvironmentRecord) => ({ environment: e.name, environmentId: e.id });

/** Writes down a new status and tells it. */
const setStatus = async (
  d: ReconcileDeps,
  e: EnvironmentRecord,
  lock: KeyLock,
  change: ObservedChange & { readonly status: EnvironmentStatus },
): Promise<void> => {
  if (!mayBecome(e.status, change.status))
    throw new Error(`an environment does not become ${change.status} from ${e.status}`);
  await lock.setObserved(e, change);
  const reason = change.lastUpdate?.Error?.ErrorMessage;
  const about = { ...aboutOf(e), from: e.status, to: change.status };
  d.log.info('environment changed', reason === undefined ? about : { ...about, reason });
};

const runStep = async (d: ReconcileDeps, step: Step, e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  switch (step) {
    case 'open-door':
      await d.door.open(e, (hostname) => lock.claimHostname(e, hostname));
      return;
    case 'close-door':
      return d.door.close(e.id);
    case 'available':
      return setStatus(d, e, lock, {
        status: 'AVAILABLE',
        lastUpdate: lastUpdateOf(e, 'SUCCESS'),
        progress: null,
        updateEnded: true,
      });
    case 'updating': {
      const spec = e.update?.wanted ?? e.spec;
      return setStatus(d, e, lock, { status: 'UPDATING', spec, progress: null });
    }
    case 'rolled-back':
      return setStatus(d, e, lock, {
        status: 'UPDATE_FAILED',
        lastUpdate: lastUpdateOf(e, 'FAILED', e.lastUpdate.Error),
        progress: null,
        updateEnded: true,
      });
    case 'tombstone':
      return setStatus(d, e, lock, { status: 'DELETED', progress: null });
    default:
      return d.driver.apply(step, e, {
        lease: lock,
        stillWanted: async () => (await d.store.findById(e.id))?.generation === e.generation,
        report: (p) => {
          d.onProgress({ ...p, id: e.id, name: e.name });
          if (p.text !== undefined) d.log.info('step progress', { ...aboutOf(e), step, text: p.text });
        },
      });
  }
};

const timed = async (d: ReconcileDeps, step: Step, e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  if (!(await lock.stillHeld())) throw new LeaseLost(e.id);
  const about = { id: e.id, name: e.name, step };
  const start = performance.now();
  const took = () => Math.round(performance.now() - start);
  d.onProgress({ ...about, state: 'started' });
  d.log.info('step started', { ...aboutOf(e), step });
  try {
    failpoint(`${step}:before`);
    await runStep(d, step, e, lock);
    failpoint(`${step}:after`);
    d.onProgress({ ...about, state: 'done', took: took() });
    d.log.info('step done', { ...aboutOf(e), step, took: took() });
  } catch (error) {
    if (!d.stopping.aborted) d.onProgress({ ...about, state: 'failed', text: textOf(error), took: took() });
    throw error;
  }
};

/** A status in which a step that fails leads somewhere else in the end; in the others it is tried for ever. */
const statusAfterFailure: Partial<Record<EnvironmentStatus, EnvironmentStatus>> = {
  CREATING: 'CREATE_FAILED',
  CREATING_SNAPSHOT: 'ROLLING_BACK',
  UPDATING: 'ROLLING_BACK',
  ROLLING_BACK: 'UNAVAILABLE',
};

const unavailableText = (why: string | undefined, reason: string): string =>
  `${why ?? 'The update failed'} | The environment could not be brought back: ${reason} | It is tried again once a minute: remove the cause, or delete the environment`;

/** Gives up what was tried: the status that follows, with the reason in it. */
const giveUp = async (
  d: ReconcileDeps,
  e: EnvironmentRecord,
  lock: KeyLock,
  reason: string,
): Promise<void> => {
  const status = statusAfterFailure[e.status] ?? e.status;
  const isRollBack = status === 'ROLLING_BACK';
  const known = e.lastUpdate.Error?.ErrorMessage;
  const message = status === 'UNAVAILABLE' ? unavailableText(known, reason) : reason;
  await setStatus(d, e, lock, {
    status,
    progress: reason,
    lastUpdate: lastUpdateOf(e, isRollBack ? 'PENDING' : 'FAILED', failureOf(message)),
    ...(isRollBack && e.update ? { spec: e.update.previous } : {}),
  });
};

/** Writes down why a step failed and says when to try again; 0 when it was given up and something else follows. */
const afterFailure = async (
  d: ReconcileDeps,
  e: EnvironmentRecord,
  lock: KeyLock,
  step: Step,
  error: unknown,
  tries: Tries,
): Promise<number> => {
  const reason = shortened(textOf(error));
  d.log.warn('step failed', { ...aboutOf(e), step, reason });
  const known = tryOf(d, e, tries);
  const endsSomewhere = statusAfterFailure[e.status] !== undefined;
  const left = known.since + d.creationDeadline - d.clock.monotonic();
  // What brings the old environment back is tried for as long as there is time, whatever it says.
  const mayPass = e.status === 'ROLLING_BACK' || !(error instanceof StepFailed) || error.retry;
  if (endsSomewhere && (left <= 0 || !mayPass)) {
    await giveUp(d, e, lock, reason);
    return 0;
  }
  const isRollBack = e.status === 'ROLLING_BACK' || e.status === 'UNAVAILABLE';
  await lock.setObserved(e, {
    progress: reason,
    // while it is rolled back LastUpdate keeps saying why
    ...(endsSomewhere && !isRollBack ? { lastUpdate: lastUpdateOf(e, 'PENDING', failureOf(reason)) } : {}),
  });
  known.failures += 1;
  const wait = backOff(known.failures, { first: 1_000, most: 60_000 });
  return endsSomewhere ? Math.min(wait, Math.max(left, 100)) : wait;
};

/** Writes down how a running environment is: what is wrong with a component, or that all is well again. */
const settled = async (e: EnvironmentRecord, actual: Actual, lock: KeyLock, tries: Tries): Promise<void> => {
  tries.delete(e.id);
  if (!isSettled(e.status) || e.progress === actual.trouble) return;
  await lock.setObserved(e, { progress: actual.trouble ?? null });
};

/** A step that failed and was passed since is no longer told; a roll-back keeps saying why. */
const forgetFailure = async (e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  const isTold = e.lastUpdate.Error !== undefined && e.lastUpdate.Status === 'PENDING';
  if (!isTold || statusAfterFailure[e.status] === undefined || e.status === 'ROLLING_BACK') return;
  await lock.setObserved(e, { lastUpdate: lastUpdateOf(e, 'PENDING'), progress: null });
};

/** One look at an environment: 'go on' to look again at once, else when to do so, undefined when nothing is to do. */
const look = async (
  d: ReconcileDeps,
  id: EnvironmentId,
  lock: KeyLock,
  tries: Tries,
  passed: boolean,
): Promise<number | undefined | 'go on'> => {
  const record = await d.store.findById(id);
  if (!record) return undefined;
  tryOf(d, record, tries);
  if (passed) await forgetFailure(record, lock);
  const actual = await d.driver.observe(record);
  const step = plan(record, actual, d.door.isOpen(record));
  if (step === undefined) {
    await settled(record, actual, lock, tries);
    return undefined;
  }
  try {
    await timed(d, step, record, lock);
    return 'go on';
  } catch (error) {
    if (lock.signal.aborted || error instanceof LeaseLost || error instanceof GenerationChanged) throw error;
    return afterFailure(d, record, lock, step, error, tries);
  }
};

/** Looks until nothing is to do or something must be waited for. */
const underLock = async (
  d: ReconcileDeps,
  id: EnvironmentId,
  key: KeyLock,
  tries: Tries,
): Promise<number | undefined> => {
  const signal = AbortSignal.any([key.signal, d.stopping]);
  const stillHeld = async () => !signal.aborted && (await d.isOwner()) && key.stillHeld();
  const lock: KeyLock = { ...key, signal, stillHeld };
  let passed = false;
  while (!signal.aborted) {
    try {
      const next = await look(d, id, lock, tries, passed);
      if (next !== 'go on') return next;
      passed = true;
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLost) break;
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
export const reconcile = async (
  d: ReconcileDeps,
  id: EnvironmentId,
  tries: Tries,
): Promise<number | undefined> => {
  try {
    const outcome = await d.locks.withKey(id, (key) => underLock(d, id, key, tries));
    return outcome === 'busy' ? 2_000 : outcome;
  } catch (error) {
    if (d.stopping.aborted) return undefined;
    d.log.error('reconcile failed', { environmentId: id, reason: textOf(error) });
    return 5_000;
  }
};
