import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from './database.ts';
import { watchEnvironments } from './environment-changes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Connections of which some break with what is asked first. */
const connections = (breaks: (n: number) => boolean) => {
  const all: (EventEmitter & { ended: boolean })[] = [];
  const connect = async () => {
    const n = all.length;
    const client = Object.assign(new EventEmitter(), {
      ended: false,
      query: async () => {
        if (!breaks(n)) return;
        client.emit('end');
        throw new Error('broken');
      },
      end: async () => {
        client.ended = true;
      },
    });
    all.push(client);
    return client;
  };
  return { all, db: { connect } as unknown as Database };
};

test('a connection that breaks at once is ended, and made again by one timer only', async () => {
  const { all, db } = connections((n) => n === 1 || n === 2);
  let missed = 0;
  const stop = await watchEnvironments(db, {
    changed: () => {},
    missed: () => {
      missed += 1;
    },
  });
  all[0]?.emit('end');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(all.map(({ ended }) => ended)).toEqual([false, true, true, false]);
  expect(missed).toBe(1);
  stop();
  expect(all[3]?.ended).toBe(true);
});
