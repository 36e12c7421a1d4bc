import { logGroupName } from '../contract/arn.ts';
import { loggingModules } from '../contract/shapes/members.ts';
import type { EnvironmentRecord } from '../environments/record.ts';

export type LoggingModule = keyof typeof loggingModules;

/** One of MWAA's five logs, as it was asked for. */
export interface LogChoice {
  readonly enabled: boolean;
  readonly level: string;
}

/** Whose log a component's is; the triggerer runs beside the scheduler on MWAA and writes to its log. */
const moduleOf: Readonly<Record<string, LoggingModule>> = {
  webserver: 'WebserverLogs',
  scheduler: 'SchedulerLogs',
  triggerer: 'SchedulerLogs',
  'dag-processor': 'DagProcessingLogs',
};

const choiceOf = ({ spec }: EnvironmentRecord, module: LoggingModule): LogChoice => {
  const all = spec['LoggingConfiguration'] as Partial<Record<LoggingModule, object>> | undefined;
  const given = all?.[module] as { Enabled?: boolean; LogLevel?: string } | undefined;
  return { enabled: given?.Enabled ?? module === 'TaskLogs', level: given?.LogLevel ?? 'INFO' };
};

/** The folder of logs that were not asked for: kept for whoever runs this installation. */
const internalLogs = 'internal';

/** The folder of a component's log, below the environment's logs: the log group's name where it was asked for. */
export const logFolderOf = (record: EnvironmentRecord, component: string): string => {
  const module = moduleOf[component] ?? 'SchedulerLogs';
  return choiceOf(record, module).enabled ? logGroupName(record.name, loggingModules[module]) : internalLogs;
};

/**
 * The levels at which a component and the tasks it starts write. LocalExecutor's workers are the scheduler's own
 * processes, so WorkerLogs has none of its own. Of a task's log that is off only what is critical is kept: Airflow
 * shows it in its pages.
 */
export const logLevelsOf = (record: EnvironmentRecord, component: string) => {
  const tasks = choiceOf(record, 'TaskLogs');
  return {
    component: choiceOf(record, moduleOf[component] ?? 'SchedulerLogs').level,
    tasks: tasks.enabled ? tasks.level : 'CRITICAL',
  };
};
