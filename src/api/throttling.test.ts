import { expect, test } from 'vitest';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { call, fakeWorld } from './testing.ts';

test('who calls too often is told to wait, and leaves no record of it', async () => {
  const world = fakeWorld();
  const calls = new TokenBuckets({ perSecond: 1, burst: 2 }, { monotonic: () => 0 });
  const limited = { deps: { ...world.deps, calls } };
  const statuses = [];
  for (let i = 0; i < 4; i += 1) statuses.push((await call(limited, 'GET', '/environments')).type);
  expect(statuses).toEqual([undefined, undefined, 'ThrottlingException', 'ThrottlingException']);
  expect(world.audited).toHaveLength(2);
});
