// Users, groups, keys, roles and policies over the aws cli, as people type it: answers, text output, and errors.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type RootKey, rootKey } from '../harness/mwaa.ts';
import { runProgram } from '../harness/python.ts';
import type { Place } from '../harness/server.ts';
import { plainEnvironment, tools } from '../harness/tools.ts';
import { useServer } from '../harness/use-server.ts';

interface Key {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken?: string;
}
type Json = Readonly<Record<string, never>>;

let place: Place;
let root: RootKey;

const used = useServer();
beforeAll(async () => {
  ({ place } = used);
  root = rootKey(place);
});

/** A person with an access key at a terminal. */
const terminal = (key?: Key) => {
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = root;
  const own: Key = key ?? { AccessKeyId, SecretAccessKey };
  const home = join(place.folder, own.AccessKeyId);
  mkdirSync(home, { recursive: true });
  const endpoint = `http://localhost:${place.ports.api}`;
  const env = {
    ...plainEnvironment(home),
    ...{ AWS_ENDPOINT_URL_IAM: endpoint, AWS_ENDPOINT_URL_STS: endpoint, AWS_DEFAULT_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: own.AccessKeyId, AWS_SECRET_ACCESS_KEY: own.SecretAccessKey },
    ...(own.SessionToken === undefined ? {} : { AWS_SESSION_TOKEN: own.SessionToken }),
  };
  return (...args: string[]) => runProgram(join(tools().clients, 'bin', 'aws'), args, { env });
};
type Terminal = ReturnType<typeof terminal>;

/** What is printed; fails when the command does. */
const text = async (aws: Terminal, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await aws(...args);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout.trim();
};
// biome-ignore lint/suspicious/noExplicitAny: what a test expects says what is there
const json = async (aws: Terminal, ...args: string[]): Promise<any> =>
  JSON.parse((await text(aws, ...args, '--output', 'json')) || '{}');
/** The line on stderr of a command that fails. */
const fault = async (aws: Terminal, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await aws(...args);
  expect(code, stdout).not.toBe(0);
  return stderr.trim();
};

const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action: unknown, Resource: unknown = '*') => ({ Effect: 'Allow', Action, Resource });
/** A policy in a file, as people have them. */
const file = (name: string, content: string): string => {
  const path = join(place.folder, name);
  writeFileSync(path, content);
  return `file://${path}`;
};
const arn = (resource: string) => `arn:aws:iam::${root.accountId}:${resource}`;

