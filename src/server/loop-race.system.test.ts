// Every request against every write of the loop, in both orders: the real API, loop, locks and PostgreSQL, with a
// driver that only counts its steps.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, create, fakeWorld } from '../api/testing.ts';
import { Attempts } from '../environments/attempts.ts';
import { StepFailed } from '../environments/errors.ts';
import type { EnvironmentStore, KeyLock, ObservedChange } from '../environments/ports.ts';
import { type ReconcileDeps, reconcile } from '../environments/reconcile.ts';
import type { EnvironmentRecord, EnvironmentUpdate } from '../environments/record.ts';
import { type EnvironmentStatus, mayAsk } from '../environments/status.ts';
import { type FakeDriverOptions, fakeDoor, fakeDriver } from '../environments/testing.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { environmentStore } from '../store/environments.ts';
import { startTestDatabase, type TestDatabase } from '../store/testing.ts';

let database: TestDatabase;
let store: EnvironmentStore;

beforeAll(async () => {
  database = await startTestDatabase();
  store = environmentStore(database.db);
}, 60_000);
afterAll(() => database.end());

const failsOnce = (at: string, retry: boolean): FakeDriverOptions => {
  let failures = 0;
  return {
    fail: (step) => {
      if (step === at && failures++ === 0) throw new StepFailed('it broke', { retry });
    },
  };
};

/** One kind of write: from which status, what the driver does, and how the write is told from others. */
interface Write {
  readonly name: string;
  readonly from: EnvironmentStatus;
  readonly driver?: () => FakeDriverOptions;
  readonly is: (change: ObservedChange | string) => boolean;
  /** Milliseconds for which what fails is tried. */
  readonly deadline?: number;
}

const becomes = (status: EnvironmentStatus) => (change: ObservedChange | string) =>
  typeof change !== 'string' && change.status === status;
const progress = (change: ObservedChange | string) =>
  typeof change !== 'string' && change.status === undefined && change.progress !== undefined;

const writes: readonly Write[] = [
  { name: 'the address', from: 'CREATING', is: (change) => typeof change === 'string' },
  { name: 'a creation succeeds', from: 'CREATING', is: becomes('AVAILABLE') },
  {
    name: 'a creation fails',
    from: 'CREATING',
    driver: () => failsOnce('ready', false),
    is: becomes('CREATE_FAILED'),
  },
  { name: 'a failure is told', from: 'CREATING', driver: () => failsOnce('ready', true), is: progress },
  { name: 'an update begins', from: 'CREATING_SNAPSHOT', is: becomes('UPDATING') },
  {
    name: 'a copy fails',
    from: 'CREATING_SNAPSHOT',
    driver: () => failsOnce('snapshot', false),
    is: becomes('ROLLING_BACK'),
  },
  { name: 'an update succeeds', from: 'UPDATING', is: becomes('AVAILABLE') },
  {
    name: 'an update fails',
    from: 'UPDATING',
    driver: () => failsOnce('ready', false),
    is: becomes('ROLLING_BACK'),
  },
  { name: 'a roll-back ends', from: 'ROLLING_BACK', is: becomes('UPDATE_FAILED') },
  {
    name: 'a roll-back fails',
    from: 'ROLLING_BACK',
    driver: () => failsOnce('ready', false),
    is: becomes('UNAVAILABLE'),
    deadline: 0,
  },
  { name: 'what was unavailable comes back', from: 'UNAVAILABLE', is: becomes('UPDATE_FAILED') },
  { name: 'a delete ends', from: 'DELETING', is: becomes('DELETED') },
  {
    name: 'trouble is told',
    from: 'AVAILABLE',
    driver: () => ({ trouble: () => 'the scheduler ended' }),
    is: progress,
  },
];

interface Request {
  readonly name: string;
  readonly asks: 'update' | 'delete' | undefined;
  readonly send: (name: string, deps: Deps) => ReturnType<typeof call>;
  /** What must be true in the end where it was answered with 200. */
  readonly holds: (e: EnvironmentRecord) => boolean;
}
type Deps = ReturnType<typeof fakeWorld>['deps'];

const send =
  (method: string, path: string, input?: object): Request['send'] =>
  (name, deps) =>
    call({ deps }, method, path.replace('NAME', name), input);
const arn = encodeURIComponent('arn:aws:airflow:us-east-1:123456789012:environment/');

const requests: readonly Request[] = [
  {
    name: 'delete',
    asks: 'delete',
    send: send('DELETE', '/environments/NAME'),
    holds: (e) => e.status === 'DELETED',
  },
  {
    name: 'update',
    asks: 'update',
    send: send('PATCH', '/environments/NAME', { EnvironmentClass: 'mw1.medium' }),
    holds: (e) =>
      e.status === 'AVAILABLE' && e.spec.EnvironmentClass === 'mw1.medium' && e.update === undefined,
  },
  {
    name: 'update to another version',
    asks: 'update',
    send: send('PATCH', '/environments/NAME', { AirflowVersion: '3.0.6' }),
    holds: (e) => e.status === 'AVAILABLE' && e.spec.AirflowVersion === '3.0.6' && e.update === undefined,
  },
  {
    name: 'stop',
    asks: 'update',
    send: send('POST', '/windsock/environments/NAME/stop'),
    holds: (e) => e.suspended,
  },
  {
    name: 'tag',
    asks: undefined,
    send: (name, deps) => call({ deps }, 'POST', `/tags/${arn}${name}`, { Tags: { team: 'data' } }),
    holds: (e) => e.tags['team'] === 'data',
  },
];

let made = 0;

