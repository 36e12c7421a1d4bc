// Questions about policies, asked of the simulator as tools ask them.
import { beforeEach, expect, test } from 'vitest';
import { allow, outcome, policy, query, trusts } from '../test-query.ts';
import { fakeWorld, root, type World } from '../testing.ts';

const arn = (resource: string) => `arn:aws:iam::${root.accountId}:${resource}`;
const readOnly = 'arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess';
const ann = { PolicySourceArn: arn('user/data/ann') };
const condition = (Condition: object) => ({ Condition });

let world: World;
/** A user with something of every kind: inline, attached, by a group, a boundary. */
beforeEach(async () => {
  world = fakeWorld();
  const document = (...statements: object[]) => ({ PolicyDocument: policy(...statements) });
  const team = condition({ StringEquals: { 'aws:ResourceTag/team': `\${aws:PrincipalTag/team, 'none'}` } });
  const home = condition({ IpAddress: { 'aws:SourceIp': '127.0.0.1' }, Null: { 'AWS:sourceIP': 'false' } });
  await query(world, 'CreateUser', { UserName: 'ann', Path: '/data/' });
  await query(world, 'CreateGroup', { GroupName: 'readers' });
  await query(world, 'AddUserToGroup', { UserName: 'ann', GroupName: 'readers' });
  await query(world, 'PutUserPolicy', {
    UserName: 'ann',
    PolicyName: 'own',
    ...document(allow('airflow:Get*', '*', home)),
  });
  await query(world, 'PutGroupPolicy', {
    GroupName: 'readers',
    PolicyName: 'team',
    ...document(allow('airflow:Get*', '*', team)),
  });
  await query(world, 'CreatePolicy', { PolicyName: 'gets', ...document(allow('airflow:Get*')) });
  await query(world, 'CreatePolicy', { PolicyName: 'edge', ...document(allow('airflow:*')) });
  await query(world, 'AttachUserPolicy', { UserName: 'ann', PolicyArn: arn('policy/gets') });
  await query(world, 'AttachGroupPolicy', { GroupName: 'readers', PolicyArn: readOnly });
  await query(world, 'PutUserPermissionsBoundary', {
    UserName: 'ann',
    PermissionsBoundary: arn('policy/edge'),
  });
});

const simulated = async (given: object = {}) => {
  const ContextEntries = [
    { ContextKeyName: 'aws:SourceIp', ContextKeyValues: ['127.0.0.1'], ContextKeyType: 'ip' },
    { ContextKeyName: 'aws:ResourceTag/team', ContextKeyValues: ['none'], ContextKeyType: 'string' },
  ];
  const asked = { ...ann, ActionNames: ['airflow:GetEnvironment'], ContextEntries, ...given };
  const { result } = await query(world, 'SimulatePrincipalPolicy', asked);
  const [{ EvalDecision, MatchedStatements }] = result.EvaluationResults;
  const from = (MatchedStatements || []).map((s: { SourcePolicyId: string }) => s.SourcePolicyId);
  return [EvalDecision, ...from.map((id: string) => id.replace(/^.*[ /]/, ''))];
};

test('every policy that speaks of the action is named', async () => {
  expect(await simulated()).toEqual(['allowed', 'own', 'gets', 'team', 'AmazonMWAAReadOnlyAccess', 'edge']);
});

const inline = (PolicyName: string, AttachmentType: string, AttachmentName: string) => ({
  InlinePolicyIdentifier: { PolicyName, AttachmentType, AttachmentName },
});

