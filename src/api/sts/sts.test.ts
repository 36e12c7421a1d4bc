// Temporary credentials: what they are for, what they may not call, and what they say of a second factor.
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  allow,
  type Credentials,
  credentialsOf,
  outcome,
  policy,
  query,
  trusts,
  userWithKey,
} from '../test-query.ts';
import { fakeWorld, root, type World } from '../testing.ts';

const account = root.accountId;
const invalid = '403 InvalidClientTokenId: The security token included in the request is invalid.';

let world: World;
let ann: Credentials;
beforeEach(async () => {
  world = fakeWorld();
  ann = await userWithKey(world, 'ann', allow());
});

const sessionToken = async (of?: Credentials) =>
  credentialsOf((await query(world, 'GetSessionToken', {}, of)).result.Credentials);

const assumed = async (of: Credentials, name = 'ci') => {
  await query(world, 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trusts({ AWS: account }) });
  const PolicyDocument = policy(allow());
  await query(world, 'PutRolePolicy', { RoleName: name, PolicyName: 'all', PolicyDocument });
  const given = { RoleArn: `arn:aws:iam::${account}:role/${name}`, RoleSessionName: 'run' };
  return credentialsOf((await query(world, 'AssumeRole', given, of)).result.Credentials);
};

describe('credentials of GetSessionToken', () => {
  test('stand for the caller, and expire after twelve hours; of the root user after one', async () => {
    const who = await query(world, 'GetCallerIdentity', {}, await sessionToken(ann));
    expect(who.result.Arn).toBe(`arn:aws:iam::${account}:user/ann`);
    const hours = async (of: Credentials | undefined, given: { readonly DurationSeconds?: number }) => {
      const { result } = await query(world, 'GetSessionToken', given, of);
      return Math.round((Date.parse(result.Credentials.Expiration) - Date.now()) / 3_600_000);
    };
    expect(await hours(ann, {})).toBe(12);
    expect(await hours(ann, { DurationSeconds: 129_600 })).toBe(36);
    expect(await hours(undefined, { DurationSeconds: 129_600 })).toBe(1);
  });

  test.each([
    ['of a user', () => sessionToken(ann)],
    ['of the root user', () => sessionToken()],
  ])('%s are none to IAM, whose caller must have shown a second factor', async (_, make) => {
    const own = await make();
    for (const call of ['ListUsers', 'GetUser', 'CreateAccessKey', 'GetAccountSummary'])
      expect(await outcome(world, call, {}, own), call).toBe(invalid);
    expect(world.audited.at(-1)).toMatchObject({ errorCode: 'UnrecognizedClientException' });
  });

  test('may call AssumeRole and GetCallerIdentity of STS, and nothing else', async () => {
    const own = await sessionToken(ann);
    await assumed(ann);
    const given = { RoleArn: `arn:aws:iam::${account}:role/ci`, RoleSessionName: 'run' };
    expect(await outcome(world, 'AssumeRole', given, own)).toBe('ok');
    expect(await outcome(world, 'GetCallerIdentity', {}, own)).toBe('ok');
    expect(await outcome(world, 'GetSessionToken', {}, own)).toBe(
      '403 AccessDenied: Cannot call GetSessionToken with session credentials',
    );
    expect(await outcome(world, 'GetAccessKeyInfo', { AccessKeyId: ann.accessKeyId }, own)).toBe(
      '403 AccessDenied: Cannot call GetAccessKeyInfo with session credentials',
    );
  });
});

