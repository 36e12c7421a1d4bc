// The operations of the service `windsock` that are about access: explanations, the guard rail, revocation. Airflow
// is trivial here.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postCommand, postLogin } from '../harness/door.ts';
import { Iam, policyOf, type Statement } from '../harness/iam.ts';
import { rootKey } from '../harness/mwaa.ts';
import type { RawAnswer } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';
import { denied, Person } from './person.ts';

let rig: Rig;
let iam: Iam;
let root: Person;
const get: Statement = { Action: 'airflow:GetEnvironment' };

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('demo', '3.3.1', { Tags: { team: 'data' } });
  await rig.available('demo');
  iam = new Iam(rig.place);
  root = new Person(rig.place, rootKey(rig.place));
});
afterAll(() => rig?.remove());

const demo = () => `arn:aws:airflow:us-east-1:${iam.accountId}:environment/demo`;
const roleOfDemo = (role: string) => `arn:aws:airflow:us-east-1:${iam.accountId}:role/demo/${role}`;
const look = (who: Person): Promise<RawAnswer> => who.call('GET', '/environments/demo');
const explain = async (question: object, who = root) => {
  const answer = await who.call('POST', '/windsock/access', question, 'windsock');
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};
const mayGet = (Principal: string, more: object = {}) =>
  explain({ Principal, Action: 'airflow:GetEnvironment', Resource: demo(), ...more });
const fault = (answer: RawAnswer) => [
  answer.status,
  answer.errorType,
  answer.body['Message'] ?? answer.body['message'],
];

/** Tokens that a right is behind when they are made. */
const minted = async (who: Person) => ({ web: await who.webToken('demo'), cli: await who.cliToken('demo') });

/** The statuses of the login page and of the endpoint for commands. */
const atTheDoor = async ({ web, cli }: Awaited<ReturnType<typeof minted>>): Promise<readonly number[]> => [
  (await postLogin(rig.place, web, 3)).status,
  (await postCommand(rig.place, cli, 'version')).status,
];

