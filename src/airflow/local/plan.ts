import type { Phase } from '../../environments/plan.ts';

/** The steps of this driver, in the order in which a new environment needs them. */
export const localSteps = [
  'base',
  'template',
  'account',
  'folders',
  'content',
  'database',
  'packages',
  'migrate',
  'drain',
  'configuration',
  'start',
  'ready',
  'stop',
  'next-base',
  'next-packages',
  'snapshot',
  'restore',
  'drop-snapshot',
  'remove-database',
  'remove-folders',
  'remove-account',
] as const;
export type LocalStep = (typeof localSteps)[number];

/** What is found of an environment on this machine. */
export interface LocalFacts {
  readonly base: boolean;
  readonly template: boolean;
  readonly account: boolean;
  readonly folders: boolean;
  readonly content: boolean;
  readonly database: boolean;
  /** The packages and plugins of its own are there, and were tried. */
  readonly packages: boolean;
  /** The tables of the metadata database are those of the version that is wanted. */
  readonly schema: boolean;
  /** The copy of the metadata database from before an update is there. */
  readonly snapshot: boolean;
  /** The base of the version that an update asks for is there; true when none is under way. */
  readonly nextBase: boolean;
  /** The same of its own packages and plugins. */
  readonly nextPackages: boolean;
  /** What runs, or would be started, is what is wanted. */
  readonly configuration: boolean;
  /** Every component's process runs. */
  readonly started: boolean;
  /** Healthy, and this start refused a request without an assertion. */
  readonly ready: boolean;
  /** Any process of it is left. */
  readonly processes: boolean;
  /** No task runs that is to end before Airflow is replaced or stopped. */
  readonly drained: boolean;
}

const buildUp = ['base', 'template', 'account', 'folders', 'content', 'database', 'packages'] as const;

const prepare = (f: LocalFacts): LocalStep | undefined => {
  const missing = buildUp.find((step) => !f[step]);
  if (missing) return missing;
  if (f.schema) return undefined;
  return f.processes ? 'stop' : 'migrate';
};

const keepStarted = (f: LocalFacts): LocalStep | undefined => {
  if (!f.configuration) return 'configuration';
  return f.started ? undefined : 'start';
};

const run = (f: LocalFacts): LocalStep | undefined => {
  if (!f.configuration && !f.drained) return 'drain';
  return keepStarted(f) ?? (f.ready ? undefined : 'ready');
};

const stop = (f: LocalFacts): LocalStep | undefined => {
  if (!f.processes) return undefined;
  return f.drained ? 'stop' : 'drain';
};

const remove = (f: LocalFacts): LocalStep | undefined => {
  if (f.processes) return 'stop';
  if (f.database) return 'remove-database';
  if (f.folders) return 'remove-folders';
  return f.account ? 'remove-account' : undefined;
};

const steps: Readonly<Record<Phase, (f: LocalFacts) => LocalStep | undefined>> = {
  prepared: prepare,
  running: (f) => prepare(f) ?? run(f),
  'next-prepared': (f) => {
    const missing = f.nextBase ? (f.nextPackages ? undefined : 'next-packages') : 'next-base';
    return missing && (prepare(f) ?? keepStarted(f) ?? missing);
  },
  stopped: stop,
  snapshotted: (f) => (f.snapshot ? undefined : (stop(f) ?? 'snapshot')),
  restored: (f) => {
    if (!f.snapshot) return undefined;
    return f.processes ? 'stop' : 'restore';
  },
  'snapshot-dropped': (f) => (f.snapshot ? 'drop-snapshot' : undefined),
  removed: remove,
};

/** The next step towards a phase, or undefined when it is reached. Pure. */
export const nextStep = (facts: LocalFacts, phase: Phase): LocalStep | undefined => steps[phase](facts);
