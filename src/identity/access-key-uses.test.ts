import { expect, test } from 'vitest';
import { type AccessKeyUse, openAccessKeyUses } from './access-key-uses.ts';

test('an older use of a key never takes the place of a newer one', async () => {
  const saved: AccessKeyUse[][] = [];
  const store = {
    load: async () => [{ id: 'a', at: 1_000, service: 'iam', region: 'us-east-1' }],
    save: async (uses: readonly AccessKeyUse[]) => void saved.push([...uses]),
  };
  let now = 900;
  const uses = await openAccessKeyUses(store, { clock: { now: () => now } });
  uses.note('a', { service: 'sts', region: 'us-east-1' });
  await uses.flush();
  expect(uses.last('a')).toMatchObject({ at: 1_000, service: 'iam' });
  expect(saved).toEqual([]);
  now = 1_000;
  uses.note('a', { service: 'airflow', region: 'us-east-1' });
  await uses.flush();
  expect(saved).toEqual([[{ id: 'a', at: 1_000, service: 'airflow', region: 'us-east-1' }]]);
});
