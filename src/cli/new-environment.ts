import type { ApiClient } from './api-client.ts';
import { CliError, exitCodes } from './errors.ts';
import { makeExecutionRole } from './execution-role.ts';
import type { Connection } from './server.ts';

export interface NewEnvironmentOptions {
  readonly bucket: string;
  readonly dagsPath: string;
  readonly airflowVersion?: string;
  readonly class: string;
  readonly executionRole?: string;
}

/** The role of the options, else one that is made for the environment. Throws CliError where the account is unknown. */
const roleFor = (
  name: string,
  o: NewEnvironmentOptions,
  api: ApiClient,
  { accountId, region }: Connection,
): string | Promise<string> => {
  if (o.executionRole !== undefined) return o.executionRole;
  const bucket = o.bucket.replace(/^arn:aws:s3:::/, '');
  if (accountId !== undefined) return makeExecutionRole(api, name, bucket, { accountId, region });
  throw new CliError('The account is not known, so no execution role can be made.', {
    todo: 'Give one: --execution-role arn:aws:iam::ACCOUNT:role/NAME',
    exitCode: exitCodes.usage,
  });
};

/**
 * The body of CreateEnvironment. A role and a network are required by the API (mwaa 2020-07-01,
 * CreateEnvironmentInput); on one machine the network names nothing, so it says so.
 */
export const environmentBody = async (
  name: string,
  o: NewEnvironmentOptions,
  api: ApiClient,
  to: Connection,
): Promise<object> => ({
  SourceBucketArn: o.bucket.startsWith('arn:') ? o.bucket : `arn:aws:s3:::${o.bucket}`,
  DagS3Path: o.dagsPath,
  ExecutionRoleArn: await roleFor(name, o, api, to),
  EnvironmentClass: o.class,
  NetworkConfiguration: { SubnetIds: ['subnet-local-a', 'subnet-local-b'], SecurityGroupIds: ['sg-local'] },
  ...(o.airflowVersion === undefined ? {} : { AirflowVersion: o.airflowVersion }),
});