describe('credentials of AssumeRole', () => {
  test('may call IAM, and of STS all but GetSessionToken', async () => {
    const own = await assumed(ann);
    expect(await outcome(world, 'ListUsers', {}, own)).toBe('ok');
    expect(await outcome(world, 'GetAccessKeyInfo', { AccessKeyId: ann.accessKeyId }, own)).toBe('ok');
    expect(await outcome(world, 'GetSessionToken', {}, own)).toBe(
      '403 AccessDenied: Cannot call GetSessionToken with session credentials',
    );
  });

  test('a role that is not there is answered like one that nobody may assume', async () => {
    const given = (name: string) => ({
      RoleArn: `arn:aws:iam::${account}:role/${name}`,
      RoleSessionName: 'run',
    });
    const bob = await userWithKey(world, 'bob');
    await assumed(ann);
    const text = (name: string) =>
      `403 AccessDenied: User: arn:aws:iam::${account}:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/${name}`;
    expect(await outcome(world, 'AssumeRole', given('ci'), bob)).toBe(text('ci'));
    expect(await outcome(world, 'AssumeRole', given('nobody'), bob)).toBe(text('nobody'));
    expect(await outcome(world, 'AssumeRole', given('ci'))).toBe(
      '403 AccessDenied: Roles may not be assumed by root accounts.',
    );
  });

  test('one hour is the most in a chain, and what is longer than the role allows is refused', async () => {
    const own = await assumed(ann);
    await query(world, 'UpdateRole', { RoleName: 'ci', MaxSessionDuration: 7_200 });
    const given = { RoleArn: `arn:aws:iam::${account}:role/ci`, RoleSessionName: 'run' };
    const asked = (seconds: number, of: Credentials) =>
      outcome(world, 'AssumeRole', { ...given, DurationSeconds: seconds }, of);
    expect(await asked(7_200, ann)).toBe('ok');
    expect(await asked(7_201, ann)).toMatch(/^400 ValidationError: .*exceeds the MaxSessionDuration/);
    expect(await asked(3_601, own)).toMatch(
      /^400 ValidationError: .*1 hour session limit for roles assumed by role chaining$/,
    );
    expect(await asked(899, ann)).toMatch(/^400 ValidationError: 1 validation error detected/);
  });
});

describe('a second factor', () => {
  test.each(['GetSessionToken', 'AssumeRole'])(
    'that %s names cannot be the caller’s: there are none',
    async (name) => {
      await assumed(ann);
      const given =
        name === 'AssumeRole' ? { RoleArn: `arn:aws:iam::${account}:role/ci`, RoleSessionName: 'run' } : {};
      const mfa = { SerialNumber: `arn:aws:iam::${account}:mfa/ann`, TokenCode: '123456' };
      expect(await outcome(world, name, { ...given, ...mfa }, ann)).toBe(
        '403 AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
      );
    },
  );

  // IAM User Guide, "AWS global condition context keys": the key is only there with temporary credentials.
  const needs = (operator: string, value: string) => ({
    Condition: { [operator]: { 'aws:MultiFactorAuthPresent': value } },
  });
  test.each([
    ['Bool', 'true', { key: false, token: false, role: false }],
    ['Bool', 'false', { key: false, token: true, role: true }],
    ['BoolIfExists', 'false', { key: true, token: true, role: true }],
    ['BoolIfExists', 'true', { key: true, token: false, role: false }],
    ['Null', 'true', { key: true, token: false, role: false }],
    ['Null', 'false', { key: false, token: true, role: true }],
  ])('asked for by %s %s', async (operator, value, expected) => {
    const role = await assumed(ann);
    const token = await sessionToken(ann);
    const PolicyDocument = policy(allow('sts:GetAccessKeyInfo'), {
      ...allow('sts:AssumeRole'),
      ...needs(operator, value),
    });
    await query(world, 'PutUserPolicy', { UserName: 'ann', PolicyName: 'own', PolicyDocument });
    await query(world, 'PutRolePolicy', { RoleName: 'ci', PolicyName: 'all', PolicyDocument });
    const given = { RoleArn: `arn:aws:iam::${account}:role/ci`, RoleSessionName: 'run' };
    const may = async (own: Credentials) => (await outcome(world, 'AssumeRole', given, own)) === 'ok';
    expect({ key: await may(ann), token: await may(token), role: await may(role) }).toEqual(expected);
  });
});

test('expired credentials are told as expired, and only to whoever has their secret', async () => {
  const token = await sessionToken(ann);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 13 * 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  const whoAmI = (own: Credentials) => outcome(world, 'GetCallerIdentity', {}, own);
  expect(await whoAmI(token)).toBe('403 ExpiredToken: The security token included in the request is expired');
  expect(await whoAmI({ ...token, secretAccessKey: 'x' })).toMatch(/^403 SignatureDoesNotMatch/);
});
