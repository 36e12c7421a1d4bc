import type { DoorState } from './ports.ts';
import type { EnvironmentRecord } from './record.ts';

/**
 * What a driver is asked to make true of an environment; the steps that lead there are its own.
 *
 * - `prepared`: all that it needs to run is there, and the tables of its database are those of its version
 * - `running`: it runs what is wanted, is healthy, and refuses requests without an assertion
 * - `next-prepared`: it runs as before, and all that the version of the update needs is there
 * - `stopped`: nothing of it runs
 * - `snapshotted`: nothing of it runs, and its database is copied aside
 * - `restored`: nothing of it runs, and the copy is its database again
 * - `snapshot-dropped`: there is no copy
 * - `removed`: nothing of it is left
 */
export const phases = [
  'prepared',
  'running',
  'next-prepared',
  'stopped',
  'snapshotted',
  'restored',
  'snapshot-dropped',
  'removed',
] as const;
export type Phase = (typeof phases)[number];

/** A step of the loop itself. */
export const ownSteps = [
  'claim-address',
  'open',
  'close',
  'available',
  'updating',
  'rolled-back',
  'tombstone',
] as const;
export type OwnStep = (typeof ownSteps)[number];

/** What is found of an environment. */
export interface Situation {
  readonly isReached: (phase: Phase) => boolean;
  /** The copy of the database from before an update is there. */
  readonly snapshot: boolean;
  /** The record has an address that the door can give it. */
  readonly hasAddress: boolean;
  readonly door: DoorState;
}

type Goal = Phase | OwnStep;

const opened = (s: Situation): OwnStep | undefined => {
  if (!s.hasAddress) return 'claim-address';
  return s.door === 'open' ? undefined : 'open';
};

const reached = (s: Situation, ...wanted: readonly Phase[]): Phase | undefined =>
  wanted.find((phase) => !s.isReached(phase));

/** Whom another access mode keeps out is out before anything else is done, which may take long or fail. */
const changed = (s: Situation): OwnStep | undefined => (s.door === 'outdated' ? opened(s) : undefined);

/** Airflow is told its public address, so it has one before it runs; the door answers 503 until it is ready. */
const planRun = (s: Situation): Goal | undefined =>
  changed(s) ?? reached(s, 'prepared') ?? opened(s) ?? reached(s, 'running');

const planDelete = (s: Situation): Goal =>
  s.door === 'closed' ? (reached(s, 'removed') ?? 'tombstone') : 'close';

/** Nothing of a failed environment runs; its folders and logs are kept until it is deleted. */
const planFailed = (s: Situation): Goal | undefined =>
  s.door === 'closed' ? reached(s, 'stopped') : 'close';

/**
 * What runs goes on until there is something to replace it with; whether it is well does not matter then. A copy of
 * its database that is there was made for this update: the one before it was restored or dropped.
 */
const planSnapshot = (s: Situation): Goal => {
  if (s.snapshot) return 'updating';
  if (s.isReached('next-prepared')) return reached(s, 'snapshotted') ?? 'updating';
  return reached(s, 'prepared') ?? opened(s) ?? 'next-prepared';
};

const planUpdate = (s: Situation): Goal => planRun(s) ?? reached(s, 'snapshot-dropped') ?? 'available';

const planRollBack = (s: Situation): Goal => reached(s, 'restored') ?? planRun(s) ?? 'rolled-back';

/** It keeps its address, so that nobody else gets it meanwhile. */
const planSuspended = (s: Situation): Goal | undefined => changed(s) ?? reached(s, 'stopped') ?? opened(s);

/** What to reach or to do next for what the record wants, or undefined when nothing is to do. Pure. */
export const plan = (record: EnvironmentRecord, s: Situation): Goal | undefined => {
  switch (record.status) {
    case 'DELETED':
      return undefined;
    case 'DELETING':
      return planDelete(s);
    case 'CREATE_FAILED':
      return planFailed(s);
    case 'CREATING':
      return planRun(s) ?? 'available';
    case 'CREATING_SNAPSHOT':
      return planSnapshot(s);
    case 'UPDATING':
      return planUpdate(s);
    case 'ROLLING_BACK':
    case 'UNAVAILABLE':
      return planRollBack(s);
    default:
      return record.suspended ? planSuspended(s) : planRun(s);
  }
};

export const isOwnStep = (step: string): step is OwnStep => ownSteps.some((own) => own === step);