test.each([
  ['inline policies', [{ PolicyType: 'inline' }], ['gets', 'AmazonMWAAReadOnlyAccess', 'edge']],
  ['those of AWS', [{ PolicyType: 'aws-managed' }], ['own', 'gets', 'team', 'edge']],
  [
    'those of the account',
    [{ PolicyType: 'user-managed' }],
    ['own', 'team', 'AmazonMWAAReadOnlyAccess', 'edge'],
  ],
  [
    'the boundary',
    [{ PolicyType: 'permission-boundary' }],
    ['own', 'gets', 'team', 'AmazonMWAAReadOnlyAccess'],
  ],
  [
    'one by its ARN',
    [{ PolicyArn: arn('policy/gets') }],
    ['own', 'team', 'AmazonMWAAReadOnlyAccess', 'edge'],
  ],
  ['some by a pattern', [{ PolicyArn: 'arn:aws:iam::aws:policy/Amazon*' }], ['own', 'gets', 'team', 'edge']],
  ['one of the user', [inline('own', 'user', 'ann')], ['gets', 'team', 'AmazonMWAAReadOnlyAccess', 'edge']],
  [
    'one of the group',
    [inline('team', 'group', 'readers')],
    ['own', 'gets', 'AmazonMWAAReadOnlyAccess', 'edge'],
  ],
  [
    'what is not there',
    [inline('own', 'user', 'bob'), { PolicyType: 'rcp' }],
    ['own', 'gets', 'team', 'AmazonMWAAReadOnlyAccess', 'edge'],
  ],
])('PolicyExclusionList leaves out %s', async (_, PolicyExclusionList, expected) => {
  expect(await simulated({ PolicyExclusionList })).toEqual(['allowed', ...expected]);
});

test('with everything left out nothing is allowed, and what the request brings stays', async () => {
  const PolicyExclusionList = ['inline', 'aws-managed', 'user-managed'].map((PolicyType) => ({ PolicyType }));
  expect(await simulated({ PolicyExclusionList })).toEqual(['implicitDeny', 'edge']);
  const PolicyInputList = [policy(allow('airflow:*'))];
  expect(await simulated({ PolicyExclusionList, PolicyInputList })).toEqual([
    'allowed',
    'PolicyInputList.1',
    'edge',
  ]);
});

test.each([
  [{ PolicyType: 'inline', PolicyArn: arn('policy/gets') }, /exactly one of/],
  [{ PolicyArn: 'arn:aws:iam::*:policy/gets' }, /does not identify managed policies/],
  [{ PolicyArn: arn('policy/a*b*') }, /does not identify managed policies/],
])('PolicyExclusionList refuses %j', async (identifier, text) => {
  const asked = { ...ann, ActionNames: ['airflow:GetEnvironment'], PolicyExclusionList: [identifier] };
  const said = await outcome(world, 'SimulatePrincipalPolicy', asked);
  expect(said).toMatch(/^400 InvalidInput: /);
  expect(said).toMatch(text);
});

test('the guard rail is left out as scp', async () => {
  const Condition = { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } };
  const document = policy(allow(), { ...allow('airflow:*'), Effect: 'Deny', Condition });
  await world.deps.directory.change(
    (draft) => draft.put({ kind: 'guard-rail', name: 'default', document, createdAt: 0 }),
    async () => {},
  );
  const withRail = await simulated();
  const without = await simulated({ PolicyExclusionList: [{ PolicyType: 'scp' }] });
  expect(withRail).toContain('default');
  expect(without).toEqual(['allowed', 'own', 'gets', 'team', 'AmazonMWAAReadOnlyAccess', 'edge']);
});

test('the condition keys that policies ask for are told, once in any spelling', async () => {
  const keys = async (operation: string, given: object) =>
    (await query(world, operation, { ...given })).result.ContextKeyNames;
  expect(await keys('GetContextKeysForPrincipalPolicy', ann)).toEqual([
    'aws:SourceIp',
    'aws:ResourceTag/team',
    'aws:PrincipalTag/team',
  ]);
  const home = allow('airflow:*', `arn:aws:airflow:*:*:role/\${aws:username}-*/User`);
  const given = {
    PolicyInputList: [policy(home, allow('*', '*', condition({ Bool: { 'aws:SecureTransport': true } })))],
  };
  expect(await keys('GetContextKeysForCustomPolicy', given)).toEqual(['aws:username', 'aws:SecureTransport']);
  expect(
    await keys('GetContextKeysForPrincipalPolicy', { PolicySourceArn: arn('group/readers'), ...given }),
  ).toEqual(['aws:ResourceTag/team', 'aws:PrincipalTag/team', 'aws:username', 'aws:SecureTransport']);
  expect(await outcome(world, 'GetContextKeysForPrincipalPolicy', { PolicySourceArn: arn('user/bob') })).toBe(
    `404 NoSuchEntity: The entity ${arn('user/bob')} cannot be found.`,
  );
  expect(await outcome(world, 'GetContextKeysForCustomPolicy', { PolicyInputList: ['{'] })).toMatch(
    /^400 InvalidInput: /,
  );
});

