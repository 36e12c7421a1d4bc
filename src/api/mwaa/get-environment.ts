import { logGroupArn, type Scope, serviceRoleArn } from '../../contract/arn.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { loggingModules } from '../../contract/shapes/members.ts';
import type { EnvironmentRecord, LastUpdate } from '../../environments/record.ts';
import { isSettled } from '../../environments/status.ts';
import type { Operation } from '../operation.ts';
import { stoppedText } from './check-status.ts';
import { findEnvironment } from './find.ts';
import { onEnvironment } from './rights.ts';

const maxErrorMessage = 1024;

const seconds = (milliseconds: number): number => milliseconds / 1000;

/** Always there: Terraform's provider reads it without asking. */
const lastUpdateOf = ({
  Status,
  CreatedAt,
  Source,
  WorkerReplacementStrategy,
  Error: error,
}: LastUpdate) => ({
  Status,
  CreatedAt: seconds(CreatedAt),
  ...(Source === undefined ? {} : { Source }),
  ...(WorkerReplacementStrategy === undefined ? {} : { WorkerReplacementStrategy }),
  ...(error === undefined
    ? {}
    : {
        Error: { ErrorCode: error.ErrorCode, ErrorMessage: error.ErrorMessage.slice(0, maxErrorMessage) },
      }),
});

/** What a settled environment has to say now: the one member that the model has for it. */
const withTrouble = (e: EnvironmentRecord): LastUpdate => {
  const { Error: error, ...last } = e.lastUpdate;
  if (!isSettled(e.status) || (error !== undefined && last.Status !== 'SUCCESS')) return e.lastUpdate;
  const say = (ErrorCode: string, ErrorMessage: string) => ({ ...last, Error: { ErrorCode, ErrorMessage } });
  if (e.suspended) return say('ENVIRONMENT_STOPPED', stoppedText(e.name));
  return e.progress === undefined ? last : say('COMPONENT_TROUBLE', e.progress);
};

const loggingOf = (given: unknown, scope: Scope, name: string) =>
  Object.fromEntries(
    Object.entries(loggingModules).map(([module, group]) => [
      module,
      {
        ...(given as Record<string, object> | undefined)?.[module],
        CloudWatchLogGroupArn: logGroupArn(scope, name, group),
      },
    ]),
  );

/** While an update is under way, what is true until it has succeeded. */
const shownSpec = (e: EnvironmentRecord) => e.update?.previous ?? e.spec;

/**
 * The record as the model's Environment: each member of the spec comes back exactly as it was given. Options and tags
 * are there when there are none, too: AWS answers so, and its own verify_env.py relies on it.
 */
const environmentOf = (e: EnvironmentRecord) => ({
  AirflowConfigurationOptions: {},
  ...shownSpec(e),
  Name: e.name,
  Status: e.status,
  Arn: e.arn,
  Tags: e.tags,
  CreatedAt: seconds(e.createdAt),
  ServiceRoleArn: serviceRoleArn(e.accountId),
  LoggingConfiguration: loggingOf(shownSpec(e)['LoggingConfiguration'], e, e.name),
  LastUpdate: lastUpdateOf(withTrouble(e)),
  // A bare host name: the guide shows it so, whatever the model's pattern says.
  ...(e.webserverHostname === undefined ? {} : { WebserverUrl: e.webserverHostname }),
});

export const getEnvironment: Operation = {
  name: 'GetEnvironment',
  input: environmentNameInput,
  action: 'airflow:GetEnvironment',
  checks: onEnvironment('airflow:GetEnvironment'),
  auditsSuccess: false,
  execute: async (call, deps) => ({ Environment: environmentOf(await findEnvironment(call, deps)) }),
};
