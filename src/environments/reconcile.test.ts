import { describe, expect, test } from 'vitest';
import { environmentStatuses } from '../contract/statuses.ts';
import { silentLog } from '../lib/log.ts';
import { StepFailed } from './errors.ts';
import type { Actual, DriverStep } from './plan.ts';
import type { ObservedChange } from './ports.ts';
import { type ReconcileDeps, reconcile, type Tries } from './reconcile.ts';
import type { EnvironmentRecord, EnvironmentUpdate } from './record.ts';
import { statusTable } from './status.ts';

const minute = 60_000;

/** One environment in memory; `fail` may throw at a step. */
const world = (
  o: {
    trouble?: () => string | undefined;
    fail?: (step: DriverStep) => void;
    status?: EnvironmentRecord['status'];
    update?: EnvironmentUpdate;
    lacksSchema?: boolean;
    /** Milliseconds that the creation has been tried for when its first step fails. */
    tried?: number;
  } = {},
) => {
  const done = new Set<string>();
  const changes: ObservedChange[] = [];
  let door = false;
  let record: EnvironmentRecord = {
    id: 'abcdefghijkl',
    accountId: '123456789012',
    region: 'us-east-1',
    name: 'demo',
    arn: 'arn',
    status: o.status ?? 'CREATING',
    spec: {
      AirflowVersion: '3.3.1',
      DagS3Path: 'dags',
      SourceBucketArn: 'b',
      ExecutionRoleArn: 'r',
      EnvironmentClass: 'mw1.small',
    },
    update: o.update,
    suspended: false,
    generation: 1,
    tags: {},
    placement: { driver: 'local', host: 'local' },
    lastUpdate: { Status: 'PENDING', CreatedAt: 5 },
    webserverHostname: undefined,
    progress: undefined,
    createdAt: 0,
  };
  const stopping = new AbortController();
  const actual = (): Actual => ({
    base: done.has('base'),
    template: done.has('template'),
    account: done.has('account') && !done.has('remove-account'),
    folders: done.has('folders') && !done.has('remove-folders'),
    content: done.has('content'),
    database: done.has('database') && !done.has('remove-database'),
    schema: done.has('migrate') || (done.has('database') && !o.lacksSchema),
    snapshot: done.has('snapshot') && !done.has('restore') && !done.has('drop-snapshot'),
    nextBase: done.has('next-base'),
    configuration: done.has('configuration'),
    started: done.has('start'),
    ready: done.has('ready'),
    processes: done.has('start') && !done.has('stop'),
    trouble: o.trouble?.(),
  });
  const lock = {
    stillHeld: async () => true,
    signal: new AbortController().signal,
    setObserved: async (_read: unknown, change: ObservedChange) => {
      changes.push(change);
      record = {
        ...record,
        ...(change.status ? { status: change.status } : {}),
        ...(change.spec ? { spec: change.spec } : {}),
        ...(change.updateEnded ? { update: undefined } : {}),
        ...(change.lastUpdate ? { lastUpdate: change.lastUpdate } : {}),
        ...(change.progress === undefined ? {} : { progress: change.progress ?? undefined }),
      };
    },
    claimHostname: async () => true,
  };
  let looks = 0;
  const deps = {
    isOwner: async () => true,
    store: {
      findById: async () => record,
    },
    locks: {
      withKey: (id: string, work: (lock: unknown) => Promise<unknown>) => work({ ...lock, id }),
    },
    driver: {
      observe: async () => actual(),
      apply: async (step: DriverStep) => {
        o.fail?.(step);
        done.add(step);
      },
    },
    door: {
      isOpen: () => door,
      refresh: () => {},
      open: async () => {
        door = true;
        return 'localhost:7443';
      },
      close: async () => {
        door = false;
      },
    },
    // the first look is at the beginning
    clock: {
      now: () => Math.random() * 1e15,
      monotonic: () => (looks++ === 0 ? 0 : (o.tried ?? 0)),
      bootId: 'b',
    },
    log: silentLog,
    onProgress: () => {},
    creationDeadline: 20 * minute,
    stopping: stopping.signal,
  } as unknown as ReconcileDeps;
  return { deps, changes, stopping, record: () => record, isDoorOpen: () => door };
};

