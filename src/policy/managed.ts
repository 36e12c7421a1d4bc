/** A policy that is there from the beginning and cannot be changed. */
export interface ReadyMadePolicy {
  /** Its unique id. */
  readonly id: string;
  readonly description: string;
  /** The document, for the account that it is used in. */
  readonly document: (accountId: string) => string;
}

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

const written = (...Statement: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2);

const allow = (Action: Statement['Action'], Resource: Statement['Resource'] = '*'): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
});

const passRole: Statement = {
  ...allow('iam:PassRole'),
  Condition: { StringLike: { 'iam:PassedToService': 'airflow.amazonaws.com' } },
};

const environments = (accountId: string) => `arn:aws:airflow:*:${accountId}:environment/*`;
const roles = (accountId: string) => `arn:aws:airflow:*:${accountId}:role/*/*`;

const policies: Readonly<Record<string, Omit<ReadyMadePolicy, 'id'>>> = {
  AdministratorAccess: {
    description: 'Everything, everywhere.',
    document: () => written(allow('*')),
  },
  IAMReadOnlyAccess: {
    description: 'Looks at users, groups, roles and policies, and simulates policies.',
    document: () =>
      written(allow(['iam:Get*', 'iam:List*', 'iam:Simulate*', 'iam:GenerateCredentialReport'])),
  },
  AmazonMWAAFullConsoleAccess: {
    description: 'All of Amazon MWAA, with what its console asks of other services.',
    document: () =>
      written(
        allow('airflow:*'),
        passRole,
        allow(['iam:ListRoles', 'iam:CreatePolicy', 'iam:AttachRolePolicy', 'iam:CreateRole']),
        allow(['s3:GetBucketLocation', 's3:ListAllMyBuckets', 's3:ListBucket', 's3:ListBucketVersions']),
        allow(['ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs', 'kms:ListAliases']),
      ),
  },
  AmazonMWAAFullApiAccess: {
    description: 'All of Amazon MWAA over its API: also every Airflow role, Admin among them.',
    document: () => written(allow('airflow:*'), passRole),
  },
  AmazonMWAAReadOnlyAccess: {
    description: 'Looks at environments; opens none.',
    document: () =>
      written(allow(['airflow:ListEnvironments', 'airflow:GetEnvironment', 'airflow:ListTagsForResource'])),
  },
  AmazonMWAAWebServerAccess: {
    description: 'Signs in to the Airflow UI of every environment, with every Airflow role.',
    document: (accountId) => written(allow('airflow:CreateWebLoginToken', roles(accountId))),
  },
  AmazonMWAARestAPIAccess: {
    description: 'Calls Airflow’s REST API of every environment, with every Airflow role.',
    document: (accountId) => written(allow('airflow:InvokeRestApi', roles(accountId))),
  },
  AmazonMWAAAirflowCliAccess: {
    description: 'Runs Airflow commands in every environment.',
    document: (accountId) => written(allow('airflow:CreateCliToken', environments(accountId))),
  },
};

/** `ANPA` and seventeen characters that follow from the name. */
const idOf = (name: string): string =>
  `ANPA${name
    .toUpperCase()
    .replaceAll(/[^A-Z]/g, '')
    .padEnd(17, 'X')
    .slice(0, 17)}`;

/**
 * The ready-made policies by ARN: those that the MWAA user guide names ("Accessing an Amazon MWAA environment"), and
 * two of AWS's own that tools expect.
 */
export const managedPolicies: ReadonlyMap<string, ReadyMadePolicy> = new Map(
  Object.entries(policies).map(([name, policy]) => [
    `arn:aws:iam::aws:policy/${name}`,
    { ...policy, id: idOf(name) },
  ]),
);
