// The execution role of the first environment: what AWS's own check of an environment simulates is allowed by it.
import { expect, test } from 'vitest';
import type { AuditEntry } from '../audit/record.ts';
import { livingDirectory } from '../identity/living-directory.ts';
import { systemClock } from '../lib/clock.ts';
import type { Transaction } from '../lib/transaction.ts';
import { compiledPolicy } from '../policy/parse.ts';
import { executionRoleArn, makeExecutionRole } from './execution-role.ts';

const world = () => {
  const audited: AuditEntry[] = [];
  let fails = false;
  const audit = {
    write: async (entry: AuditEntry) => {
      if (fails) throw new Error('the disk is full');
      audited.push(entry);
    },
  };
  const fail = (now: boolean) => {
    fails = now;
  };
  const directory = livingDirectory(
    { inTransaction: (work) => work({} as Transaction), load: async () => [], save: async () => {} },
    [],
  );
  const make = (environment: string) =>
    makeExecutionRole(
      { environment, bucket: environment },
      { directory, audit, clock: systemClock, accountId: '123456789012', region: 'us-east-1' },
    );
  return { audited, directory, make, fail };
};
const roleOf = ({ directory }: ReturnType<typeof world>) =>
  directory.current.get('role', 'windsock-execution');

test('is made with trust and policy, both recorded as done by the server', async () => {
  const w = world();
  await w.make('demo');
  expect(executionRoleArn('123456789012')).toBe('arn:aws:iam::123456789012:role/windsock-execution');
  const role = roleOf(w);
  expect(JSON.parse(role?.trust ?? '').Statement[0].Principal.Service).toEqual([
    'airflow.amazonaws.com',
    'airflow-env.amazonaws.com',
  ]);
  expect(() => compiledPolicy(role?.trust ?? '', 'trust')).not.toThrow();
  expect(() => compiledPolicy(role?.inline['MWAA-Execution-Policy-demo'] ?? '', 'identity')).not.toThrow();
  expect(w.audited).toMatchObject([
    { eventName: 'CreateRole', principal: 'server', eventSource: 'iam.amazonaws.com' },
    { eventName: 'PutRolePolicy', principal: 'server', eventSource: 'iam.amazonaws.com' },
  ]);
});

test('done twice it changes and records nothing; another environment adds its policy', async () => {
  const w = world();
  await w.make('demo');
  const first = roleOf(w);
  await w.make('demo');
  expect(roleOf(w)).toEqual(first);
  expect(w.audited).toHaveLength(2);
  await w.make('other');
  expect(Object.keys(roleOf(w)?.inline ?? {})).toEqual([
    'MWAA-Execution-Policy-demo',
    'MWAA-Execution-Policy-other',
  ]);
  expect(roleOf(w)?.id).toBe(first?.id);
});

test('without a record there is no role', async () => {
  const w = world();
  w.fail(true);
  await expect(w.make('demo')).rejects.toThrow('the disk is full');
  expect(roleOf(w)).toBeUndefined();
  w.fail(false);
  await w.make('demo');
  expect(roleOf(w)).toBeDefined();
});

test('the policies stay within the quota of a role', async () => {
  const w = world();
  for (let i = 0; i < 12; i += 1) await w.make(`environment-${i}`);
  const size = Object.values(roleOf(w)?.inline ?? {})
    .join('')
    .replaceAll(/\s/g, '').length;
  expect(size).toBeLessThanOrEqual(10_240);
  expect(size).toBeGreaterThan(5_000);
});
