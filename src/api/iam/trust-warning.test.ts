import { expect, test, vi } from 'vitest';
import { outcome, query, trusts } from '../test-query.ts';
import { fakeWorld } from '../testing.ts';

const anybody = trusts({ Federated: 'accounts.google.com' }, { Action: 'sts:AssumeRoleWithWebIdentity' });
const somebody = trusts(
  { Federated: 'accounts.google.com' },
  {
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { 'accounts.google.com:aud': 'app' } },
  },
);

test('I40 a trust policy that lets in everybody of an identity provider is written, with a warning', async () => {
  const world = fakeWorld();
  const warn = vi.fn();
  const watched = { deps: { ...world.deps, log: { ...world.deps.log, warn } } };
  const create = (RoleName: string, document: string) =>
    outcome(watched, 'CreateRole', { RoleName, AssumeRolePolicyDocument: document });
  expect(await create('narrow', somebody)).toBe('ok');
  expect(await create('narrow', anybody)).toMatch(/^409 EntityAlreadyExists/);
  expect(warn).not.toHaveBeenCalled();
  expect(await create('wide', anybody)).toBe('ok');
  await query(watched, 'UpdateAssumeRolePolicy', { RoleName: 'narrow', PolicyDocument: anybody });
  expect(warn.mock.calls).toEqual(
    ['wide', 'narrow'].map((role) => [
      'role open to an identity provider',
      expect.objectContaining({ role, principal: 'arn:aws:iam::123456789012:root' }),
    ]),
  );
});
