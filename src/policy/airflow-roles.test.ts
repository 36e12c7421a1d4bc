import { expect, test } from 'vitest';
import { grantedAirflowRoles } from './airflow-roles.ts';
import { evaluate } from './evaluate.ts';

const scope = { accountId: '123456789012', region: 'us-east-1', environmentName: 'demo' };
const root = { type: 'Root', arn: 'arn:aws:iam::123456789012:root' } as const;
const user = { type: 'IAMUser', arn: 'arn:aws:iam::123456789012:user/ann' } as const;

test('root is Admin, and nobody else is anything while there are no policies', () => {
  expect(grantedAirflowRoles(root, scope)).toEqual(['Admin']);
  expect(grantedAirflowRoles(user, scope)).toEqual([]);
});

test('a decision says why', () => {
  const request = { action: 'airflow:GetEnvironment', resource: '*', context: {} };
  expect(evaluate({ ...request, principal: root })).toEqual({ allowed: true, reasons: ['root-user'] });
  expect(evaluate({ ...request, principal: user })).toEqual({
    allowed: false,
    reasons: ['no-identity-based-policy'],
  });
});
