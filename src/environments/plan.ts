import type { EnvironmentRecord } from './record.ts';

/** The steps a driver makes true, in the order in which a new environment needs them. */
export const driverSteps = [
  'base',
  'template',
  'account',
  'folders',
  'content',
  'database',
  'migrate',
  'configuration',
  'start',
  'ready',
  'stop',
  'next-base',
  'snapshot',
  'restore',
  'drop-snapshot',
  'remove-database',
  'remove-folders',
  'remove-account',
] as const;
export type DriverStep = (typeof driverSteps)[number];

/** A step of the driver or of the loop itself. */
export type Step =
  | DriverStep
  | 'open-door'
  | 'close-door'
  | 'available'
  | 'updating'
  | 'rolled-back'
  | 'tombstone';

/** What a driver finds of an environment. */
export interface Actual {
  readonly base: boolean;
  readonly template: boolean;
  readonly account: boolean;
  readonly folders: boolean;
  readonly content: boolean;
  readonly database: boolean;
  /** The tables of the metadata database are those of the version that is wanted. */
  readonly schema: boolean;
  /** The copy of the metadata database from before an update is there. */
  readonly snapshot: boolean;
  /** The base of the version that an update asks for is there; true when none is under way. */
  readonly nextBase: boolean;
  /** What runs, or would be started, is what is wanted. */
  readonly configuration: boolean;
  /** Every component's process runs. */
  readonly started: boolean;
  /** Healthy, and this start refused a request without an assertion. */
  readonly ready: boolean;
  /** Any process of it is left. */
  readonly processes: boolean;
  /** A component that ended by itself not long ago, for people. */
  readonly trouble?: string | undefined;
}

const buildUp = ['base', 'template', 'account', 'folders', 'content', 'database'] as const;

const planDelete = (actual: Actual, doorOpen: boolean): Step => {
  if (doorOpen) return 'close-door';
  if (actual.processes) return 'stop';
  if (actual.database) return 'remove-database';
  if (actual.folders) return 'remove-folders';
  if (actual.account) return 'remove-account';
  return 'tombstone';
};

/** Nothing of a failed environment runs; its folders and logs are kept until it is deleted. */
const planFailed = (actual: Actual, doorOpen: boolean): Step | undefined => {
  if (doorOpen) return 'close-door';
  return actual.processes ? 'stop' : undefined;
};

const planRun = (actual: Actual, doorOpen: boolean): Step | undefined => {
  const missing = buildUp.find((step) => !actual[step]);
  if (missing) return missing;
  if (!actual.schema) return actual.processes ? 'stop' : 'migrate';
  // Airflow is told its public address, so the door has its port first; it answers 503 until Airflow is ready.
  if (!doorOpen) return 'open-door';
  if (!actual.configuration) return 'configuration';
  if (!actual.started) return 'start';
  return actual.ready ? undefined : 'ready';
};

/**
 * What runs goes on until there is something to replace it with; whether it is well does not matter then. A copy of
 * its database that is there was made for this update: the one before it was restored or dropped.
 */
const planSnapshot = (actual: Actual, doorOpen: boolean): Step => {
  if (actual.snapshot) return 'updating';
  if (actual.nextBase) return actual.processes ? 'stop' : 'snapshot';
  const step = planRun(actual, doorOpen);
  return step === undefined || step === 'ready' ? 'next-base' : step;
};

const planUpdate = (actual: Actual, doorOpen: boolean): Step =>
  planRun(actual, doorOpen) ?? (actual.snapshot ? 'drop-snapshot' : 'available');

const planRollBack = (actual: Actual, doorOpen: boolean): Step => {
  if (actual.snapshot) return actual.processes ? 'stop' : 'restore';
  return planRun(actual, doorOpen) ?? 'rolled-back';
};

/** It keeps its address, so that nobody else gets it meanwhile. */
const planSuspended = (actual: Actual, doorOpen: boolean): Step | undefined => {
  if (actual.processes) return 'stop';
  return doorOpen ? undefined : 'open-door';
};

/** The next step towards what the record wants, or undefined when nothing is to do. Pure. */
export const plan = (record: EnvironmentRecord, actual: Actual, doorOpen: boolean): Step | undefined => {
  switch (record.status) {
    case 'DELETED':
      return undefined;
    case 'DELETING':
      return planDelete(actual, doorOpen);
    case 'CREATE_FAILED':
      return planFailed(actual, doorOpen);
    case 'CREATING':
      return planRun(actual, doorOpen) ?? 'available';
    case 'CREATING_SNAPSHOT':
      return planSnapshot(actual, doorOpen);
    case 'UPDATING':
      return planUpdate(actual, doorOpen);
    case 'ROLLING_BACK':
    case 'UNAVAILABLE':
      return planRollBack(actual, doorOpen);
    default:
      return record.suspended ? planSuspended(actual, doorOpen) : planRun(actual, doorOpen);
  }
};
