// The truth table of policy evaluation within one account (IAM User Guide, "Policy evaluation logic" and the reference of
// the policy elements). Cases I01 to I39 have their numbers in their names.
import { describe, expect, test } from 'vitest';
import { deniedText } from './denied-text.ts';
import { evaluate, evaluateTrust, type Policies } from './evaluate.ts';
import { parsePolicy } from './parse.ts';
import {
  account,
  airflow,
  allow,
  ann,
  deny,
  type Given,
  identity,
  policy,
  request,
  root,
  session,
} from './testing.ts';

const get = 'airflow:GetEnvironment';
const boundary = (...statements: readonly Given[]) => ({ boundary: policy('boundary', ...statements) });
const sessions = (...statements: readonly Given[]) => ({ session: [policy('session', ...statements)] });
const rails = (...statements: readonly Given[]) => ({ guardRails: [policy('guard-rail', ...statements)] });
const resource = (Effect: string, Principal: unknown, more: Given = {}) => ({
  resource: policy('resource', { Effect, Action: '*', Resource: '*', Principal, ...more }),
});

describe('layers', () => {
  const nothing: Policies = { identity: [] };
  test.each<[string, Policies, boolean, string]>([
    ['I01 no policy', nothing, false, 'no-identity-policy-allows'],
    ['I02 allow', identity(allow()), true, 'allowed-by-identity-policy'],
    ['I03 allow and deny', identity(allow(), deny(get)), false, 'explicit-deny-in-identity-policy'],
    [
      'I03 the deny in another policy',
      { identity: [policy('identity', allow()), policy('identity', deny())] },
      false,
      'explicit-deny-in-identity-policy',
    ],
    [
      'I03 deny in the boundary',
      { ...identity(allow()), ...boundary(allow(), deny(get)) },
      false,
      'explicit-deny-in-boundary-policy',
    ],
    [
      'I03 deny in the session',
      { ...identity(allow()), ...sessions(allow(), deny(get)) },
      false,
      'explicit-deny-in-session-policy',
    ],
    [
      'I03 deny in a guard rail',
      { ...identity(allow()), ...rails(allow(), deny(get)) },
      false,
      'explicit-deny-in-guard-rail-policy',
    ],
    [
      'I03 deny of the resource',
      { ...identity(allow()), ...resource('Deny', '*') },
      false,
      'explicit-deny-in-resource-policy',
    ],
    [
      'I04 the session is silent',
      { ...identity(allow()), ...sessions(allow('s3:*')) },
      false,
      'no-session-policy-allows',
    ],
    [
      'I04 an empty list of session policies',
      { ...identity(allow()), session: [] },
      false,
      'no-session-policy-allows',
    ],
    [
      'I05 the session allows too',
      { ...identity(allow()), ...sessions(allow('airflow:*')) },
      true,
      'allowed-by-identity-policy',
    ],
    ['I06 only the session allows', { ...nothing, ...sessions(allow()) }, false, 'no-identity-policy-allows'],
    [
      'I07 the boundary is silent',
      { ...identity(allow()), ...boundary(allow('s3:*')) },
      false,
      'no-boundary-policy-allows',
    ],
    [
      'I07 the boundary alone grants nothing',
      { ...nothing, ...boundary(allow()) },
      false,
      'no-identity-policy-allows',
    ],
    [
      'I08 boundary allows, session denies',
      { ...identity(allow()), ...boundary(allow()), ...sessions(deny()) },
      false,
      'explicit-deny-in-session-policy',
    ],
    [
      'the guard rail is silent',
      { ...identity(allow()), ...rails(allow('s3:*')) },
      false,
      'no-guard-rail-policy-allows',
    ],
    [
      'the guard rail alone grants nothing',
      { ...nothing, ...rails(allow()) },
      false,
      'no-identity-policy-allows',
    ],
    [
      'the resource names the user',
      { ...nothing, ...resource('Allow', { AWS: ann.arn }) },
      true,
      'allowed-by-resource-policy',
    ],
    [
      'the resource names the user, whatever the boundary leaves unsaid',
      { ...nothing, ...boundary(allow('s3:*')), ...resource('Allow', { AWS: ann.arn }) },
      true,
      'allowed-by-resource-policy',
    ],
    [
      'the resource names the account',
      { ...nothing, ...resource('Allow', { AWS: account }) },
      false,
      'no-identity-policy-allows',
    ],
    [
      'the resource names somebody else',
      { ...nothing, ...resource('Allow', { AWS: `${ann.arn}a` }) },
      false,
      'no-identity-policy-allows',
    ],
    [
      'the guard rail comes before the resource',
      { ...nothing, ...rails(allow('s3:*')), ...resource('Allow', '*') },
      false,
      'no-guard-rail-policy-allows',
    ],
  ])('%s', (_name, policies, allowed, reason) => {
    expect(evaluate(request(), policies)).toMatchObject({ allowed, reason });
  });

  test('I09 GetCallerIdentity is answered under a deny of everything', () => {
    const asked = request({ action: 'sts:GetCallerIdentity', resource: '*' });
    expect(evaluate(asked, identity(deny()))).toMatchObject({ allowed: true, reason: 'always-allowed' });
  });

  test('I10 root may do everything, also under guard rails', () => {
    const policies = { identity: [], ...rails(allow('s3:*'), deny('airflow:*')) };
    expect(evaluate(request({ principal: root }), policies)).toMatchObject({
      allowed: true,
      reason: 'root-user',
    });
  });

  test('a role that the resource names is limited by its boundary and its session', () => {
    const named = resource('Allow', { AWS: `arn:aws:iam::${account}:role/ci` });
    const asked = request({ principal: session });
    expect(evaluate(asked, { identity: [], ...named }).allowed).toBe(true);
    const elsewhere = resource('Allow', { AWS: `arn:aws:iam::${account}:role/path/ci` });
    expect(evaluate(asked, { identity: [], ...elsewhere }).allowed).toBe(false);
    expect(evaluate(asked, { identity: [], ...named, ...boundary(allow('s3:*')) }).allowed).toBe(false);
    expect(evaluate(asked, { identity: [], ...named, ...sessions(allow('s3:*')) }).allowed).toBe(false);
  });
});

