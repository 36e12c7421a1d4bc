// Case I40: a trust policy that lets in everybody of an identity provider.
import { expect, test } from 'vitest';
import { openToIdentityProviders } from './open-trust.ts';
import { parsePolicy } from './parse.ts';

const google = { Federated: 'accounts.google.com' };
const statement = (Condition?: object, more: object = {}) => ({
  ...{ Effect: 'Allow', Principal: google, Action: 'sts:AssumeRoleWithWebIdentity' },
  ...(Condition === undefined ? {} : { Condition }),
  ...more,
});
const equal = (key: string, value: unknown) => ({ StringEquals: { [key]: value } });

test.each<[string, object, boolean]>([
  ['no condition', statement(), true],
  ['the audience', statement(equal('accounts.google.com:aud', 'app')), false],
  ['the subject', statement({ StringLike: { 'accounts.google.com:sub': 'team-*' } }), false],
  ['the key in another spelling', statement(equal('ACCOUNTS.google.com:AUD', ['a', 'b'])), false],
  ['a variable', statement({ StringLike: { 'accounts.google.com:sub': `\${aws:x}` } }), false],
  [
    'a subject that every token has',
    statement({ StringLike: { 'accounts.google.com:sub': ['a', '*'] } }),
    true,
  ],
  ['a subject that it must not be', statement({ StringNotEquals: { 'accounts.google.com:sub': 'x' } }), true],
  ['a subject where there is one', statement({ StringEqualsIfExists: { 'a.example:sub': 'x' } }), true],
  ['all of its subjects', statement({ 'ForAllValues:StringEquals': { 'a.example:sub': 'x' } }), true],
  ['any of its audiences', statement({ 'ForAnyValue:StringEquals': { 'a.example:aud': 'x' } }), false],
  ['that there is a subject', statement({ Null: { 'a.example:sub': 'false' } }), true],
  ['another key', statement(equal('accounts.google.com:email', 'a@example.com')), true],
  ['every action', statement(undefined, { Action: 'sts:*' }), true],
  ['all actions but one', statement(undefined, { Action: undefined, NotAction: 'sts:TagSession' }), true],
  ['all actions but this', statement(undefined, { Action: undefined, NotAction: 'sts:Assume*' }), false],
  ['another action', statement(undefined, { Action: 'sts:AssumeRoleWithSAML' }), false],
  ['everybody', statement(undefined, { Principal: '*' }), true],
  ['an account', statement(undefined, { Principal: { AWS: '123456789012' } }), false],
  ['a deny', statement(undefined, { Effect: 'Deny' }), false],
])('I40 asking for %s', (_, given, isOpen) => {
  const trust = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [given] }), 'trust');
  expect(openToIdentityProviders(trust)).toHaveLength(isOpen ? 1 : 0);
});
