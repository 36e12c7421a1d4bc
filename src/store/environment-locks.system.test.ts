import { afterAll, beforeAll, expect, test } from 'vitest';
import { GenerationChanged, LeaseLost, RecordLocked } from '../environments/errors.ts';
import type { KeyLock } from '../environments/ports.ts';
import type { EnvironmentRecord, NewEnvironment } from '../environments/record.ts';
import { randomId } from '../lib/ids.ts';
import { environmentStore } from './environments.ts';
import { startTestDatabase, type TestDatabase } from './testing.ts';

let database: TestDatabase;
const scope = { accountId: '123456789012', region: 'us-east-1' };

beforeAll(async () => {
  database = await startTestDatabase();
}, 60_000);
afterAll(() => database.end());

const made = async (): Promise<EnvironmentRecord> => {
  const store = environmentStore(database.db);
  const name = `e-${randomId(12)}`;
  const e: NewEnvironment = {
    ...scope,
    id: randomId(12),
    name,
    arn: `arn:${name}`,
    spec: {
      AirflowVersion: '3.3.1',
      DagS3Path: 'dags',
      SourceBucketArn: 'b',
      ExecutionRoleArn: 'r',
      EnvironmentClass: 'mw1.small',
    },
    tags: {},
    placement: { driver: 'local', host: 'local' },
    createdAt: 0,
  };
  return store.inTransaction((tx) => store.insert(tx, e));
};

/** Runs work under the lock of an environment, with a server's locks of their own. */
const locked = async <T>(
  id: string,
  work: (lock: KeyLock) => Promise<T>,
  db = database.db,
): Promise<T | 'busy'> => {
  const locks = environmentStore(db).openLocks();
  try {
    return await locks.withKey(id, work);
  } finally {
    await locks.close();
  }
};

const remove = (e: EnvironmentRecord): Promise<unknown> => {
  const store = environmentStore(database.db);
  return store.inTransaction((tx) => store.setDeleting(tx, e.id, e.generation));
};

const found = (e: EnvironmentRecord) => environmentStore(database.db).findById(e.id);

test('two servers never hold the same lock, nor does one twice', async () => {
  const e = await made();
  const inside = await locked(e.id, async () => [
    await locked(e.id, async () => 'held'),
    await locked(e.id, async () => 'held', database.another()),
  ]);
  expect(inside).toEqual(['busy', 'busy']);
  expect(await locked(e.id, async () => 'held')).toBe('held');
});

test('one connection holds any number of locks, and gives each back by itself', async () => {
  const all = await Promise.all(Array.from({ length: 30 }, made));
  const locks = environmentStore(database.db).openLocks();
  const release: (() => void)[] = [];
  const works = all.map((e) =>
    locks.withKey(e.id, () => new Promise<void>((resolve) => release.push(resolve))),
  );
  while (release.length < all.length) await new Promise((resolve) => setTimeout(resolve, 5));
  const holders = await database.db.query<{ pid: number; count: string }>(
    `select pid, count(*) from pg_locks where locktype = 'advisory' and classid = 7400002 group by pid`,
  );
  expect(holders.map(({ count }) => count)).toEqual(['30']);
  release[0]?.();
  await works[0];
  expect(await locked(all[0]?.id ?? '', async () => 'free', database.another())).toBe('free');
  expect(await locked(all[1]?.id ?? '', async () => 'free', database.another())).toBe('busy');
  for (const done of release) done();
  await Promise.all(works);
  await locks.close();
});

test('what a request changed since it was read is not overwritten', async () => {
  const e = await made();
  const outcome = await locked(e.id, async (lock) => {
    await lock.setObserved(e, { progress: 'as read' });
    await remove(e);
    const late = [
      lock.setObserved(e, { status: 'AVAILABLE', lastUpdate: { Status: 'SUCCESS', CreatedAt: 0 } }),
      lock.claimHostname(e, 'localhost:1'),
    ];
    return Promise.allSettled(late);
  });
  expect(outcome).toMatchObject([
    { status: 'rejected', reason: expect.any(GenerationChanged) },
    { status: 'rejected', reason: expect.any(GenerationChanged) },
  ]);
  expect(await found(e)).toMatchObject({
    status: 'DELETING',
    webserverHostname: undefined,
    progress: undefined,
  });
});

test('a request that does not let go of the record is told as such, and the lock is kept', async () => {
  const e = await made();
  let letGo = (): void => {};
  const store = environmentStore(database.db);
  const held = store.inTransaction(async (tx) => {
    await store.findLocked(tx, e);
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
  });
  const outcome = await locked(e.id, async (lock) => {
    const refused = await lock.setObserved(e, { progress: 'x' }).catch((error: unknown) => error);
    letGo();
    await held;
    await lock.setObserved(e, { progress: 'y' });
    return [refused, await lock.stillHeld()];
  });
  expect(outcome).toEqual([expect.any(RecordLocked), true]);
});

test('a server whose connection is gone writes nothing any more, and gets its locks anew', async () => {
  const e = await made();
  const locks = environmentStore(database.db).openLocks();
  const lost = await locks.withKey(e.id, async (lock) => {
    await database.db.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 7400002`,
    );
    while (await lock.stillHeld());
    expect(lock.signal.aborted).toBe(true);
    const write = lock.setObserved(e, { progress: 'too late' });
    await expect(write).rejects.toBeInstanceOf(LeaseLost);
    return 'ended';
  });
  expect(lost).toBe('ended');
  expect(await found(e)).toMatchObject({ progress: undefined });
  expect(await locks.withKey(e.id, async (lock) => lock.stillHeld())).toBe(true);
  await locks.close();
});

test('a host name is given to one of two', async () => {
  const [one, other] = [await made(), await made()];
  const claim = (e: EnvironmentRecord) => locked(e.id, (lock) => lock.claimHostname(e, 'localhost:7443'));
  expect(await claim(one)).toBe(true);
  expect(await claim(other)).toBe(false);
});

test('a change is told once, and a connection that was made again says that some may be missed', async () => {
  const store = environmentStore(database.db);
  const told: string[] = [];
  const stop = await store.watch({ changed: (id) => told.push(id), missed: () => told.push('missed') });
  const until = async (count: number) => {
    while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const e = await made();
  await until(1);
  await database.db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen environment%'`,
  );
  await until(2);
  await remove(e);
  await until(3);
  expect(told).toEqual([e.id, 'missed', e.id]);
  stop();
});