describe('reconcile', () => {
  test('a creation ends AVAILABLE with its first date kept', async () => {
    const w = world();
    expect(await reconcile(w.deps, 'abcdefghijkl', new Map())).toBeUndefined();
    expect(w.record()).toMatchObject({
      status: 'AVAILABLE',
      lastUpdate: { Status: 'SUCCESS', CreatedAt: 5 },
      progress: undefined,
    });
  });

  test('a fault that may pass is tried again and visible meanwhile', async () => {
    let broken = true;
    const w = world({
      fail: (step) => {
        if (step === 'base' && broken) throw new StepFailed('the index cannot be reached', { retry: true });
      },
    });
    const tries: Tries = new Map();
    expect(await reconcile(w.deps, 'abcdefghijkl', tries)).toBeGreaterThan(0);
    expect(w.record()).toMatchObject({
      status: 'CREATING',
      lastUpdate: { Status: 'PENDING', Error: { ErrorMessage: 'the index cannot be reached' } },
    });
    broken = false;
    await reconcile(w.deps, 'abcdefghijkl', tries);
    expect(w.record()).toMatchObject({ status: 'AVAILABLE', lastUpdate: { Status: 'SUCCESS' } });
    expect(w.record().lastUpdate.Error).toBeUndefined();
  });

  test('a fault that is over is not told while the next steps are done', async () => {
    let broken = true;
    const seen: unknown[] = [];
    const w = world({
      fail: (step) => {
        if (step === 'base' && broken) throw new StepFailed('the index cannot be reached', { retry: true });
        if (step === 'folders') seen.push(w.record().lastUpdate, w.record().progress);
      },
    });
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    broken = false;
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    expect(seen).toEqual([{ Status: 'PENDING', CreatedAt: 5 }, undefined]);
  });

  test.each([
    ['a fault that stays', false, minute],
    ['a fault that may pass, after the deadline', true, 21 * minute],
  ])('%s ends in CREATE_FAILED with the reason', async (_name, retry, tried) => {
    const w = world({
      tried,
      fail: (step) => {
        if (step === 'ready') throw new StepFailed('Airflow does not start\nlast line', { retry });
      },
    });
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    expect(w.record()).toMatchObject({
      status: 'CREATE_FAILED',
      lastUpdate: {
        Status: 'FAILED',
        Error: { ErrorCode: 'INCORRECT_CONFIGURATION', ErrorMessage: 'Airflow does not start | last line' },
      },
    });
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    expect(w.isDoorOpen()).toBe(false);
  });

  test('an AVAILABLE environment in trouble stays AVAILABLE and is tried again', async () => {
    const w = world({
      status: 'AVAILABLE',
      tried: 1000 * minute,
      fail: (step) => {
        if (step === 'start') throw new StepFailed('no memory', { retry: false });
      },
    });
    expect(await reconcile(w.deps, 'abcdefghijkl', new Map())).toBeGreaterThan(0);
    expect(w.record()).toMatchObject({ status: 'AVAILABLE', progress: 'no memory' });
  });

  test('a component in trouble is written down while it lasts', async () => {
    let trouble: string | undefined;
    const w = world({ trouble: () => trouble });
    for (const [now, shown] of [
      [undefined, undefined],
      ['scheduler ended', 'scheduler ended'],
      [undefined, undefined],
    ]) {
      trouble = now;
      await reconcile(w.deps, 'abcdefghijkl', new Map());
      expect(w.record()).toMatchObject({ status: 'AVAILABLE' });
      expect(w.record().progress).toBe(shown);
    }
  });

  test('a reason longer than the contract allows keeps its beginning and its end', async () => {
    const w = world({
      fail: () => {
        throw new StepFailed(`begin ${'x'.repeat(5000)} end`, { retry: false });
      },
    });
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    const message = w.record().lastUpdate.Error?.ErrorMessage ?? '';
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^begin .* end$/);
  });

  test('a server that stops writes nothing down as a failure', async () => {
    const w = world();
    w.stopping.abort();
    expect(await reconcile(w.deps, 'abcdefghijkl', new Map())).toBeUndefined();
    expect(w.changes).toEqual([]);
  });

  const spec = {
    AirflowVersion: '2.11.2',
    DagS3Path: 'dags',
    SourceBucketArn: 'b',
    ExecutionRoleArn: 'r',
    EnvironmentClass: 'mw1.small',
  };
  const update: EnvironmentUpdate = {
    wanted: spec,
    previous: { ...spec, AirflowVersion: '2.7.2' },
    strategy: 'FORCED',
  };

  test('an update to another version ends AVAILABLE with what was asked for, and nothing is under way any more', async () => {
    const w = world({ status: 'CREATING_SNAPSHOT', update });
    await reconcile(w.deps, 'abcdefghijkl', new Map());
    expect(w.record()).toMatchObject({ status: 'AVAILABLE', spec, update: undefined });
    expect(w.record().lastUpdate).toMatchObject({ Status: 'SUCCESS', CreatedAt: 5 });
  });

  test.each(['next-base', 'snapshot', 'migrate', 'ready'] as const)(
    'an update that fails at %s is rolled back to what ran before, with its cause',
    async (broken) => {
      let failures = 0;
      const w = world({
        status: broken === 'migrate' || broken === 'ready' ? 'UPDATING' : 'CREATING_SNAPSHOT',
        update,
        lacksSchema: broken === 'migrate',
        fail: (step) => {
          if (step === broken && failures++ === 0) throw new StepFailed('it broke', { retry: false });
        },
      });
      await reconcile(w.deps, 'abcdefghijkl', new Map());
      expect(w.record().status).toBe('ROLLING_BACK');
      expect(w.record().lastUpdate).toMatchObject({
        Status: 'PENDING',
        Error: { ErrorMessage: 'it broke' },
      });
      await reconcile(w.deps, 'abcdefghijkl', new Map());
      expect(w.record()).toMatchObject({
        status: 'UPDATE_FAILED',
        spec: { AirflowVersion: '2.7.2' },
        lastUpdate: { Status: 'FAILED', Error: { ErrorMessage: 'it broke' } },
        update: undefined,
      });
    },
  );

  test('what cannot be brought back is UNAVAILABLE, says why and what to do, and comes back when the cause goes', async () => {
    let broken = true;
    const w = world({
      status: 'ROLLING_BACK',
      update,
      tried: 21 * minute,
      fail: (step) => {
        if (step === 'start' && broken) throw new StepFailed('no memory', { retry: false });
      },
    });
    const tries: Tries = new Map();
    await reconcile(w.deps, 'abcdefghijkl', tries);
    expect(w.record().status).toBe('UNAVAILABLE');
    const message = w.record().lastUpdate.Error?.ErrorMessage;
    expect(message).toMatch(/could not be brought back: no memory .*remove the cause, or delete/);
    expect(await reconcile(w.deps, 'abcdefghijkl', tries)).toBeGreaterThan(0);
    broken = false;
    await reconcile(w.deps, 'abcdefghijkl', tries);
    expect(w.record()).toMatchObject({ status: 'UPDATE_FAILED', update: undefined });
  });
});

test('every status is reached from CREATING but those that nothing leads to, and every one ends in DELETED', () => {
  const reached = new Set<string>(['CREATING']);
  for (const from of reached) for (const to of statusTable[from as 'CREATING'].next) reached.add(to);
  expect(environmentStatuses.filter((status) => !reached.has(status))).toEqual(['PENDING', 'MAINTENANCE']);
});
