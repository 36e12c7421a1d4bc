import { expect, test } from 'vitest';
import { SharedWork } from './shared-work.ts';

test('who asks during a run gets the next one, which all of them share', async () => {
  const shared = new SharedWork();
  const begun: PromiseWithResolvers<void>[] = [];
  const work = () => {
    const run = Promise.withResolvers<void>();
    begun.push(run);
    return run.promise;
  };
  const first = shared.run('a', work);
  const later = [shared.run('a', work), shared.run('a', work)];
  const other = shared.run('b', work);
  expect(begun.length).toBe(2);
  begun[0]?.resolve();
  begun[1]?.resolve();
  await Promise.all([first, other]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun.length).toBe(3);
  begun[2]?.reject(new Error('failed'));
  for (const one of later) await expect(one).rejects.toThrow('failed');
  const again = shared.run('a', work);
  begun[3]?.resolve();
  await again;
});
