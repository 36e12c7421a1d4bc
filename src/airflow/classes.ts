/** Tasks that run at once, by environment class: MWAA's tasks per worker, for the one worker of this machine. */
const tasksAtOnce: Readonly<Record<string, number>> = {
  'mw1.micro': 3,
  'mw1.small': 5,
  'mw1.medium': 10,
  'mw1.large': 20,
  'mw1.xlarge': 40,
  'mw1.2xlarge': 80,
};

/** LocalExecutor's parallelism for a class; an unknown class counts as mw1.small. */
export const parallelismOf = (environmentClass: string): number => tasksAtOnce[environmentClass] ?? 5;
