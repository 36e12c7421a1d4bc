const written = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2);

/** Who may assume an execution role, as a trust policy ("Amazon MWAA execution role", MWAA user guide). */
export const executionRoleTrust = written({
  Effect: 'Allow',
  Principal: { Service: ['airflow.amazonaws.com', 'airflow-env.amazonaws.com'] },
  Action: 'sts:AssumeRole',
});

/** The environment that a role runs. */
export interface EnvironmentOfRole {
  /** Name of the environment. */
  readonly environment: string;
  /** Name of its bucket. */
  readonly bucket: string;
}

export interface RoleScope {
  readonly accountId: string;
  readonly region: string;
}

/** What the role may do for one environment, as a policy (the same page: the policy for a key that AWS owns). */
export const executionRolePolicy = (
  { environment, bucket }: EnvironmentOfRole,
  { accountId, region }: RoleScope,
): string => {
  const allow = (Action: string | readonly string[], Resource: string | readonly string[]) => ({
    ...{ Effect: 'Allow', Action, Resource },
  });
  const content = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const queueActions = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl'];
  const logActions = ['CreateLogStream', 'CreateLogGroup', 'PutLogEvents', 'GetLogEvents', 'GetLogRecord'];
  return written(
    allow('airflow:PublishMetrics', `arn:aws:airflow:${region}:${accountId}:environment/${environment}`),
    { ...allow('s3:ListAllMyBuckets', content), Effect: 'Deny' },
    allow(['s3:GetObject*', 's3:GetBucket*', 's3:List*'], content),
    allow(
      [...logActions, 'GetLogGroupFields', 'GetQueryResults'].map((action) => `logs:${action}`),
      `arn:aws:logs:${region}:${accountId}:log-group:airflow-${environment}-*`,
    ),
    allow(['logs:DescribeLogGroups', 's3:GetAccountPublicAccessBlock', 'cloudwatch:PutMetricData'], '*'),
    allow(
      [...queueActions, 'ReceiveMessage', 'SendMessage'].map((action) => `sqs:${action}`),
      `arn:aws:sqs:${region}:*:airflow-celery-*`,
    ),
    {
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey*', 'kms:Encrypt'],
      NotResource: `arn:aws:kms:*:${accountId}:key/*`,
      Condition: { StringLike: { 'kms:ViaService': [`sqs.${region}.amazonaws.com`] } },
    },
  );
};

/** The name of that policy in the role. */
export const executionRolePolicyName = (environment: string): string =>
  `MWAA-Execution-Policy-${environment}`;
