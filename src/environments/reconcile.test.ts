import { describe, expect, test } from 'vitest';
import { environmentStatuses } from '../contract/statuses.ts';
import { silentLog } from '../lib/log.ts';
import { Attempts } from './attempts.ts';
import { GenerationChanged, RecordLocked, StepFailed } from './errors.ts';
import type { ObservedChange } from './ports.ts';
import { type EnvironmentProgress, type ReconcileDeps, reconcile } from './reconcile.ts';
import { type EnvironmentRecord, type EnvironmentUpdate, noTries } from './record.ts';
import { statusTable } from './status.ts';
import { type FakeDriverOptions, fakeDoor, fakeDriver, recordWith } from './testing.ts';

const minute = 60_000;

interface Options extends FakeDriverOptions {
  readonly record?: Partial<EnvironmentRecord>;
  /** A request that is committed just before the loop writes. */
  readonly before?: (
    change: ObservedChange,
    record: EnvironmentRecord,
  ) => Partial<EnvironmentRecord> | undefined;
}

/** One environment in memory. */
const world = (o: Options = {}) => {
  const changes: ObservedChange[] = [];
  const told: EnvironmentProgress[] = [];
  const driver = fakeDriver(o);
  const door = fakeDoor();
  let now = 0;
  let record = recordWith(o.record);
  const stopping = new AbortController();
  const lock = {
    stillHeld: async () => true,
    signal: new AbortController().signal,
    setObserved: async (read: EnvironmentRecord, change: ObservedChange) => {
      record = { ...record, ...o.before?.(change, record) };
      if (read.generation !== record.generation || read.status !== record.status)
        throw new GenerationChanged(record.id);
      changes.push(change);
      const { progress, updateEnded, ...rest } = change;
      record = {
        ...record,
        ...(change.status ? { tries: noTries } : {}),
        ...rest,
        ...(updateEnded ? { update: undefined } : {}),
        ...(progress === undefined ? {} : { progress: progress ?? undefined }),
      };
    },
    claimHostname: async (_read: unknown, webserverHostname: string) => {
      record = { ...record, webserverHostname };
      return true;
    },
  };
  const clock = { now: () => Math.random() * 1e15, monotonic: () => now, bootId: 'b' };
  const deps = {
    isOwner: async () => true,
    store: { findById: async () => record },
    locks: { withKey: (id: string, work: (lock: unknown) => Promise<unknown>) => work({ ...lock, id }) },
    driver,
    door: door.door,
    clock,
    log: silentLog,
    onProgress: (p: EnvironmentProgress) => told.push(p),
    creationDeadline: 20 * minute,
    attempts: new Attempts(clock),
    stopping: stopping.signal,
  } as unknown as ReconcileDeps;
  return {
    look: () => reconcile(deps, 'abcdefghijkl'),
    /** As a server that comes next sees it. */
    another: () => reconcile({ ...deps, attempts: new Attempts(clock) }, 'abcdefghijkl'),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    changes,
    told,
    stopping,
    record: () => record,
    isDoorOpen: door.isOpen,
  };
};

