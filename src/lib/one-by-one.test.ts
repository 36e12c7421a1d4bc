import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OneByOne } from './one-by-one.ts';

test('work of one key runs in order and alone, also after some that failed; other keys do not wait', async () => {
  const line = new OneByOne();
  const done: number[] = [];
  let atOnce = 0;
  let most = 0;
  const work = (number: number) => async () => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await delay(1);
    atOnce -= 1;
    if (number === 3) throw new Error('third');
    done.push(number);
  };
  const open = Promise.withResolvers<void>();
  const held = line.run('held', () => open.promise);
  const all = await Promise.allSettled([1, 2, 3, 4, 5].map((number) => line.run('a', work(number))));
  expect(all.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  ]);
  expect(done).toEqual([1, 2, 4, 5]);
  expect(most).toBe(1);
  open.resolve();
  await held;
});
