import type { AuditSink } from '../audit/record.ts';
import { roleArn } from '../identity/arn.ts';
import type { IamRole } from '../identity/directory.ts';
import type { LivingDirectory } from '../identity/living-directory.ts';
import { uniqueId } from '../identity/random-keys.ts';
import type { Clock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomId } from '../lib/ids.ts';

const name = 'windsock-execution';

/** Of the execution role of first environments; whether there is one or not. */
export const executionRoleArn = (accountId: string): string => roleArn(accountId, { path: '/', name });

const written = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2);

/** "Amazon MWAA execution role", MWAA user guide. */
const trust = written({
  Effect: 'Allow',
  Principal: { Service: ['airflow.amazonaws.com', 'airflow-env.amazonaws.com'] },
  Action: 'sts:AssumeRole',
});

interface Named {
  readonly environment: string;
  readonly bucket: string;
}
interface Scope {
  readonly accountId: string;
  readonly region: string;
}

/** "Amazon MWAA execution role", MWAA user guide: the policy for a key that AWS owns. */
const policyOf = ({ environment, bucket }: Named, { accountId, region }: Scope): string => {
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

const newRole = (now: number): IamRole => ({
  ...{ kind: 'role', name, path: '/', id: uniqueId('role'), createdAt: now, trust },
  ...{ maxSessionDuration: 3_600, tags: {}, inline: {}, attached: [] },
  description: 'Execution role of the environments that the server makes when it starts.',
});

/** IAM's quota for the inline policies of a role, white space not counted. */
const mostInline = 10_240;

const sizeOf = (documents: readonly string[]): number => documents.join('').replaceAll(/\s/g, '').length;

/** The calls of IAM that would have done the same. */
interface Done {
  readonly eventName: 'CreateRole' | 'PutRolePolicy';
  readonly requestParameters: Readonly<Record<string, string>>;
}

/**
 * Makes the execution role that the first environment names, with the policy for that environment, in one
 * transaction with its audit entries. What is there stays as it is: a role or policy of that name is somebody's, and
 * a policy that finds no more room in the role is left out. Called only when the environment is made, so that a role
 * that was deleted stays deleted.
 */
export const makeExecutionRole = async (
  named: Named,
  d: Scope & { readonly directory: LivingDirectory; readonly audit: AuditSink; readonly clock: Clock },
): Promise<void> => {
  const PolicyName = `MWAA-Execution-Policy-${named.environment}`;
  const PolicyDocument = policyOf(named, d);
  await d.directory.change(
    (draft): readonly Done[] => {
      const before = draft.get('role', name);
      const role = before ?? newRole(d.clock.now());
      const made: readonly Done[] = before
        ? []
        : [
            {
              eventName: 'CreateRole',
              requestParameters: { RoleName: name, Path: '/', AssumeRolePolicyDocument: trust },
            },
          ];
      const full = sizeOf([...Object.values(role.inline), PolicyDocument]) > mostInline;
      if (full || Object.hasOwn(role.inline, PolicyName)) return made;
      draft.put({ ...role, inline: { ...role.inline, [PolicyName]: PolicyDocument } });
      return [
        ...made,
        { eventName: 'PutRolePolicy', requestParameters: { RoleName: name, PolicyName, PolicyDocument } },
      ];
    },
    async (tx, done) => {
      const by = { principal: 'server', sourceIp: 'windsock', userAgent: 'windsock' } as const;
      const entry = { ...by, readOnly: false, eventSource: 'iam.amazonaws.com' };
      for (const what of done) await d.audit.write({ ...entry, ...what, requestId: randomId(12) }, tx);
      failpoint('execution-role:before-commit');
    },
  );
  failpoint('execution-role:after-commit');
};