describe('reconcile', () => {
  test('a creation ends AVAILABLE with its first date kept', async () => {
    const w = world();
    expect(await w.look()).toBeUndefined();
    expect(w.record()).toMatchObject({
      status: 'AVAILABLE',
      lastUpdate: { Status: 'SUCCESS', CreatedAt: 5 },
      progress: undefined,
    });
  });

  test('a request that holds the record fails no step, however late it is', async () => {
    let held = 2;
    const w = world({
      record: { tries: { ...noTries, spent: 60 * minute } },
      before: ({ status }) => {
        if (status === 'AVAILABLE' && held-- > 0) throw new RecordLocked('abcdefghijkl');
        return undefined;
      },
    });
    expect([await w.look(), await w.look()]).toEqual([1_000, 1_000]);
    expect(w.record()).toMatchObject({ status: 'CREATING', tries: { failures: 0 } });
    expect(await w.look()).toBeUndefined();
    expect(w.record().status).toBe('AVAILABLE');
  });

  test('a fault that may pass is tried again and visible meanwhile', async () => {
    let broken = true;
    const w = world({
      fail: (step) => {
        if (step === 'base' && broken) throw new StepFailed('the index cannot be reached', { retry: true });
      },
    });
    expect(await w.look()).toBeGreaterThan(0);
    expect(w.record()).toMatchObject({
      status: 'CREATING',
      lastUpdate: { Status: 'PENDING', Error: { ErrorMessage: 'the index cannot be reached' } },
    });
    broken = false;
    await w.look();
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
    await w.look();
    broken = false;
    await w.look();
    expect(seen).toEqual([{ Status: 'PENDING', CreatedAt: 5 }, undefined]);
  });

  test.each([
    ['a fault that stays', false, minute],
    ['a fault that may pass, after the deadline', true, 21 * minute],
  ])('%s ends in CREATE_FAILED with the reason', async (_name, retry, tried) => {
    const w = world({
      fail: (step) => {
        w.pass(tried);
        if (step === 'ready') throw new StepFailed('Airflow does not start\nlast line', { retry });
      },
    });
    await w.look();
    expect(w.record()).toMatchObject({
      status: 'CREATE_FAILED',
      lastUpdate: {
        Status: 'FAILED',
        Error: { ErrorCode: 'INCORRECT_CONFIGURATION', ErrorMessage: 'Airflow does not start | last line' },
      },
    });
    await w.look();
    expect(w.isDoorOpen()).toBe(false);
  });

  test('an AVAILABLE environment in trouble stays AVAILABLE and is tried again', async () => {
    const w = world({
      record: { status: 'AVAILABLE' },
      fail: (step) => {
        if (step === 'start') throw new StepFailed('no memory', { retry: false });
      },
    });
    expect(await w.look()).toBeGreaterThan(0);
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
      await w.look();
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
    await w.look();
    const message = w.record().lastUpdate.Error?.ErrorMessage ?? '';
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^begin .* end$/);
  });

  test('a server that stops writes nothing down as a failure', async () => {
    const w = world();
    w.stopping.abort();
    expect(await w.look()).toBeUndefined();
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
    const w = world({ record: { status: 'CREATING_SNAPSHOT', update } });
    await w.look();
    expect(w.record()).toMatchObject({ status: 'AVAILABLE', spec, update: undefined });
    expect(w.record().lastUpdate).toMatchObject({ Status: 'SUCCESS', CreatedAt: 5 });
  });

  test.each(['next-base', 'snapshot', 'migrate', 'ready'] as const)(
    'an update that fails at %s is rolled back to what ran before, with its cause',
    async (broken) => {
      let failures = 0;
      const w = world({
        record: {
          status: broken === 'migrate' || broken === 'ready' ? 'UPDATING' : 'CREATING_SNAPSHOT',
          update,
        },
        fail: (step) => {
          if (step === broken && failures++ === 0) throw new StepFailed('it broke', { retry: false });
        },
      });
      await w.look();
      expect(w.record().status).toBe('ROLLING_BACK');
      expect(w.record().lastUpdate).toMatchObject({
        Status: 'PENDING',
        Error: { ErrorMessage: 'it broke' },
      });
      await w.look();
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
      record: { status: 'ROLLING_BACK', update },
      fail: (step) => {
        w.pass(21 * minute);
        if (step === 'start' && broken) throw new StepFailed('no memory', { retry: false });
      },
    });
    await w.look();
    expect(w.record().status).toBe('UNAVAILABLE');
    const message = w.record().lastUpdate.Error?.ErrorMessage;
    expect(message).toMatch(/could not be brought back: no memory .*remove the cause, or delete/);
    expect(await w.look()).toBeGreaterThan(0);
    broken = false;
    await w.look();
    expect(w.record()).toMatchObject({ status: 'UPDATE_FAILED', update: undefined });
  });
  test('a step that waits is told once, looked at again, and done when what it waits for is there', async () => {
    let looks = 0;
    const w = world({
      fail: (step) => {
        if (step !== 'ready') return undefined;
        looks += 1;
        return looks < 3 ? { again: 250, text: 'waiting for the scheduler' } : undefined;
      },
    });
    expect(await w.look()).toBe(250);
    w.pass(1_000);
    expect(await w.look()).toBe(250);
    w.pass(1_000);
    expect(await w.look()).toBeUndefined();
    expect(w.record().status).toBe('AVAILABLE');
    const ready = w.told
      .filter(({ step }) => step === 'ready')
      .map(({ state, text, took }) => [state, text, took]);
    expect(ready).toEqual([
      ['started', undefined, undefined],
      ['running', 'waiting for the scheduler', undefined],
      ['done', undefined, 2_000],
    ]);
  });

  test('what has come about while a step waited is told as done', async () => {
    let isThere = false;
    const w = world({
      fail: (step) => (step === 'base' && !isThere ? { again: 5_000, text: '' } : undefined),
    });
    await w.look();
    isThere = true;
    await w.look();
    expect(w.told.filter(({ step }) => step === 'base').map(({ state }) => state)).toEqual([
      'started',
      'done',
    ]);
  });

  test('the deadline counts what every server spent, and not the time in which tasks may end', async () => {
    const failing = (step: string) => {
      if (step === 'ready') throw new StepFailed('not yet', { retry: true });
    };
    const w = world({ fail: failing });
    await w.look();
    w.pass(15 * minute);
    await w.look();
    expect(w.record()).toMatchObject({ status: 'CREATING', tries: { failures: 2, spent: 15 * minute } });
    // nobody worked on it meanwhile
    w.pass(100 * minute);
    await w.another();
    expect(w.record().tries).toEqual({ failures: 3, spent: 15 * minute, drained: 0 });
  });

  test('time in which running tasks may end is counted by itself', async () => {
    const w = world({
      record: { status: 'CREATING_SNAPSHOT', update },
      fail: (step) => (step === 'next-base' ? { again: 1_000, text: '', drains: true } : undefined),
    });
    await w.look();
    w.pass(60 * minute);
    await w.look();
    expect(w.record().tries).toEqual({ failures: 0, spent: 0, drained: 60 * minute });
  });

  test('a request that comes between is not overwritten, and what it wants is made true', async () => {
    const w = world({
      before: ({ status }, { generation }) =>
        status === 'AVAILABLE' ? { status: 'DELETING', generation: generation + 1 } : undefined,
    });
    await w.look();
    expect(w.record().status).toBe('DELETED');
    expect(w.changes.map(({ status }) => status)).toEqual(['DELETED']);
    expect(w.isDoorOpen()).toBe(false);
  });
});

test('every status is reached from CREATING but those that nothing leads to, and every one ends in DELETED', () => {
  const reached = new Set<string>(['CREATING']);
  for (const from of reached) for (const to of statusTable[from as 'CREATING'].next) reached.add(to);
  expect(environmentStatuses.filter((status) => !reached.has(status))).toEqual(['PENDING', 'MAINTENANCE']);
});