describe('ExplainAccess', () => {
  test('names the smallest statement that would allow, and added, it is the one that allows', async () => {
    const ann = new Person(rig.place, await iam.user('ann'));
    const before = await mayGet('user/ann');
    const statement = { Effect: 'Allow', Action: 'airflow:GetEnvironment', Resource: demo() } as const;
    expect(before).toEqual({
      Principal: iam.arn('user', 'ann'),
      ...{ Action: 'airflow:GetEnvironment', Resource: demo(), Allowed: false, Layer: 'identity' },
      ...{ Reason: 'no-identity-policy-allows', Statements: [], MissingContextKeys: [] },
      Remedy: { AddTo: 'identity', Statement: statement },
    });
    expect((await look(ann)).status).toBe(403);
    await iam.put('User', 'ann', [{ Action: 'airflow:ListEnvironments' }, statement]);
    expect((await look(ann)).status).toBe(200);
    const after = await mayGet(iam.arn('user', 'ann'));
    expect(after).toMatchObject({ Allowed: true, Reason: 'allowed-by-identity-policy', Layer: 'identity' });
    expect(after['Statements']).toEqual([
      {
        Policy: `${iam.arn('user', 'ann')} inline policy own`,
        ...{ Layer: 'identity', Effect: 'Allow', Number: 2, Line: 1 },
      },
    ]);
    expect(after).not.toHaveProperty('Remedy');
  });

  test('names the statement that denies, and the layer that says nothing', async () => {
    await iam.user('ben', { statements: [{ Action: 'airflow:*' }, { Effect: 'Deny', ...get }] });
    expect(await mayGet('user/ben')).toMatchObject({
      ...{ Allowed: false, Reason: 'explicit-deny-in-identity-policy', Layer: 'identity' },
      Statements: [
        { Effect: 'Allow', Number: 1 },
        { Effect: 'Deny', Number: 2 },
      ],
      Remedy: { TakeAway: [`${iam.arn('user', 'ben')} inline policy own statement 2`] },
    });
    await iam.user('cid', { statements: [get], boundary: [{ Action: 'airflow:ListEnvironments' }] });
    expect(await mayGet('user/cid')).toMatchObject({
      ...{ Allowed: false, Reason: 'no-boundary-policy-allows', Layer: 'boundary' },
      Remedy: { AddTo: 'boundary', Statement: { Action: 'airflow:GetEnvironment' } },
    });
  });

  test('knows the tags of the environment and of the principal, and says which keys are missing', async () => {
    const sameTeam = { StringEquals: { 'aws:ResourceTag/team': `\${aws:PrincipalTag/team}` } };
    const dan = new Person(
      rig.place,
      await iam.user('dan', { statements: [{ ...get, Condition: sameTeam }], tags: { team: 'data' } }),
    );
    expect((await look(dan)).status).toBe(200);
    expect(await mayGet('user/dan')).toMatchObject({ Allowed: true });
    expect(await mayGet('user/dan', { Context: { 'aws:ResourceTag/team': 'web' } })).toMatchObject({
      Allowed: false,
    });
    const fromOffice = { IpAddress: { 'aws:VpcSourceIp': '10.0.0.0/8' } };
    await iam.role('office', { statements: [{ ...get, Condition: fromOffice }] });
    expect(await mayGet('role/office')).toMatchObject({
      Allowed: false,
      MissingContextKeys: ['aws:VpcSourceIp'],
    });
    const Context = { 'aws:VpcSourceIp': '10.1.2.3' };
    expect(await mayGet('role/office', { Context })).toMatchObject({ Allowed: true });
  });

  test('of a refused call: its id gives the one who asks what the caller is not told', async () => {
    const eve = new Person(
      rig.place,
      await iam.user('eve', { statements: [{ Action: 'airflow:*' }, { Effect: 'Deny', ...get }] }),
    );
    const refused = await look(eve);
    const who = iam.arn('user', 'eve');
    expect(fault(refused)).toEqual([
      ...[403, 'AccessDeniedException'],
      `User: ${who} is not authorized to perform: airflow:GetEnvironment on resource: ${demo()} with an explicit deny in an identity-based policy`,
    ]);
    expect(JSON.stringify(refused.body)).not.toMatch(/inline|own|statement/i);
    const { Events: events } = await explain({ RequestId: refused.requestId });
    expect(events).toMatchObject([
      { eventName: 'GetEnvironment', errorCode: 'AccessDenied', userIdentity: { arn: who } },
    ]);
    expect(JSON.stringify(events)).toContain(`${who} inline policy own statement 2`);
    const own = await eve.call('POST', '/windsock/access', { RequestId: refused.requestId }, 'windsock');
    expect(fault(own)).toEqual([
      403,
      'AccessDeniedException',
      denied(who, 'windsock:ExplainAccess', '*').replace(/^\w+: /, ''),
    ]);
  });

  test('of a refused call with temporary credentials: the session policy that says nothing', async () => {
    const leo = await iam.user('leo', { statements: [{ Action: 'sts:AssumeRole' }] });
    await iam.role('narrowed', { statements: [{ Action: 'airflow:*' }] });
    const limits = [{ Action: 'airflow:ListEnvironments' }];
    const session = new Person(rig.place, await iam.assume(leo, 'narrowed', 'run-1', limits));
    const refused = await look(session);
    expect(fault(refused)[2]).toContain('because no session policy allows');
    const { Events: events } = await explain({ RequestId: refused.requestId });
    expect(events).toMatchObject([
      {
        userIdentity: {
          ...{ type: 'AssumedRole', arn: `arn:aws:sts::${iam.accountId}:assumed-role/narrowed/run-1` },
          sessionContext: { sessionIssuer: { type: 'Role', arn: iam.arn('role', 'narrowed') } },
        },
      },
    ]);
    expect(JSON.stringify(events)).toContain('no-session-policy-allows');
  });

  test('of nobody, of nothing and of a request that never was is a ValidationException', async () => {
    const questions = [
      { Principal: 'user/nobody', Action: 'airflow:GetEnvironment' },
      { Principal: 'user/ann' },
      { RequestId: 'a-request-that-never-was' },
      { Principal: 'user/ann', Action: 'airflow:CreateWebLoginToken', Resource: demo() },
    ];
    for (const question of questions) {
      const answer = await root.call('POST', '/windsock/access', question, 'windsock');
      expect([answer.status, answer.errorType]).toEqual([400, 'ValidationException']);
    }
  });
});