describe('actions', () => {
  test.each<[string, Given, string, boolean]>([
    ['I11 any spelling', allow('AIRFLOW:createWEBlogintoken'), 'airflow:CreateWebLoginToken', true],
    ['I13 a wildcard', allow('airflow:Create*Token'), 'airflow:CreateWebLoginToken', true],
    ['I13 the other', allow('airflow:Create*Token'), 'airflow:CreateCliToken', true],
    ['I13 not others', allow('airflow:Create*Token'), 'airflow:CreateEnvironment', false],
    ['I14 a question mark', allow('airflow:?reateCliToken'), 'airflow:CreateCliToken', true],
    ['I14 one character exactly', allow('airflow:?CreateCliToken'), 'airflow:CreateCliToken', false],
    ['I15 nothing after the colon', allow('airflow:'), get, false],
    ['I16 all', allow('*'), get, true],
    ['all of a service', allow('airflow:*'), get, true],
    ['another service', allow('iam:*'), get, false],
    ['the end of a name', allow('*'), 'iam:CreateUser', true],
    ['one of several', allow(['iam:*', get]), get, true],
    ['none of several', allow(['iam:*', 's3:*']), get, false],
    ['I17 NotAction allows the others', { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }, get, true],
    ['I17 and not these', { Effect: 'Allow', NotAction: 'airflow:*', Resource: '*' }, get, false],
  ])('%s', (_name, statement, action, allowed) => {
    expect(evaluate(request({ action }), identity(statement)).allowed).toBe(allowed);
  });

  test('I18 NotAction under Deny denies everything else', () => {
    const policies = identity(allow(), {
      Effect: 'Deny',
      NotAction: ['airflow:Get*', 'airflow:List*'],
      Resource: '*',
    });
    expect(evaluate(request(), policies).allowed).toBe(true);
    expect(evaluate(request({ action: 'airflow:DeleteEnvironment' }), policies).allowed).toBe(false);
  });
});

