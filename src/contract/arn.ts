import type { AirflowRole } from './roles.ts';

/** Where an environment lives: the parts that all of its ARNs share. */
export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

/** Service Authorization Reference, Amazon MWAA: resource type `environment`. */
export const environmentArn = (scope: Scope, name: string): string =>
  `arn:aws:airflow:${scope.region}:${scope.accountId}:environment/${name}`;

/** The parts of an environment's ARN; undefined when it is none. */
export const readEnvironmentArn = (
  arn: string,
): (Scope & { readonly partition: string; readonly name: string }) | undefined => {
  const found = /^arn:([a-z-]+):airflow:([a-z0-9-]+):(\d{12}):environment\/(.+)$/.exec(arn);
  const [, partition, region, accountId, name] = found ?? [];
  return partition && region && accountId && name ? { partition, region, accountId, name } : undefined;
};

/** Service Authorization Reference, Amazon MWAA: resource type `rbac-role`. */
export const airflowRoleArn = (scope: Scope, environmentName: string, role: AirflowRole): string =>
  `arn:aws:airflow:${scope.region}:${scope.accountId}:role/${environmentName}/${role}`;

/** The name of the environment that an ARN means, its own or that of one of its roles; undefined for anything elsewhere. */
export const environmentNameOf = (arn: string, { region, accountId }: Scope): string | undefined => {
  const prefix = `arn:aws:airflow:${region}:${accountId}:`;
  if (!arn.startsWith(prefix)) return undefined;
  return /^(?:environment\/([^/]+)|role\/([^/]+)\/[^/]+)$/
    .exec(arn.slice(prefix.length))
    ?.slice(1)
    .find((name) => name !== undefined);
};

/** `my-bucket` of `arn:aws:s3:::my-bucket`; of what is no ARN the text itself. */
export const bucketNameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** What the keys below a folder of a bucket begin with: empty for the whole bucket, else with `/` at its end. */
export const prefixOf = (path: string): string =>
  path
    .split('/')
    .filter(Boolean)
    .map((segment) => `${segment}/`)
    .join('');

export const rootArn = (accountId: string): string => `arn:aws:iam::${accountId}:root`;

/** The service-linked role that MWAA shows as ServiceRoleArn. */
export const serviceRoleArn = (accountId: string): string =>
  `arn:aws:iam::${accountId}:role/aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA`;

/** Name of the log group of one module: `airflow-{environment}-{Module}` (MWAA user guide, "Viewing logs"). */
export const logGroupName = (environmentName: string, module: string): string =>
  `airflow-${environmentName}-${module}`;

export const logGroupArn = (scope: Scope, environmentName: string, module: string): string =>
  `arn:aws:logs:${scope.region}:${scope.accountId}:log-group:${logGroupName(environmentName, module)}`;
