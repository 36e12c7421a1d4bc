import { expect, test } from 'vitest';
import { TokenBuckets } from './token-buckets.ts';

const open = (most?: number) => {
  const clock = { now: 0, monotonic: () => clock.now };
  return { clock, buckets: new TokenBuckets({ perSecond: 2, burst: 3 }, clock, most) };
};

test('so many at once, then so many a second; each caller by itself', () => {
  const { clock, buckets } = open();
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([true, true, true, false]);
  expect(buckets.take('b')).toBe(true);
  clock.now = 499;
  expect(buckets.take('a')).toBe(false);
  clock.now = 500;
  expect([buckets.has('a'), buckets.take('a'), buckets.has('a')]).toEqual([true, true, false]);
  clock.now = 60_000;
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([true, true, true, false]);
});

test('only so many callers are remembered; who was away longest is forgotten', () => {
  const { buckets } = open(2);
  for (let i = 0; i < 3; i += 1) buckets.take('a');
  buckets.take('b');
  expect(buckets.take('a')).toBe(false);
  buckets.take('c');
  expect(buckets.take('a')).toBe(false);
  buckets.take('d');
  buckets.take('e');
  expect(buckets.take('a')).toBe(true);
});