describe('resources', () => {
  const role = (name: string) => airflow(`role/${name}`);
  test.each<[string, unknown, string, boolean]>([
    ['exactly', airflow('environment/demo'), airflow('environment/demo'), true],
    ['I12 the case counts', role('MyEnv/Admin'), role('MyEnv/admin'), false],
    ['I21 any Region and account', 'arn:aws:airflow:*:*:role/Env/*', role('Env/User'), true],
    ['any environment', 'arn:aws:airflow:*:*:role/*/User', role('demo/User'), true],
    ['and not another role', 'arn:aws:airflow:*:*:role/*/User', role('demo/Admin'), false],
    ['I22 a star stands for slashes', airflow('role/*'), role('demo/Admin'), true],
    ['I22 an ARN that ends early', 'arn:aws:airflow:*', role('demo/Admin'), true],
    ['I22 an ARN that ends early, another service', 'arn:aws:iam:*', role('demo/Admin'), false],
    ['I24 the environment is not the role', airflow('environment/demo'), role('demo/Admin'), false],
    ['A80 a prefix of a name', airflow('role/a/*'), role('a-b/Admin'), false],
    ['A80 a name that begins so', airflow('role/a*/Admin'), role('a-b/Admin'), true],
    [
      'A80 another account',
      airflow('role/a*/Admin'),
      `arn:aws:airflow:us-east-1:999999999999:role/a/Admin`,
      false,
    ],
    ['a question mark', airflow('environment/dem?'), airflow('environment/demo'), true],
    ['a question mark is one', airflow('environment/demo?'), airflow('environment/demo'), false],
    ['a star matches an empty end', airflow('environment/demo*'), airflow('environment/demo'), true],
    ['all, for an action without a resource', '*', '*', true],
    ['an ARN, for an action without a resource', airflow('*'), '*', false],
    [
      'one of several',
      [airflow('environment/a'), airflow('environment/demo')],
      airflow('environment/demo'),
      true,
    ],
    [
      'more colons at the end',
      'arn:aws:logs:*:*:log-group:airflow-*',
      'arn:aws:logs:us-east-1:1:log-group:airflow-demo:x',
      true,
    ],
  ])('%s', (_name, Resource, asked, allowed) => {
    expect(evaluate(request({ resource: asked }), identity(allow('*', Resource))).allowed).toBe(allowed);
  });

  test('I19 NotResource allows all but what it lists', () => {
    const policies = identity({ Effect: 'Allow', Action: '*', NotResource: airflow('environment/demo') });
    expect(evaluate(request(), policies).allowed).toBe(false);
    expect(evaluate(request({ resource: airflow('environment/b') }), policies).allowed).toBe(true);
  });

  test('I20 NotResource under Deny leaves only what it lists', () => {
    const policies = identity(allow(), {
      Effect: 'Deny',
      Action: 'airflow:CreateWebLoginToken',
      NotResource: 'arn:aws:airflow:*:*:role/*/Viewer',
    });
    const left = ['Admin', 'Op', 'User', 'Viewer', 'Public'].filter(
      (name) =>
        evaluate(
          request({ action: 'airflow:CreateWebLoginToken', resource: airflow(`role/demo/${name}`) }),
          policies,
        ).allowed,
    );
    expect(left).toEqual(['Viewer']);
  });

  test('a pattern of many stars is matched in linear time', () => {
    const pattern = airflow(`environment/${'a*'.repeat(200)}b`);
    const started = performance.now();
    const asked = request({ resource: airflow(`environment/${'a'.repeat(20_000)}`) });
    expect(evaluate(asked, identity(allow('*', pattern))).allowed).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('variables', () => {
  const own = (text: string) => airflow(`environment/${text}`);
  test.each<[string, string, Record<string, string | string[]>, string, boolean]>([
    ['I28 a value', '${aws:username}', { 'aws:username': 'ann' }, 'ann', true],
    ['I28 another value', '${aws:username}', { 'aws:username': 'bob' }, 'ann', false],
    [
      'I28 in a text',
      'team-${aws:PrincipalTag/team}-*',
      { 'aws:PrincipalTag/team': 'data' },
      'team-data-1',
      true,
    ],
    ['I30 no value', '${aws:username}', {}, '', false],
    ['I31 a default', "${aws:PrincipalTag/team, 'x'}", {}, 'x', true],
    [
      'I31 the value before the default',
      "${aws:PrincipalTag/team, 'x'}",
      { 'aws:principaltag/TEAM': 'y' },
      'x',
      false,
    ],
    ['I32 a star in a value is a star', '${aws:username}', { 'aws:username': '*' }, 'ann', false],
    ['I32 and matches itself', '${aws:username}', { 'aws:username': '*' }, '*', true],
    ['I33 a literal star', 'a${*}', {}, 'a*', true],
    ['I33 a literal star is not a wildcard', 'a${*}', {}, 'ab', false],
    ['I33 a literal question mark', 'a${?}', {}, 'a?', true],
    ['I33 a literal dollar', 'a${$}', {}, 'a$', true],
    ['several values cannot stand in a text', '${aws:TagKeys}', { 'aws:TagKeys': ['a', 'b'] }, 'a', false],
  ])('%s', (_name, text, context, name, allowed) => {
    const policies = identity(allow('*', own(text)));
    expect(evaluate(request({ resource: own(name), context }), policies).allowed).toBe(allowed);
  });

  test.each(['2008-10-17', undefined])('I29 in version %s they are literal', (Version) => {
    const text = JSON.stringify({ Version, Statement: [allow('*', own('${aws:username}'))] });
    const policies = { identity: [{ name: 'old', policy: parsePolicy(text, 'identity') }] };
    const context = { 'aws:username': 'ann' };
    expect(evaluate(request({ resource: own('ann'), context }), policies).allowed).toBe(false);
    expect(evaluate(request({ resource: own('${aws:username}'), context }), policies).allowed).toBe(true);
  });

  test('a NotResource without a value does not widen an Allow', () => {
    const policies = identity({ Effect: 'Allow', Action: '*', NotResource: own('${aws:username}') });
    expect(evaluate(request({ resource: own('x') }), policies).allowed).toBe(false);
  });
});

test('matched statements say where they stand, and missing keys are named', () => {
  const text = `{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "s3:*", "Resource": "*" },
    { "Sid": "Own", "Effect": "Allow", "Action": "airflow:*", "Resource": "*" },
    { "Effect": "Allow", "Action": "*", "Resource": "*",
      "Condition": { "StringEquals": { "aws:PrincipalTag/Team": "data" } } }
  ]
}`;
  const decision = evaluate(request(), { identity: [{ name: 'p', policy: parsePolicy(text, 'identity') }] });
  expect(decision).toMatchObject({ allowed: true, missingContextKeys: ['aws:PrincipalTag/Team'] });
  expect(decision.matched).toEqual([
    {
      ...{ policy: 'p', layer: 'identity', effect: 'Allow', sid: 'Own', index: 1 },
      start: { line: 5, column: 5 },
      end: { line: 5, column: 80 },
    },
  ]);
});

test.each<[Policies, string]>([
  [{ identity: [] }, 'because no identity-based policy allows the airflow:GetEnvironment action'],
  [identity(deny()), 'with an explicit deny in an identity-based policy'],
  [{ ...identity(allow()), ...boundary(deny()) }, 'with an explicit deny in a permissions boundary'],
  [
    { ...identity(allow()), ...boundary(allow('s3:*')) },
    'because no permissions boundary allows the airflow:GetEnvironment action',
  ],
  [
    { ...identity(allow()), ...sessions(allow('s3:*')) },
    'because no session policy allows the airflow:GetEnvironment action',
  ],
  [{ ...identity(allow()), ...rails(allow(), deny()) }, 'with an explicit deny in a service control policy'],
  [
    { ...identity(allow()), ...rails(allow('s3:*')) },
    'because no service control policy allows the airflow:GetEnvironment action',
  ],
])('a caller reads why, as AWS writes it: %#', (policies, why) => {
  const { action, resource: asked } = request();
  const decision = evaluate(request(), policies);
  expect(deniedText({ principalArn: ann.arn, action, resource: asked, decision })).toBe(
    `User: ${ann.arn} is not authorized to perform: ${action} on resource: ${asked} ${why}`,
  );
});

describe('NotPrincipal of a resource policy', () => {
  const only = (AWS: readonly string[], Principal: unknown = undefined) =>
    resource('Deny', Principal, { NotPrincipal: { AWS } });
  const ciArn = `arn:aws:iam::${account}:role/ci`;
  test.each<[string, readonly string[], typeof ann | typeof session, boolean]>([
    ['the account alone', [account], ann, false],
    ['account and user', [account, ann.arn], ann, true],
    ['account and role', [account, ciArn], session, false],
    ['account, role and session', [account, ciArn, session.arn], session, true],
    [
      'account, a role with a path and session',
      [account, ciArn.replace('ci', 'a/ci'), session.arn],
      session,
      false,
    ],
  ])('%s', (_name, AWS, principal, allowed) => {
    const policies = { ...identity(allow()), ...only(AWS) };
    expect(evaluate(request({ principal }), policies).allowed).toBe(allowed);
    expect(evaluate(request({ principal }), { ...policies, ...boundary(allow()) }).allowed).toBe(false);
  });
});

describe('trust', () => {
  const [annId, ciId] = [ann.id, session.id];
  const trust = (Principal: unknown, more: Given = {}, Effect = 'Allow') =>
    parsePolicy(
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect, Action: 'sts:AssumeRole', Principal, ...more }],
      }),
      'trust',
    );
  const assume = (context = {}, principal: typeof ann | typeof session = ann) =>
    request({ action: 'sts:AssumeRole', resource: `arn:aws:iam::${account}:role/x`, context, principal });
  const external = { Condition: { StringEquals: { 'sts:ExternalId': 'e' } } };
  test.each<[string, ReturnType<typeof trust>, ReturnType<typeof assume>, string]>([
    ['everybody', trust('*'), assume(), 'named'],
    ['everybody, in the long form', trust({ AWS: '*' }), assume(), 'named'],
    ['the user', trust({ AWS: annId }), assume(), 'named'],
    ['another user', trust({ AWS: `${annId.slice(0, -1)}B` }), assume(), 'none'],
    ['the user by a name', trust({ AWS: ann.arn }), assume(), 'none'],
    ['the account by its number', trust({ AWS: account }), assume(), 'account'],
    ['the account by its root', trust({ AWS: `arn:aws:iam::${account}:root` }), assume(), 'account'],
    ['another account', trust({ AWS: '999999999999' }), assume(), 'none'],
    ['the role of a session', trust({ AWS: ciId }), assume({}, session), 'named'],
    ['the session itself', trust({ AWS: `${ciId}:run` }), assume({}, session), 'named'],
    ['another session', trust({ AWS: `${ciId}:RUN` }), assume({}, session), 'none'],
    ['the session by a name', trust({ AWS: session.arn }), assume({}, session), 'none'],
    ['the role by a name', trust({ AWS: `arn:aws:iam::${account}:role/ci` }), assume({}, session), 'none'],
    ['a service', trust({ Service: 'airflow.amazonaws.com' }), assume(), 'none'],
    ['an external id', trust({ AWS: account }, external), assume({ 'sts:ExternalId': 'e' }), 'account'],
    ['a wrong external id', trust({ AWS: account }, external), assume({ 'sts:ExternalId': 'f' }), 'none'],
    ['no external id', trust({ AWS: account }, external), assume(), 'none'],
    ['another action', trust('*', { Action: 'sts:TagSession' }), assume(), 'none'],
    ['a deny', trust('*', {}, 'Deny'), assume(), 'none'],
  ])('%s', (_name, document, asked, expected) => {
    expect(evaluateTrust(asked, document)).toBe(expected);
  });

  const accountArn = `arn:aws:iam::${account}:root`;
  test.each<[string, unknown, typeof ann | typeof session, boolean]>([
    ['nobody of the account by its number', { AWS: account }, ann, false],
    ['nobody of the account by its root', { AWS: accountArn }, session, false],
    ['nobody without his account', { AWS: annId }, ann, false],
    ['the user with the account', { AWS: [account, annId] }, ann, true],
    ['the user with another account', { AWS: ['999999999999', annId] }, ann, false],
    ['no other user', { AWS: [account, annId] }, session, false],
    ['no session by the role alone', { AWS: [account, ciId] }, session, false],
    ['no session without its role', { AWS: [account, `${ciId}:run`] }, session, false],
    ['the session with role and account', { AWS: [accountArn, ciId, `${ciId}:run`] }, session, true],
    ['nobody by a name', { AWS: [account, ann.arn] }, ann, false],
    ['everybody', { AWS: '*' }, ann, true],
  ])('a kept Deny with NotPrincipal spares %s', (_name, NotPrincipal, principal, isSpared) => {
    const Statement = [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: '*' },
      { Effect: 'Deny', Action: 'sts:AssumeRole', NotPrincipal },
    ];
    const document = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement }), 'trust');
    expect(evaluateTrust(assume({}, principal), document)).toBe(isSpared ? 'named' : 'none');
  });
});

describe('what is too complex is denied', () => {
  const slow = allow('*', `arn:aws:s3:::*${'a?'.repeat(520)}b*`);
  const asked = request({ resource: `arn:aws:s3:::${'a'.repeat(2_000)}` });

  test('also when another statement allows it: a deny may be among what was not looked at', () => {
    const { allowed, reason } = evaluate(asked, identity(allow('*', '*'), slow));
    expect([allowed, reason]).toEqual([false, 'policies-too-complex']);
  });

  test('and what the default quotas let one user hold is not', () => {
    const attached = Array.from({ length: 10 }, (_, n) =>
      Array.from({ length: 25 }, (_, i) =>
        allow([`airflow:Get*${n}`, 's3:*Object'], [`arn:aws:s3:::team-${n}-*/*/data-${i}-*`], {
          Condition: { StringLike: { 'aws:PrincipalTag/team': [`team-${i}*`, '*-data-*'] } },
        }),
      ),
    );
    const held = [...attached, ...attached].flatMap((statements) => identity(...statements).identity);
    const context = { 'aws:PrincipalTag/team': 'team-1-data-2' };
    expect(evaluate({ ...asked, context }, { identity: held }).reason).toMatch(/^(no|allowed)/);
  });
});
