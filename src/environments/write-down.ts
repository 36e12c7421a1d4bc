import { textOf } from '../lib/errors.ts';
import { backOff } from '../lib/retry.ts';
import { StepFailed } from './errors.ts';
import { failureOf, lastUpdateOf, shortened } from './last-update.ts';
import type { KeyLock, ObservedChange } from './ports.ts';
import type { ReconcileDeps } from './reconcile.ts';
import type { EnvironmentRecord } from './record.ts';
import { type EnvironmentStatus, isSettled, mayBecome } from './status.ts';

export const aboutOf = (e: EnvironmentRecord) => ({ environment: e.name, environmentId: e.id });

/** Writes down a new status and tells it. */
export const setStatus = async (
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
export const afterFailure = async (
  d: ReconcileDeps,
  e: EnvironmentRecord,
  lock: KeyLock,
  step: string,
  error: unknown,
): Promise<number> => {
  const reason = shortened(textOf(error));
  d.log.warn('step failed', { ...aboutOf(e), step, reason });
  const endsSomewhere = statusAfterFailure[e.status] !== undefined;
  const left = d.creationDeadline - e.tries.spent;
  // What brings the old environment back is tried for as long as there is time, whatever it says.
  const mayPass = e.status === 'ROLLING_BACK' || !(error instanceof StepFailed) || error.retry;
  if (endsSomewhere && (left <= 0 || !mayPass)) {
    await giveUp(d, e, lock, reason);
    return 0;
  }
  const isRollBack = e.status === 'ROLLING_BACK' || e.status === 'UNAVAILABLE';
  const failures = e.tries.failures + 1;
  await lock.setObserved(e, {
    progress: reason,
    tries: { ...e.tries, failures },
    // while it is rolled back LastUpdate keeps saying why
    ...(endsSomewhere && !isRollBack ? { lastUpdate: lastUpdateOf(e, 'PENDING', failureOf(reason)) } : {}),
  });
  d.attempts.written(e);
  const wait = backOff(failures, { first: 1_000, most: 60_000 });
  return endsSomewhere ? Math.min(wait, Math.max(left, 100)) : wait;
};

/** Milliseconds that a server that is killed may lose of the time it spent. */
const mostUnwritten = 15_000;

/** Adds the time that was spent to the record, now and then. */
export const saveTime = async (d: ReconcileDeps, e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  if (statusAfterFailure[e.status] === undefined || d.attempts.unwritten(e) < mostUnwritten) return;
  await lock.setObserved(e, { tries: e.tries });
  d.attempts.written(e);
};

/** Writes down how a running environment is: what is wrong with a component, or that all is well again. */
export const settled = async (
  d: ReconcileDeps,
  e: EnvironmentRecord,
  trouble: string | undefined,
  lock: KeyLock,
): Promise<void> => {
  d.attempts.forget(e.id);
  const failed = e.tries.failures > 0;
  if (!isSettled(e.status) || (e.progress === trouble && !failed)) return;
  await lock.setObserved(e, {
    progress: trouble ?? null,
    ...(failed ? { tries: { ...e.tries, failures: 0 } } : {}),
  });
};

/** A step that failed and was passed since is no longer told; a roll-back keeps saying why. */
export const forgetFailure = async (e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  const isTold = e.lastUpdate.Error !== undefined && e.lastUpdate.Status === 'PENDING';
  if (!isTold || statusAfterFailure[e.status] === undefined || e.status === 'ROLLING_BACK') return;
  await lock.setObserved(e, { lastUpdate: lastUpdateOf(e, 'PENDING'), progress: null });
};
