import { expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

test('bodies that have not come whole make room, the oldest first; whole ones and small ones stay', () => {
  const room = new BodyRoom({ most: 100, free: 10 });
  const gone: string[] = [];
  const hold = (name: string, bytes: number) => {
    const held = room.hold(() => gone.push(name));
    return { ...held, fits: held.add(bytes) };
  };
  hold('small', 10);
  const whole = hold('whole', 60);
  whole.complete();
  hold('first', 40);
  hold('second', 20);
  expect(gone).toEqual([]);
  const third = hold('third', 30);
  expect([third.fits, gone]).toEqual([true, ['first']]);
  expect([third.add(10), gone]).toEqual([true, ['first']]);
  expect([third.add(20), gone]).toEqual([true, ['first', 'second']]);
  third.complete();
  const fourth = hold('fourth', 20);
  expect([fourth.fits, gone]).toEqual([false, ['first', 'second']]);
  fourth.release();
  whole.release();
  whole.release();
  const fifth = hold('fifth', 60);
  expect([fifth.fits, gone]).toEqual([true, ['first', 'second']]);
});
