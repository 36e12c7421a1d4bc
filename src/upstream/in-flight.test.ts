import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InFlight, type Leave } from './in-flight.ts';

const stays = () => {};
const bounds = { atOnce: 2, waiting: 2, waitMs: 50 };

it('the next ones wait in order; who cannot wait, or waits too long, or goes away, is told', async () => {
  const lines = new InFlight(bounds);
  let goAway = () => {};
  const first = await lines.enter('a', stays);
  await lines.enter('a', stays);
  const [third, fourth] = [
    lines.enter('a', (giveUp) => {
      goAway = giveUp;
    }),
    lines.enter('a', stays),
  ];
  expect(await lines.enter('a', stays)).toBeUndefined();
  expect(await lines.enter('b', stays)).toBeTypeOf('function');
  goAway();
  expect(await third).toBeUndefined();
  first?.();
  first?.();
  const turn = await fourth;
  expect(turn).toBeTypeOf('function');
  expect(await lines.enter('a', stays)).toBeUndefined();
  turn?.();
  expect(await lines.enter('a', stays)).toBeTypeOf('function');
});

it('never are there more than may be, and nobody is forgotten', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.boolean()), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const lines = new InFlight({ atOnce: 3, waiting: 100, waitMs: 10_000 });
      const open: Record<string, Leave[]> = { a: [], b: [] };
      let waiting = 0;
      for (const [key, enters] of all) {
        if (enters) {
          waiting += 1;
          void Promise.resolve(lines.enter(key, stays)).then((leave) => {
            waiting -= 1;
            if (leave) open[key]?.push(leave);
          });
        } else open[key]?.shift()?.();
        await new Promise(setImmediate);
        for (const key of ['a', 'b']) expect(open[key]?.length).toBeLessThanOrEqual(3);
      }
      while ((open['a']?.length ?? 0) + (open['b']?.length ?? 0) > 0) {
        for (const leaves of Object.values(open)) leaves.shift()?.();
        await new Promise(setImmediate);
      }
      expect(waiting).toBe(0);
    }),
  );
});