/** An environment in that status, as if an update of its class were under way where the status says so. */
const environmentIn = async (status: EnvironmentStatus, deps: Deps): Promise<EnvironmentRecord> => {
  made += 1;
  const name = `race-${made}`;
  await create({ ...fakeWorld(), deps }, name, { AirflowVersion: '2.11.2' });
  const record = await store.find({ ...scope, name });
  if (!record) throw new Error('the environment was not made');
  const updating = ['CREATING_SNAPSHOT', 'UPDATING', 'ROLLING_BACK', 'UNAVAILABLE'].includes(status);
  const update: EnvironmentUpdate = { wanted: record.spec, previous: record.spec, strategy: 'FORCED' };
  await database.db.query('update environments set status = $2, update = $3 where id = $1', [
    record.id,
    status,
    updating ? update : null,
  ]);
  return record;
};
const quotas = { environments: 1_000, workers: 25, webservers: 5 };
const scope = { accountId: '123456789012', region: 'us-east-1' };

/** A gate: `reached` resolves when somebody waits at it, and `open` lets everybody through from then on. */
const gate = () => {
  let [reach, open] = [() => {}, () => {}];
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const pass = async (): Promise<void> => {
    reach();
    await opened;
  };
  return { reached, open, pass };
};

/** The loop on one environment; `before` is called before each of its writes, `begun` after each was sent. */
const loopOn = (
  write: Write,
  o: { before: (change: ObservedChange | string) => Promise<void>; begun: () => void },
) => {
  const locks = store.openLocks();
  const { door } = fakeDoor();
  const slowed = (lock: KeyLock): KeyLock => ({
    ...lock,
    setObserved: async (read, change) => {
      await o.before(change);
      const written = lock.setObserved(read, change);
      o.begun();
      return written;
    },
    claimHostname: async (read, hostname) => {
      await o.before(hostname);
      const written = lock.claimHostname(read, hostname);
      o.begun();
      return written;
    },
  });
  const deps: ReconcileDeps = {
    store,
    locks: { ...locks, withKey: (id, work) => locks.withKey(id, (lock) => work(slowed(lock))) },
    driver: fakeDriver(write.driver?.()) as ReconcileDeps['driver'],
    door,
    clock: systemClock,
    log: silentLog,
    onProgress: () => {},
    creationDeadline: write.deadline ?? 60_000,
    isOwner: async () => true,
    attempts: new Attempts(systemClock),
    stopping: new AbortController().signal,
  };
  return {
    /** Looks until there is nothing more to do. */
    run: async (id: string): Promise<void> => {
      for (let looks = 0; (await reconcile(deps, id)) !== undefined; looks += 1)
        if (looks > 20) throw new Error('the loop finds no end');
    },
    close: () => locks.close(),
  };
};

const statusOf = async (id: string): Promise<EnvironmentStatus> => {
  const found = await store.findById(id);
  if (!found) throw new Error('the record is gone');
  return found.status;
};

/** A request that is allowed has its effect in the end; one that is not says why, in the status that it met. */
const check = async (
  request: Request,
  id: string,
  met: EnvironmentStatus,
  answer: { status: number; json: unknown },
) => {
  const end = await store.findById(id);
  if (!end) throw new Error('the record is gone');
  if (answer.status === 200) {
    expect(request.holds(end), JSON.stringify(end)).toBe(true);
    return;
  }
  if (met === 'DELETED') expect(answer.status).toBe(404);
  else {
    expect(answer).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining(`with ${met} status`) },
    });
    expect(request.asks && mayAsk(met, request.asks)).toBe(false);
  }
};

describe.each(writes)('$name, from $from', (write) => {
  test.each(requests)('while $name is committed before the write', async (request) => {
    const { deps: plain } = fakeWorld();
    const deps = { ...plain, store, quotas };
    const e = await environmentIn(write.from, deps);
    const writing = gate();
    const loop = loopOn(write, {
      before: async (change) => (write.is(change) ? writing.pass() : undefined),
      begun: () => {},
    });
    const run = loop.run(e.id);
    const neverCame = run.then(() => Promise.reject(new Error('the write never came')));
    await Promise.race([writing.reached, neverCame]);
    const met = await statusOf(e.id);
    const answer = await request.send(e.name, deps);
    writing.open();
    await Promise.allSettled([run, neverCame]);
    await loop.run(e.id);
    await check(request, e.id, met, answer);
    await loop.close();
  });

  test.each(requests)(
    'while $name has locked the row and commits after the write was sent',
    async (request) => {
      const inside = gate();
      const { deps: plain } = fakeWorld();
      const audit: Deps['audit'] = {
        ...plain.audit,
        write: async (entry, tx) => {
          await plain.audit.write(entry, tx);
          if (tx !== undefined && entry.eventName !== 'CreateEnvironment') await inside.pass();
        },
      };
      const deps = { ...plain, store, audit, quotas };
      const e = await environmentIn(write.from, deps);
      let isWriting = false;
      let answered: ReturnType<Request['send']> | undefined;
      let met = write.from;
      const loop = loopOn(write, {
        before: async (change) => {
          if (!write.is(change) || answered !== undefined) return;
          met = await statusOf(e.id);
          answered = request.send(e.name, deps);
          isWriting = true;
          await Promise.race([inside.reached, answered]);
        },
        begun: () => {
          if (isWriting) setTimeout(inside.open, 50);
        },
      });
      await loop.run(e.id);
      const answer = await answered;
      if (!answer) throw new Error('the write never came');
      await loop.run(e.id);
      await check(request, e.id, met, answer);
      await loop.close();
    },
  );
});
