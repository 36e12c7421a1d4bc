interface EnvironmentClass {
  /** Tasks that run at once: MWAA's tasks per worker, for the one worker of this machine. */
  readonly tasksAtOnce: number;
  /** Connections to PostgreSQL at once, at most: what was measured (docs/measurements.md) and half as many again. */
  readonly connections: number;
}

const classes: Readonly<Record<string, EnvironmentClass>> = {
  'mw1.micro': { tasksAtOnce: 3, connections: 30 },
  'mw1.small': { tasksAtOnce: 5, connections: 30 },
  'mw1.medium': { tasksAtOnce: 10, connections: 40 },
  'mw1.large': { tasksAtOnce: 20, connections: 60 },
  'mw1.xlarge': { tasksAtOnce: 40, connections: 100 },
  'mw1.2xlarge': { tasksAtOnce: 80, connections: 170 },
};

const small: EnvironmentClass = { tasksAtOnce: 5, connections: 30 };

/** LocalExecutor's parallelism for a class; an unknown class counts as mw1.small. */
export const parallelismOf = (environmentClass: string): number =>
  (classes[environmentClass] ?? small).tasksAtOnce;

/** The connections of an environment of the largest class. */
export const mostConnections = Math.max(...Object.values(classes).map((one) => one.connections));

/**
 * The connections to PostgreSQL that an environment may have: those of its class (an unknown one counts as
 * mw1.small), or of a class with so many tasks as its own `core.parallelism` asks for.
 */
export const connectionsOf = (environmentClass: string, parallelism = 0): number => {
  const own = classes[environmentClass] ?? small;
  const roomy = Object.values(classes).find((one) => one.tasksAtOnce >= parallelism);
  return Math.max(own.connections, roomy?.connections ?? mostConnections);
};
