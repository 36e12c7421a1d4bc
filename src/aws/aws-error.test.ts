import { expect, test } from 'vitest';
import { reasonFor, UnusableCredentials } from './aws-error.ts';

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });
const hidden = /cannot be used\. Try them with/;

test('what AWS answers, and where its SDK looked, is told', () => {
  const denied = named('AccessDenied', 'User: x is not authorized to perform: sts:AssumeRole', {
    $metadata: {},
  });
  expect(reasonFor(denied)).toContain('not authorized');
  const missing = named('CredentialsProviderError', 'Could not resolve credentials using profile: [typo]');
  expect(reasonFor(missing)).toContain('[typo]');
  expect(reasonFor(new UnusableCredentials('they have expired'))).toBe('they have expired');
  expect(reasonFor(named('X', 'y'.repeat(2_000), { $metadata: {} }))).toHaveLength(500);
});

test.each([
  named('CredentialsProviderError', 'Command failed: /tool --password hunter2\ntoken=SECRET'),
  named('Error', 'Command failed: tool'),
  named('TypeError', 'fetch of https://user:word@host failed'),
  'a text',
  undefined,
])('of programs and surprises nothing: %s', (error) => {
  expect(reasonFor(error)).toMatch(hidden);
});