test('a resource policy that names a user is not limited by his boundary, one that names a role is', async () => {
  await query(world, 'CreateRole', {
    ...{ RoleName: 'ci', AssumeRolePolicyDocument: trusts('*'), PermissionsBoundary: readOnly },
  });
  const decision = async (who: string) => {
    const ResourcePolicy = policy({ ...allow('s3:GetObject'), Principal: { AWS: arn(who) } });
    const given = { PolicySourceArn: arn(who), ActionNames: ['s3:GetObject'], ResourcePolicy };
    return (await query(world, 'SimulatePrincipalPolicy', given)).result.EvaluationResults[0].EvalDecision;
  };
  expect(await decision('user/data/ann')).toBe('allowed');
  expect(await decision('role/ci')).toBe('implicitDeny');
});

test('only what is on the page is decided, of as many questions as a request can hold', async () => {
  const ActionNames = Array.from({ length: 900 }, (_, i) => `airflow:Get${i}`);
  const ResourceArns = Array.from({ length: 900 }, (_, i) => `arn:aws:airflow:us-east-1:1:environment/${i}`);
  const { result } = await query(world, 'SimulatePrincipalPolicy', { ...ann, ActionNames, ResourceArns });
  expect(result.EvaluationResults).toHaveLength(100);
  expect(result.IsTruncated).toBe('true');
  const { result: next } = await query(world, 'SimulatePrincipalPolicy', {
    ...{ ...ann, ActionNames, ResourceArns, Marker: result.Marker },
  });
  expect(next.EvaluationResults?.[0]?.EvalResourceName).toBe(ResourceArns[100]);
});

test('a page ends early when its statements are many, and the next goes on where it ended', async () => {
  const many = Array.from({ length: 300 }, () => allow('airflow:Get*'));
  const asked = {
    PolicyInputList: Array.from({ length: 4 }, () => policy(...many)),
    ActionNames: Array.from({ length: 5 }, (_, i) => `airflow:Get${i}`),
  };
  const first = await query(world, 'SimulateCustomPolicy', asked);
  expect(first.result.EvaluationResults).toHaveLength(2);
  const second = await query(world, 'SimulateCustomPolicy', { ...asked, Marker: first.result.Marker });
  expect(
    second.result.EvaluationResults?.map(({ EvalActionName }: { EvalActionName: string }) => EvalActionName),
  ).toEqual([...['airflow:Get2', 'airflow:Get3']]);
  const third = await query(world, 'SimulateCustomPolicy', { ...asked, Marker: second.result.Marker });
  expect([third.result.EvaluationResults?.length, third.result.IsTruncated]).toEqual([1, 'false']);
});

test.each([
  ['patterns with places for any character', allow('*', `arn:aws:s3:::*${'a?'.repeat(520)}b*`)],
  ['values by values', allow('*', '*', condition({ StringLike: { 'aws:x': Array(3_000).fill('*b*') } }))],
])('policies that take too long to be evaluated are refused: %s', async (_name, statement) => {
  const asked = {
    PolicyInputList: [policy(statement)],
    ActionNames: ['s3:GetObject'],
    ResourceArns: [`arn:aws:s3:::${'a'.repeat(2_030)}`],
    ContextEntries: [
      { ContextKeyName: 'aws:x', ContextKeyType: 'string', ContextKeyValues: Array(500).fill('a') },
    ],
  };
  expect(await outcome(world, 'SimulateCustomPolicy', asked)).toMatch(
    /^500 PolicyEvaluation: The policies are too complex to be evaluated for s3:GetObject/,
  );
});

test('there is one permissions boundary', async () => {
  const PermissionsBoundaryPolicyInputList = [policy(allow('*')), policy(allow('*'))];
  const asked = {
    PolicyInputList: [policy(allow('*'))],
    ActionNames: ['s3:Get'],
    PermissionsBoundaryPolicyInputList,
  };
  expect(await outcome(world, 'SimulateCustomPolicy', asked)).toMatch(
    /^400 InvalidInput: .*takes one policy/,
  );
});
