import { CliError, exitCodes } from './errors.ts';

export interface NewEnvironmentOptions {
  readonly bucket: string;
  readonly dagsPath: string;
  readonly airflowVersion?: string;
  readonly class: string;
  readonly executionRole?: string;
}

const roleArn = (name: string, given: string | undefined, accountId: string | undefined): string => {
  if (given !== undefined) return given;
  if (accountId !== undefined) return `arn:aws:iam::${accountId}:role/windsock-${name}`;
  throw new CliError('The account is not known, so the execution role has no default.', {
    todo: 'Give it: --execution-role arn:aws:iam::ACCOUNT:role/NAME',
    exitCode: exitCodes.usage,
  });
};

/**
 * The body of CreateEnvironment. A role and a network are required by the API (mwaa 2020-07-01,
 * CreateEnvironmentInput); on one machine they name nothing, so these say so.
 */
export const environmentBody = (
  name: string,
  o: NewEnvironmentOptions,
  accountId: string | undefined,
): object => ({
  SourceBucketArn: o.bucket.startsWith('arn:') ? o.bucket : `arn:aws:s3:::${o.bucket}`,
  DagS3Path: o.dagsPath,
  ExecutionRoleArn: roleArn(name, o.executionRole, accountId),
  EnvironmentClass: o.class,
  NetworkConfiguration: { SubnetIds: ['subnet-local-a', 'subnet-local-b'], SecurityGroupIds: ['sg-local'] },
  ...(o.airflowVersion === undefined ? {} : { AirflowVersion: o.airflowVersion }),
});
