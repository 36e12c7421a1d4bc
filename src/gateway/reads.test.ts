import { expect, test } from 'vitest';
import type { AuditEntry } from '../audit/record.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { createReadCounts } from './reads.ts';
import { mintOf } from './test-door.ts';

const door = { id: 'aaaaaaaaaaaa', name: 'demo' } as DoorFacts;
const from = (clientIp: string) => ({ clientIp, userAgent: 'test' }) as DoorRequest;
const session = (id: string) =>
  ({ id, mint: mintOf(id), airflowIdentity: `user/${id}`, environmentId: door.id }) as WebSession;

const open = () => {
  const world = { kept: [] as AuditEntry[], full: false, now: 1_000, failed: [] as unknown[] };
  const counts = createReadCounts({
    audit: {
      write: async (entry) => {
        if (world.full) throw new Error('no byte is free');
        world.kept.push(entry);
      },
    },
    now: () => world.now,
    failed: (error) => void world.failed.push(error),
  });
  return { world, counts };
};

test('one record a session and one for those who have none, with counts and addresses', async () => {
  const { world, counts } = open();
  for (const status of [200, 200, 403]) counts.read(from('10.0.0.1'), door, session('ann'), status);
  counts.read(from('10.0.0.2'), door, session('ann'), 200);
  counts.read(from('10.0.0.3'), door, session('bob'), 200);
  counts.stranger(from('10.0.0.9'), door);
  world.now = 61_000;
  await counts.flush();
  expect(world.kept).toMatchObject([
    {
      eventName: 'AirflowReads',
      readOnly: true,
      principal: { iamIdentity: 'user/ann' },
      requestParameters: {
        Name: 'demo',
        from: '1970-01-01T00:00:01.000Z',
        to: '1970-01-01T00:01:01.000Z',
        count: 4,
        refused: 1,
        sources: ['10.0.0.1', '10.0.0.2'],
      },
    },
    { principal: { iamIdentity: 'user/bob' }, requestParameters: { count: 1, refused: 0 } },
    {
      eventName: 'UnauthenticatedRequests',
      principal: undefined,
      requestParameters: { count: 1, refused: 1 },
    },
  ]);
  await counts.close();
  expect(world.kept.length).toBe(3);
});

test('what cannot be kept is kept with the next, also at the end', async () => {
  const { world, counts } = open();
  counts.read(from('10.0.0.1'), door, session('ann'), 200);
  world.full = true;
  await expect(counts.flush()).rejects.toThrow('no byte is free');
  counts.read(from('10.0.0.1'), door, session('ann'), 200);
  world.full = false;
  await counts.close();
  expect(world.kept.map((entry) => entry.requestParameters?.['count'])).toEqual([2]);
});

test('addresses that are named are bounded', async () => {
  const { world, counts } = open();
  for (let i = 0; i < 100; i += 1) counts.stranger(from(`10.0.0.${i}`), door);
  await counts.close();
  expect(world.kept[0]?.requestParameters).toMatchObject({ count: 100 });
  const sources = world.kept[0]?.requestParameters?.['sources'];
  expect(sources).toEqual(Array.from({ length: 10 }, (_, i) => `10.0.0.${i}`));
});