test('users, groups, keys and policies', async () => {
  const aws = terminal();
  expect(await text(aws, 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text')).toBe(
    arn('root'),
  );
  const { User } = await json(
    aws,
    ...'iam create-user --user-name ann --path /data/ --tags Key=team,Value=a=b'.split(' '),
  );
  expect(User).toMatchObject({
    UserName: 'ann',
    Path: '/data/',
    Arn: arn('user/data/ann'),
    Tags: [{ Key: 'team', Value: 'a=b' }],
  });
  expect(User.UserId).toMatch(/^AIDA[A-Z2-7]{17}$/);
  expect(User.CreateDate).toMatch(/^\d{4}-\d\d-\d\dT/);
  await text(aws, 'iam', 'create-group', '--group-name', 'readers');
  await text(aws, ...'iam add-user-to-group --group-name readers --user-name ann'.split(' '));
  await text(
    aws,
    ...'iam attach-group-policy --group-name readers --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess'.split(
      ' ',
    ),
  );
  const own = file(
    'own.json',
    `${JSON.stringify(JSON.parse(document(allow('iam:ChangePassword', '*'))), undefined, 2)}\n`,
  );
  await text(
    aws,
    ...'iam put-user-policy --user-name ann --policy-name own --policy-document'.split(' '),
    own,
  );
  const { PolicyDocument } = await json(
    aws,
    ...'iam get-user-policy --user-name ann --policy-name own'.split(' '),
  );
  expect(PolicyDocument).toEqual(JSON.parse(document(allow('iam:ChangePassword'))));

  const { AccessKey } = await json(aws, 'iam', 'create-access-key', '--user-name', 'ann');
  const ann = terminal(AccessKey);
  expect(
    await text(
      ann,
      ...'iam list-groups-for-user --user-name ann --query Groups[].GroupName --output text'.split(' '),
    ),
  ).toBe('readers');
  expect((await json(ann, 'iam', 'get-user')).User.Arn).toBe(arn('user/data/ann'));
  expect(await fault(ann, 'iam', 'create-user', '--user-name', 'bob')).toBe(
    `An error occurred (AccessDenied) when calling the CreateUser operation: User: ${arn('user/data/ann')} is not authorized to perform: iam:CreateUser on resource: ${arn('user/bob')} because no identity-based policy allows the iam:CreateUser action`,
  );
  expect(
    (await json(aws, 'iam', 'get-access-key-last-used', '--access-key-id', AccessKey.AccessKeyId))
      .AccessKeyLastUsed,
  ).toMatchObject({
    ServiceName: 'iam',
    Region: 'us-east-1',
  });
}, 120_000);

test('text output is the columns that scripts cut', async () => {
  const aws = terminal();
  for (const name of ['x1', 'x2', 'x3'])
    await text(aws, 'iam', 'create-group', '--group-name', name, '--path', '/x/');
  const list = ['iam', 'list-groups', '--path-prefix', '/x/', '--output', 'text'];
  const rows = (await text(aws, ...list)).split('\n').map((line) => line.split('\t'));
  expect(rows.map(([kind, address, , , name, path]) => [kind, address, name, path])).toEqual(
    ['x1', 'x2', 'x3'].map((name) => ['GROUPS', arn(`group/x/${name}`), name, '/x/']),
  );
  const names = [...list, '--query', 'Groups[].GroupName'];
  expect(await text(aws, ...names)).toBe('x1\tx2\tx3');
  expect((await text(aws, ...names, '--page-size', '1')).split(/\s+/)).toEqual(['x1', 'x2', 'x3']);
  const first = await json(aws, ...list.slice(0, -2), '--max-items', '2');
  expect(first.Groups).toHaveLength(2);
  const rest = await json(aws, ...list.slice(0, -2), '--starting-token', first.NextToken);
  expect(rest.Groups.map(({ GroupName }: { GroupName: string }) => GroupName)).toEqual(['x3']);
}, 120_000);

test('a role is assumed, by a command and by a profile; what temporary credentials may not call is told', async () => {
  const aws = terminal();
  await text(aws, 'iam', 'create-user', '--user-name', 'eve');
  const { AccessKey } = await json(aws, 'iam', 'create-access-key', '--user-name', 'eve');
  const trust = document({
    Effect: 'Allow',
    Principal: { AWS: arn('user/eve') },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  });
  await text(
    aws,
    'iam',
    'create-role',
    '--role-name',
    'ci',
    '--assume-role-policy-document',
    file('trust.json', trust),
  );
  await text(
    aws,
    ...'iam put-role-policy --role-name ci --policy-name look --policy-document'.split(' '),
    document(allow('iam:List*')),
  );
  const eve = terminal(AccessKey);
  const { Credentials, AssumedRoleUser } = await json(
    eve,
    ...`sts assume-role --role-arn ${arn('role/ci')} --role-session-name run-1 --tags Key=team,Value=data`.split(
      ' ',
    ),
  );
  const session = `arn:aws:sts::${root.accountId}:assumed-role/ci/run-1`;
  expect(AssumedRoleUser.Arn).toBe(session);
  const run = terminal(Credentials);
  expect(await text(run, 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text')).toBe(session);
  expect(await text(run, ...'iam list-roles --query Roles[].RoleName --output text'.split(' '))).toBe('ci');
  expect(await fault(run, 'sts', 'get-session-token')).toBe(
    'An error occurred (AccessDenied) when calling the GetSessionToken operation: Cannot call GetSessionToken with session credentials',
  );
  expect(
    await fault(aws, ...`sts assume-role --role-arn ${arn('role/ci')} --role-session-name root`.split(' ')),
  ).toBe(
    'An error occurred (AccessDenied) when calling the AssumeRole operation: Roles may not be assumed by root accounts.',
  );
  const token = terminal(
    (await json(eve, 'sts', 'get-session-token', '--duration-seconds', '900')).Credentials,
  );
  expect(await text(token, 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text')).toBe(
    arn('user/eve'),
  );
  expect(await fault(token, 'iam', 'list-users')).toBe(
    'An error occurred (InvalidClientTokenId) when calling the ListUsers operation: The security token included in the request is invalid.',
  );

  const config = join(place.folder, AccessKey.AccessKeyId, '.aws', 'config');
  mkdirSync(join(config, '..'), { recursive: true });
  writeFileSync(
    config,
    `[profile ci]\nrole_arn = ${arn('role/ci')}\ncredential_source = Environment\nrole_session_name = run-2\n`,
  );
  expect(
    await text(eve, ...'sts get-caller-identity --query Arn --output text --profile ci'.split(' ')),
  ).toBe(session.replace('run-1', 'run-2'));
}, 120_000);

test('the simulator says what is decided and by which statement', async () => {
  const aws = terminal();
  await text(aws, 'iam', 'create-user', '--user-name', 'sim');
  const own = document(allow('airflow:Get*'), {
    ...allow('airflow:GetEnvironment', `arn:aws:airflow:us-east-1:${root.accountId}:environment/secret`),
    Effect: 'Deny',
  });
  await text(
    aws,
    ...'iam put-user-policy --user-name sim --policy-name own --policy-document'.split(' '),
    own,
  );
  const simulate = [
    'iam',
    'simulate-principal-policy',
    '--policy-source-arn',
    arn('user/sim'),
    '--action-names',
    'airflow:GetEnvironment',
    'airflow:ListEnvironments',
  ];
  const environment = (name: string) => `arn:aws:airflow:us-east-1:${root.accountId}:environment/${name}`;
  const shown = ['--query', 'EvaluationResults[].[EvalActionName,EvalDecision]', '--output', 'text'];
  expect(await text(aws, ...simulate, '--resource-arns', environment('demo'), ...shown)).toBe(
    'airflow:GetEnvironment\tallowed\nairflow:ListEnvironments\timplicitDeny',
  );
  expect(await text(aws, ...simulate, '--resource-arns', environment('secret'), ...shown)).toMatch(
    /^airflow:GetEnvironment\texplicitDeny$/m,
  );
  const without = await json(aws, ...simulate, '--policy-exclusion-list', 'PolicyType=inline');
  expect(without.EvaluationResults[0]).toMatchObject({ EvalDecision: 'implicitDeny', MatchedStatements: [] });
  const keys = await json(
    aws,
    'iam',
    'get-context-keys-for-custom-policy',
    '--policy-input-list',
    document({ ...allow('*'), Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
  );
  expect(keys).toEqual({ ContextKeyNames: ['aws:SecureTransport'] });
}, 120_000);

test('managed policies have versions, and the whole account is told at once', async () => {
  const aws = terminal();
  const created = await json(
    aws,
    ...'iam create-policy --policy-name edge --policy-document'.split(' '),
    document(allow('airflow:*')),
  );
  expect(created.Policy).toMatchObject({
    Arn: arn('policy/edge'),
    DefaultVersionId: 'v1',
    AttachmentCount: 0,
    IsAttachable: true,
  });
  await text(
    aws,
    ...`iam create-policy-version --set-as-default --policy-arn ${arn('policy/edge')} --policy-document`.split(
      ' ',
    ),
    document(allow('airflow:Get*')),
  );
  const version = await json(
    aws,
    ...`iam get-policy-version --version-id v2 --policy-arn ${arn('policy/edge')}`.split(' '),
  );
  expect(version.PolicyVersion.Document).toEqual(JSON.parse(document(allow('airflow:Get*'))));
  const all = await json(aws, 'iam', 'get-account-authorization-details');
  const names = (list: Json[], member: string) => list.map((item) => item[member]);
  expect(names(all.UserDetailList, 'UserName')).toEqual(expect.arrayContaining(['ann', 'eve', 'sim']));
  expect(names(all.RoleDetailList, 'RoleName')).toEqual(['ci']);
  const edge = all.Policies.find((policy: Json) => policy['PolicyName'] === 'edge');
  expect(edge.PolicyVersionList.map((v: Json) => [v['VersionId'], v['IsDefaultVersion']])).toEqual(
    expect.arrayContaining([
      ['v1', false],
      ['v2', true],
    ]),
  );
  const ann = all.UserDetailList.find((user: Json) => user['UserName'] === 'ann');
  expect(ann).toMatchObject({
    GroupList: ['readers'],
    UserPolicyList: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17' } }],
  });
}, 120_000);

test.each([
  ['get-user --user-name nobody', 'NoSuchEntity', 'GetUser', 'The user with name nobody cannot be found.'],
  ['create-user --user-name ANN', 'EntityAlreadyExists', 'CreateUser', 'User with name ANN already exists.'],
  [
    'delete-user --user-name ann',
    'DeleteConflict',
    'DeleteUser',
    'Cannot delete entity, must delete access keys first.',
  ],
  [
    'delete-group --group-name readers',
    'DeleteConflict',
    'DeleteGroup',
    'Cannot delete entity, must remove users from group first.',
  ],
  [
    'put-user-policy --user-name ann --policy-name x --policy-document {',
    'MalformedPolicyDocument',
    'PutUserPolicy',
    'Syntax errors in policy. (line 1, column 2: close brace expected)',
  ],
  [
    'create-login-profile --user-name ann --password x',
    'InvalidAction',
    'CreateLoginProfile',
    'Could not find operation CreateLoginProfile for version 2010-05-08',
  ],
])('iam %s fails as on AWS', async (command, code, operation, message) => {
  expect(await fault(terminal(), 'iam', ...command.split(' '))).toBe(
    `An error occurred (${code}) when calling the ${operation} operation: ${message}`,
  );
});