describe('ExplainEnvironmentAccess', () => {
  test('says who gets in, as what and why', async () => {
    const web = {
      Action: 'airflow:CreateWebLoginToken',
      Resource: [roleOfDemo('User'), roleOfDemo('Viewer')],
    };
    await iam.user('fay', { statements: [web, { Action: 'airflow:CreateCliToken', Resource: demo() }] });
    await iam.role('rest', { statements: [{ Action: 'airflow:InvokeRestApi', Resource: roleOfDemo('Op') }] });
    const { body } = await root.call('GET', '/windsock/environments/demo/access', undefined, 'windsock');
    const principals = body['Principals'] as readonly { readonly Principal: string }[];
    const of = (kind: 'user' | 'role', name: string) =>
      principals.find((p) => p.Principal === iam.arn(kind, name));
    const by = (kind: 'user' | 'role', name: string, n: number) =>
      `${iam.arn(kind, name)} inline policy own statement ${n}`;
    expect(body['Environment']).toBe('demo');
    expect(of('user', 'fay')).toMatchObject({
      CreateWebLoginToken: { AirflowRoles: ['User', 'Viewer'], Why: [by('user', 'fay', 1)] },
      InvokeRestApi: { AirflowRoles: [], Why: [] },
      CreateCliToken: { Allowed: true, Why: [by('user', 'fay', 2)] },
    });
    expect(of('role', 'rest')).toMatchObject({
      CreateWebLoginToken: { AirflowRoles: [] },
      InvokeRestApi: { AirflowRoles: ['Op'], Why: [by('role', 'rest', 1)] },
      CreateCliToken: { Allowed: false },
    });
    const none = await root.call('GET', '/windsock/environments/nowhere/access', undefined, 'windsock');
    expect(fault(none).slice(0, 2)).toEqual([404, 'ResourceNotFoundException']);
  });
});

describe('the guard rail', () => {
  const rail = (method: string, statements?: readonly Statement[]) =>
    root.call(
      method,
      '/windsock/guard-rail',
      statements && { PolicyDocument: policyOf(statements) },
      'windsock',
    );

  test('stands over users and roles, and not over the root user', async () => {
    const gus = await iam.user('gus', { statements: [{ Action: '*' }] });
    await iam.role('powerful', { statements: [{ Action: '*' }] });
    const [user, session] = [
      new Person(rig.place, gus),
      new Person(rig.place, await iam.assume(gus, 'powerful', 'gus')),
    ];
    const statuses = async () => [
      (await look(user)).status,
      (await look(session)).status,
      (await look(root)).status,
    ];
    expect((await rail('GET')).status).toBe(404);
    expect(await statuses()).toEqual([200, 200, 200]);

    const tokens = await minted(user);
    const denies: readonly Statement[] = [
      { Action: '*' },
      { Effect: 'Deny', ...get },
      { Effect: 'Deny', Action: 'airflow:Create*' },
    ];
    expect((await rail('PUT', denies)).status).toBe(200);
    expect((await rail('GET')).body['PolicyDocument']).toBe(policyOf(denies));
    expect(await statuses()).toEqual([403, 403, 200]);
    expect(await atTheDoor(tokens)).toEqual([403, 403]);
    expect(fault(await look(user))[2]).toBe(
      `User: ${iam.arn('user', 'gus')} is not authorized to perform: airflow:GetEnvironment on resource: ${demo()} with an explicit deny in a service control policy`,
    );
    expect(await mayGet('user/gus')).toMatchObject({
      ...{ Allowed: false, Layer: 'guard-rail' },
      Remedy: { TakeAway: ['guard rail account statement 2'] },
    });

    expect((await rail('PUT', [{ Action: ['airflow:List*', 'sts:*'] }])).status).toBe(200);
    expect(await statuses()).toEqual([403, 403, 200]);
    expect(fault(await look(user))[2]).toContain('because no service control policy allows');
    expect((await user.call('GET', '/environments')).status).toBe(200);

    expect((await rail('DELETE')).status).toBe(200);
    expect(await statuses()).toEqual([200, 200, 200]);
    expect((await rail('DELETE')).status).toBe(404);
  });

  test('that nobody could live with is refused, and nobody without the right changes it', async () => {
    for (const PolicyDocument of ['{', policyOf([{ Effect: 'Deny', Action: '*' }])]) {
      const answer = await root.call('PUT', '/windsock/guard-rail', { PolicyDocument }, 'windsock');
      expect([answer.status, answer.errorType], PolicyDocument).toEqual([400, 'ValidationException']);
    }
    const hal = new Person(rig.place, await iam.user('hal', { attached: ['AmazonMWAAFullApiAccess'] }));
    const body = { PolicyDocument: policyOf([{ Action: '*' }]) };
    for (const [method, operation] of [
      ['PUT', 'Put'],
      ['GET', 'Get'],
      ['DELETE', 'Delete'],
    ] as const) {
      const answer = await hal.call(
        method,
        '/windsock/guard-rail',
        method === 'PUT' ? body : undefined,
        'windsock',
      );
      const text = denied(iam.arn('user', 'hal'), `windsock:${operation}GuardRail`, '*').replace(
        /^\w+: /,
        '',
      );
      expect(fault(answer)).toEqual([403, 'AccessDeniedException', text]);
    }
    expect((await rail('GET')).status).toBe(404);
  });
});

