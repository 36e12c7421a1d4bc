import { expect, test } from 'vitest';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { allow, credentialsOf, outcome, policy, query, trusts, userWithKey } from './test-query.ts';
import { call, fakeWorld, root } from './testing.ts';

test('who calls too often is told to wait, and leaves no record of it', async () => {
  const world = fakeWorld();
  const calls = new TokenBuckets({ perSecond: 1, burst: 2 }, { monotonic: () => 0 });
  const limited = { deps: { ...world.deps, calls } };
  const statuses = [];
  for (let i = 0; i < 4; i += 1) statuses.push((await call(limited, 'GET', '/environments')).type);
  expect(statuses).toEqual([undefined, undefined, 'ThrottlingException', 'ThrottlingException']);
  expect(world.audited).toHaveLength(2);
});

test('sessions of a role count as the user who assumed the first one, whatever they are called', async () => {
  const world = fakeWorld();
  const account = root.accountId;
  const RoleArn = `arn:aws:iam::${account}:role/ci`;
  const [ann, ben] = [await userWithKey(world, 'ann', allow()), await userWithKey(world, 'ben', allow())];
  await query(world, 'CreateRole', {
    RoleName: 'ci',
    AssumeRolePolicyDocument: trusts(
      { AWS: account },
      { Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] },
    ),
  });
  await query(world, 'PutRolePolicy', { RoleName: 'ci', PolicyName: 'all', PolicyDocument: policy(allow()) });
  const assume = async (of: typeof ann, RoleSessionName: string, more = {}) =>
    credentialsOf(
      (await query(world, 'AssumeRole', { RoleArn, RoleSessionName, ...more }, of)).result.Credentials,
    );
  const [first, second] = [await assume(ann, 'one'), await assume(ann, 'two')];
  const chained = await assume(first, 'three');
  const other = await assume(ben, 'one');
  const named = await assume(ann, 'four', { SourceIdentity: 'carol' });
  const calls = new TokenBuckets({ perSecond: 1, burst: 4 }, { monotonic: () => 0 });
  const limited = { ...world, deps: { ...world.deps, calls } };
  const ask = (of: typeof ann) => outcome(limited, 'GetCallerIdentity', {}, of);
  for (const own of [ann, first, second, chained]) expect(await ask(own)).toBe('ok');
  for (const own of [ann, first, second, chained]) expect(await ask(own)).toMatch(/Throttling/);
  for (const own of [other, ben, named]) expect(await ask(own)).toBe('ok');
});
