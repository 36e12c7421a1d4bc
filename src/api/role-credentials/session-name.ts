import { createHash } from 'node:crypto';
import { roleCredentialsQuery } from '../../contract/role-credentials.ts';

/** Characters of a role session's name (STS API reference, AssumeRole). */
const longest = 64;

/** The task that a process says it works for; it is the environment's own word, and read as no more than that. */
export interface ToldTask {
  readonly dagId: string;
  readonly taskId: string;
}

const longestId = 250;

/** What stands in the query; undefined unless it names both. */
export const toldTask = (query: string): ToldTask | undefined => {
  const asked = new URLSearchParams(query);
  const [dagId, taskId] = [asked.get(roleCredentialsQuery.dag), asked.get(roleCredentialsQuery.task)];
  return dagId && taskId
    ? { dagId: dagId.slice(0, longestId), taskId: taskId.slice(0, longestId) }
    : undefined;
};

/** Characters of an environment's name that are left as they are: the task has room behind them. */
const longestEnvironment = 40;

/** Two long names that begin alike stay two. */
const shortName = (environment: string): string => {
  if (environment.length <= longestEnvironment) return environment;
  const hash = createHash('sha256').update(environment).digest('hex').slice(0, 8);
  return `${environment.slice(0, longestEnvironment - 9)}-${hash}`;
};

/**
 * `demo`, or `demo.my_dag.my_task`: shortened to what STS takes. No environment has a full stop in its name, so nothing
 * that a DAG is called makes it look like the session of another environment.
 */
export const sessionNameOf = (environment: string, task: ToldTask | undefined): string => {
  const own = shortName(environment);
  const parts = task === undefined ? [own] : [own, task.dagId, task.taskId];
  const name = parts.join('.').replaceAll(/[^\w+=,.@-]/g, '_');
  // STS asks for two characters at least
  return name.slice(0, longest).padEnd(2, '.');
};
