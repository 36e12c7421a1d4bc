import { expect, test } from 'vitest';
import { conditionContext, globalKeys } from './condition-context.ts';
import type { MintContext } from './principal.ts';

test('the list of global keys has all that a call may have', () => {
  const mint = {
    principal: {
      ...{ type: 'IAMUser', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/ann' },
      ...{ accessKeyId: 'AKIA', iamIdentity: 'user/ann', sourceIdentity: 'ann' },
    },
    ...{ sourceIp: '127.0.0.1', userAgent: 'x', requestId: 'id', sessionTags: { team: 'x' } },
    ...{ credentialsIssuedAt: 0, mfaAuthenticated: true, mfaAuthenticatedAt: 0 },
  } as MintContext;
  const directory = { byId: () => undefined } as never;
  const keys = Object.keys(conditionContext(mint, { directory, clock: { now: () => 0 }, region: 'r' }));
  const listed = keys.map((key) => key.replace(/\/.*/, '/'));
  expect(new Set(listed)).toEqual(new Set(globalKeys));
});
