// Whether an environment may have its role: the role as it is now, and whom it trusts.
import { expect, test } from 'vitest';
import { directoryOf, type IamRole } from './directory.ts';
import { executionRoleFault, executionRoleOf } from './execution-role.ts';

const accountId = '123456789012';
const service = 'airflow-env.amazonaws.com';
const trusting = (Principal: unknown, more: object = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal, ...more }],
  });
const role = (trust: string, more: Partial<IamRole> = {}): IamRole => ({
  ...{ kind: 'role', name: 'run', path: '/', id: 'AROAAAAAAAAAAAAAAARUN', createdAt: 0, tags: {} },
  ...{ inline: {}, attached: [], maxSessionDuration: 3_600, trust },
  ...more,
});
const environment = (ExecutionRoleArn = `arn:aws:iam::${accountId}:role/run`) => ({
  ...{ name: 'demo', accountId, region: 'us-east-1', spec: { ExecutionRoleArn } },
});
const faultOf = (of: IamRole, e = environment()) => executionRoleFault(e, directoryOf([of]), Date.now());
const own = `arn:aws:airflow:us-east-1:${accountId}:environment/demo`;

test.each<[string, string]>([
  ['the service', trusting({ Service: service })],
  ['one of two services', trusting({ Service: ['airflow.amazonaws.com', service] })],
  [
    'for this account',
    trusting({ Service: service }, { Condition: { StringEquals: { 'aws:SourceAccount': accountId } } }),
  ],
  [
    'for this environment',
    trusting({ Service: service }, { Condition: { ArnEquals: { 'aws:SourceArn': own } } }),
  ],
])('a role that trusts %s is given', (_, trust) => {
  expect(executionRoleOf(environment(), directoryOf([role(trust)]), Date.now())).toEqual({
    role: role(trust),
  });
});

test.each<[string, string]>([
  ['everybody', trusting('*')],
  ['everybody of AWS', trusting({ AWS: '*' })],
  ['the account', trusting({ AWS: accountId })],
  ['the other service of MWAA alone', trusting({ Service: 'airflow.amazonaws.com' })],
  ['the service by a pattern', trusting({ Service: 'airflow-env.amazonaws.com.evil.example' })],
  ['for another action', trusting({ Service: service }, { Action: 'sts:TagSession' })],
  [
    'for another environment',
    trusting({ Service: service }, { Condition: { ArnEquals: { 'aws:SourceArn': `${own}2` } } }),
  ],
  [
    'for another account',
    trusting({ Service: service }, { Condition: { StringEquals: { 'aws:SourceAccount': '1' } } }),
  ],
  [
    'for people with a second factor',
    trusting({ Service: service }, { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
  ],
])('a role that trusts %s is not', (_, trust) => {
  expect(faultOf(role(trust))).toContain('does not let airflow-env.amazonaws.com assume it');
});

test.each<[string, unknown]>([
  ['everybody', '*'],
  ['everybody of AWS', { AWS: '*' }],
  ['all services', { Service: '*' }],
])('a deny for %s closes the role', (_, Principal) => {
  const { Statement } = JSON.parse(trusting({ Service: service })) as { Statement: readonly object[] };
  const closed = {
    Version: '2012-10-17',
    Statement: [...Statement, { ...Statement[0], Effect: 'Deny', Principal }],
  };
  expect(faultOf(role(JSON.stringify(closed)))).toContain('does not let');
});

test('a deny goes before', () => {
  const { Statement } = JSON.parse(trusting({ Service: service })) as { Statement: readonly object[] };
  const denied = { Version: '2012-10-17', Statement: [...Statement, { ...Statement[0], Effect: 'Deny' }] };
  expect(faultOf(role(JSON.stringify(denied)))).toContain('does not let');
});

test.each([
  `arn:aws:iam::${accountId}:role/other`,
  `arn:aws:iam::${accountId}:role/path/run`,
  'arn:aws:iam::999999999999:role/run',
])('%s is not there', (arn) => {
  expect(faultOf(role(trusting({ Service: service })), environment(arn))).toContain(`${arn} does not exist`);
});

test('a role with a path is found by its whole ARN', () => {
  const of = role(trusting({ Service: service }), { path: '/service-role/' });
  expect(faultOf(of, environment(`arn:aws:iam::${accountId}:role/service-role/run`))).toBeUndefined();
});
