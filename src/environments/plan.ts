import type { EnvironmentRecord } from './record.ts';

/** The steps a driver makes true, in the order in which a new environment needs them. */
export const driverSteps = [
  'base',
  'template',
  'account',
  'folders',
  'content',
  'database',
  'configuration',
  'start',
  'ready',
  'stop',
  'remove-database',
  'remove-folders',
  'remove-account',
] as const;
export type DriverStep = (typeof driverSteps)[number];

/** A step of the driver or of the loop itself. */
export type Step = DriverStep | 'open-door' | 'close-door' | 'available' | 'tombstone';

/** What a driver finds of an environment. */
export interface Actual {
  readonly base: boolean;
  readonly template: boolean;
  readonly account: boolean;
  readonly folders: boolean;
  readonly content: boolean;
  readonly database: boolean;
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

const planRun = (record: EnvironmentRecord, actual: Actual, doorOpen: boolean): Step | undefined => {
  const missing = buildUp.find((step) => !actual[step]);
  if (missing) return missing;
  // Airflow is told its public address, so the door has its port first; it answers 503 until Airflow is ready.
  if (!doorOpen) return 'open-door';
  if (!actual.configuration) return 'configuration';
  if (!actual.started) return 'start';
  if (!actual.ready) return 'ready';
  return record.status === 'CREATING' ? 'available' : undefined;
};

/** The next step towards what the record wants, or undefined when nothing is to do. Pure. */
export const plan = (record: EnvironmentRecord, actual: Actual, doorOpen: boolean): Step | undefined => {
  if (record.status === 'DELETED') return undefined;
  if (record.status === 'DELETING') return planDelete(actual, doorOpen);
  if (record.status === 'CREATE_FAILED') return planFailed(actual, doorOpen);
  return planRun(record, actual, doorOpen);
};
