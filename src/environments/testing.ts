import type { Phase } from './plan.ts';
import type { AirflowDriver, Door, Waiting } from './ports.ts';
import { type EnvironmentRecord, noTries } from './record.ts';

/** A record of an environment that runs Airflow 3.3.1, for tests. */
export const recordWith = (change: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  id: 'abcdefghijkl',
  accountId: '123456789012',
  region: 'us-east-1',
  name: 'demo',
  arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo',
  status: 'CREATING',
  spec: {
    AirflowVersion: '3.3.1',
    DagS3Path: 'dags',
    SourceBucketArn: 'arn:aws:s3:::b',
    ExecutionRoleArn: 'r',
    EnvironmentClass: 'mw1.small',
  },
  update: undefined,
  suspended: false,
  generation: 1,
  tags: {},
  placement: { driver: 'local', host: 'local' },
  lastUpdate: { Status: 'PENDING', CreatedAt: 5 },
  webserverHostname: undefined,
  progress: undefined,
  tries: noTries,
  createdAt: 0,
  ...change,
});

/** The steps of the fake driver, by phase. */
const stepsOf: Readonly<Record<Phase, readonly string[]>> = {
  prepared: ['base', 'folders', 'migrate'],
  running: ['start', 'ready'],
  'next-prepared': ['next-base'],
  stopped: ['stop'],
  snapshotted: ['stop', 'snapshot'],
  restored: ['restore'],
  'snapshot-dropped': ['drop-snapshot'],
  removed: ['stop', 'remove'],
};

export interface FakeDriverOptions {
  readonly trouble?: () => string | undefined;
  /** May throw at a step, or make it wait. */
  readonly fail?: (step: string) => Waiting | void | Promise<void>;
}

/** A driver of one environment in memory, whose steps do nothing but count as done. */
export const fakeDriver = (o: FakeDriverOptions = {}): Pick<AirflowDriver, 'observe' | 'apply'> => {
  const done = new Set<string>();
  let snapshot = false;
  const isDone = (step: string): boolean => {
    if (step === 'restore' || step === 'drop-snapshot') return !snapshot;
    if (step === 'stop') return !done.has('start');
    return done.has(step);
  };
  return {
    observe: async () => ({
      next: (phase) => stepsOf[phase].find((step) => !isDone(step)),
      snapshot,
      trouble: o.trouble?.(),
    }),
    apply: async (step) => {
      const waiting = await o.fail?.(step);
      if (waiting) return waiting;
      done.add(step);
      if (step === 'stop') for (const ended of ['start', 'ready']) done.delete(ended);
      if (step === 'snapshot') snapshot = true;
      if (step === 'restore' || step === 'drop-snapshot') snapshot = false;
      return undefined;
    },
  };
};

/** A door at one address that opens and closes at once. */
export const fakeDoor = (): { readonly door: Door; readonly isOpen: () => boolean } => {
  let isOpen = false;
  return {
    isOpen: () => isOpen,
    door: {
      hasAddress: ({ webserverHostname }) => webserverHostname !== undefined,
      propose: async ({ id }) => `localhost-${id}:7443`,
      stateOf: () => (isOpen ? 'open' : 'closed'),
      open: async () => {
        isOpen = true;
      },
      close: async () => {
        isOpen = false;
      },
    },
  };
};
