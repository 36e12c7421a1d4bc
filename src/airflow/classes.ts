import type { EnvironmentSpec } from '../environments/record.ts';

interface EnvironmentClass {
  /** Tasks that run at once: MWAA's tasks per worker, for the one worker of this machine. */
  readonly tasksAtOnce: number;
  /** Connections to PostgreSQL at once, at most: what was measured (docs/measurements.md) and half as many again. */
  readonly connections: number;
  /** GiB that one process may take: the memory of MWAA's worker of this class (MWAA guide, "Environment class"). */
  readonly processMemory: number;
  /** Processes and threads of an environment at once, at most (RLIMIT_NPROC): an idle one has 30, pools of threads many. */
  readonly mostProcesses: number;
}

const classes: Readonly<Record<string, EnvironmentClass>> = {
  'mw1.micro': { tasksAtOnce: 3, connections: 30, processMemory: 3, mostProcesses: 1024 },
  'mw1.small': { tasksAtOnce: 5, connections: 30, processMemory: 2, mostProcesses: 1024 },
  'mw1.medium': { tasksAtOnce: 10, connections: 40, processMemory: 4, mostProcesses: 2048 },
  'mw1.large': { tasksAtOnce: 20, connections: 60, processMemory: 8, mostProcesses: 4096 },
  'mw1.xlarge': { tasksAtOnce: 40, connections: 100, processMemory: 24, mostProcesses: 8192 },
  'mw1.2xlarge': { tasksAtOnce: 80, connections: 170, processMemory: 48, mostProcesses: 16384 },
};

const small: EnvironmentClass = { tasksAtOnce: 5, connections: 30, processMemory: 2, mostProcesses: 1024 };

/** GiB that an idle environment takes, and each task that runs (docs/measurements.md), with room to spare. */
const memory = { idle: 1, task: 0.1 };
/** Tasks that a core works on at once, at most: more only wait for each other. */
const tasksPerCore = 8;

/** The numbers of an environment that say how much of it runs. */
export interface Sizes {
  readonly environmentClass: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly schedulers: number;
  readonly minWebservers: number;
}

/** What runs on this one machine for these sizes; docs/environment-sizes.md has the table. */
export interface Processes {
  /** Tasks at once: LocalExecutor's parallelism. */
  readonly parallelism: number;
  /** Processes that read DAG files. */
  readonly parsing: number;
  /** Worker processes of the web server. */
  readonly web: number;
}

const numberOf = (spec: EnvironmentSpec, name: string, otherwise: number): number =>
  typeof spec[name] === 'number' ? spec[name] : otherwise;

export const sizesOf = (spec: EnvironmentSpec): Sizes => ({
  environmentClass: spec.EnvironmentClass,
  minWorkers: numberOf(spec, 'MinWorkers', 1),
  maxWorkers: numberOf(spec, 'MaxWorkers', 1),
  schedulers: numberOf(spec, 'Schedulers', 1),
  minWebservers: numberOf(spec, 'MinWebservers', 1),
});

/** GiB that each process of an environment may take; an unknown class counts as mw1.small. */
export const processMemoryOf = (environmentClass: string): number =>
  (classes[environmentClass] ?? small).processMemory;

/** MiB of /dev/shm that a component or a command may take, a quarter of what a process may. */
export const sharedMemoryOf = (environmentClass: string): number => processMemoryOf(environmentClass) * 256;

/** Tasks per worker of a class; an unknown class counts as mw1.small. */
const tasksAtOnceOf = (environmentClass: string): number => (classes[environmentClass] ?? small).tasksAtOnce;

/**
 * Airflow 3 starts a process for a task when there is one, up to MaxWorkers' worth; Airflow 2 starts all of them at
 * once and keeps them, so there it is MinWorkers' worth. Of schedulers and web servers MWAA runs at least two, for
 * two availability zones: the one that this machine does not need is left out.
 */
export const processesFor = (major: 2 | 3, sizes: Sizes, cores: number): Processes => {
  const tasks = tasksAtOnceOf(sizes.environmentClass);
  const least = tasks * sizes.minWorkers;
  const most = Math.min(tasks * sizes.maxWorkers, cores * tasksPerCore);
  return {
    parallelism: major === 2 ? least : Math.max(least, most),
    parsing: Math.max(1, sizes.schedulers - 1),
    web: Math.max(1, sizes.minWebservers - 1),
  };
};

/** GiB of memory that a machine must have for one environment of this class at work. */
const memoryNeeded = (environmentClass: string): number =>
  Math.ceil(memory.idle + memory.task * tasksAtOnceOf(environmentClass));

const gibibyte = 1024 ** 3;

/** Why a machine with so many bytes of memory cannot run an environment of this class; undefined when it can. */
export const classFault = (environmentClass: string, memoryOfMachine: number): string | undefined => {
  const needed = memoryNeeded(environmentClass);
  // a machine sold with 2 GiB has a little less
  if (needed * gibibyte * 0.9 <= memoryOfMachine) return undefined;
  const there = (memoryOfMachine / gibibyte).toFixed(1);
  return `EnvironmentClass ${environmentClass} needs ${needed} GiB of memory for its tasks, and this machine has ${there}. Use a smaller class.`;
};

/** Processes and threads for each task that runs at once, where there are more than the class has for a worker. */
const processesPerTask = 64;

/**
 * Processes and threads that the account of an environment may have: those of its class (an unknown one counts as
 * mw1.small), or more where many tasks run at once, up to those of the largest class.
 */
export const mostProcessesOf = (environmentClass: string, parallelism: number): number => {
  const most = Math.max(...Object.values(classes).map((one) => one.mostProcesses));
  const own = (classes[environmentClass] ?? small).mostProcesses;
  return Math.max(own, Math.min(processesPerTask * parallelism, most));
};

/** The connections of an environment of the largest class. */
export const mostConnections = Math.max(...Object.values(classes).map((one) => one.connections));

/**
 * The connections to PostgreSQL that an environment may have: those of its class (an unknown one counts as
 * mw1.small), or of a class with so many tasks as run at once.
 */
export const connectionsOf = (environmentClass: string, parallelism: number): number => {
  const own = classes[environmentClass] ?? small;
  const roomy = Object.values(classes).find((one) => one.tasksAtOnce >= parallelism);
  return Math.max(own.connections, roomy?.connections ?? mostConnections);
};
