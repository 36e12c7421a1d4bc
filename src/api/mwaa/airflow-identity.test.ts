import { expect, test } from 'vitest';
import { airflowIdentity } from './airflow-identity.ts';

test.each([
  [{ type: 'Root', iamIdentity: 'root' }, 'root'],
  [{ type: 'IAMUser', iamIdentity: 'user/ann' }, 'user/ann'],
  [{ type: 'AssumedRole', iamIdentity: 'assumed-role/Ops/ann' }, 'assumed-role/Ops/ann', 'assumed-role/Ops'],
] as const)('%j', (principal, name, shared: string = name) => {
  expect(airflowIdentity(principal, { sharedAirflowUsers: false })).toBe(name);
  expect(airflowIdentity(principal, { sharedAirflowUsers: true })).toBe(shared);
});

test('a longer name is replaced by a hash that stays the same', () => {
  const named = (end: string) =>
    airflowIdentity(
      { type: 'IAMUser', iamIdentity: `user/${'a'.repeat(59)}${end}` },
      { sharedAirflowUsers: false },
    );
  expect(named('')).toBe(`user/${'a'.repeat(59)}`);
  expect(named('b')).toMatch(/^[0-9a-f]{64}$/);
  expect(named('b')).toBe(named('b'));
  expect(named('b')).not.toBe(named('c'));
});