describe('RevokeRoleSessions', () => {
  const revoke = (who: Person, role: string) =>
    who.call('POST', `/windsock/roles/${role}/revoke-sessions`, undefined, 'windsock');

  test('ends what was given out of one role, and whoever assumes it again gets in', async () => {
    const ida = await iam.user('ida', { statements: [{ Action: 'sts:AssumeRole' }] });
    await iam.role('lent', { statements: [{ Action: 'airflow:*' }] });
    await iam.role('other', { statements: [{ Action: 'airflow:*' }] });
    const assumed = async (role: string) => new Person(rig.place, await iam.assume(ida, role, 'ida'));
    const [lent, other] = [await assumed('lent'), await assumed('other')];
    expect([(await look(lent)).status, (await look(other)).status]).toEqual([200, 200]);
    const tokens = await minted(lent);
    const begun = Date.now() / 1000;
    const answer = await revoke(root, 'lent');
    expect(Number(answer.body['RevokedBefore'])).toBeGreaterThan(begun);
    expect(Number(answer.body['RevokedBefore'])).toBeLessThan(begun + 2);
    expect(fault(await look(lent))[2]).toContain('with an explicit deny in an identity-based policy');
    expect(await atTheDoor(tokens)).toEqual([403, 403]);
    expect((await look(other)).status).toBe(200);
    expect(await atTheDoor(await minted(other))).toEqual([200, 200]);
    await until('a session of after', 5, async () => (await look(await assumed('lent'))).status === 200);
    expect((await look(lent)).status).toBe(403);
  });

  test('needs the right on that role, and a role', async () => {
    await iam.role('mine');
    await iam.role('theirs');
    const statements = [{ Action: 'windsock:RevokeRoleSessions', Resource: iam.arn('role', 'mine') }];
    const jon = new Person(rig.place, await iam.user('jon', { statements }));
    expect((await revoke(jon, 'mine')).status).toBe(200);
    expect((await revoke(jon, 'theirs')).status).toBe(403);
    expect(fault(await revoke(root, 'nobody')).slice(0, 2)).toEqual([404, 'ResourceNotFoundException']);
  });
});

test('StopEnvironment and StartEnvironment need their rights on that environment', async () => {
  const statements = [{ Action: 'windsock:StopEnvironment', Resource: demo() }];
  const kim = new Person(
    rig.place,
    await iam.user('kim', { attached: ['AmazonMWAAFullApiAccess'], statements }),
  );
  const ask = (what: string, who = kim) =>
    who.call('POST', `/windsock/environments/demo/${what}`, undefined, 'windsock');
  expect((await ask('stop')).status).toBe(200);
  const who = iam.arn('user', 'kim');
  expect(fault(await ask('start'))).toEqual([
    ...[403, 'AccessDeniedException'],
    denied(who, 'windsock:StartEnvironment', demo()).replace(/^\w+: /, ''),
  ]);
  expect((await ask('start', root)).status).toBe(200);
});
