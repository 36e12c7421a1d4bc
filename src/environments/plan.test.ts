import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Actual, plan, type Step } from './plan.ts';
import type { EnvironmentRecord } from './record.ts';
import { type EnvironmentStatus, isSettled } from './status.ts';

const record = (status: EnvironmentStatus): EnvironmentRecord => ({
  id: 'abcdefghijkl',
  accountId: '123456789012',
  region: 'us-east-1',
  name: 'demo',
  arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo',
  status,
  spec: {
    AirflowVersion: '3.3.1',
    DagS3Path: 'dags',
    SourceBucketArn: 'arn:aws:s3:::b',
    ExecutionRoleArn: 'r',
    EnvironmentClass: 'mw1.small',
  },
  update: undefined,
  suspended: false,
  generation: 1,
  tags: {},
  placement: { driver: 'local', host: 'local' },
  lastUpdate: { Status: 'PENDING', CreatedAt: 0 },
  webserverHostname: undefined,
  progress: undefined,
  createdAt: 0,
});

interface World {
  status: EnvironmentStatus;
  actual: Actual;
  door: boolean;
}

/** What a step does when it succeeds. */
const after = (step: Step, w: World): World => {
  const set = (change: Partial<Actual>): World => ({ ...w, actual: { ...w.actual, ...change } });
  switch (step) {
    case 'start':
      return set({ started: true, processes: true });
    case 'stop':
      return set({ started: false, ready: false, processes: false, configuration: false, content: false });
    case 'remove-database':
      return set({ database: false });
    case 'remove-folders':
      return set({ folders: false });
    case 'remove-account':
      return set({ account: false });
    case 'open-door':
      return { ...w, door: true };
    case 'close-door':
      return { ...w, door: false };
    case 'available':
      return { ...w, status: 'AVAILABLE' };
    case 'tombstone':
      return { ...w, status: 'DELETED' };
    case 'migrate':
      return set({ schema: true });
    case 'database':
      return set({ database: true, schema: w.status === 'CREATING' || w.actual.schema });
    case 'next-base':
      return set({ nextBase: true });
    case 'drop-snapshot':
    case 'restore':
      return set({ snapshot: false, schema: true });
    case 'updating':
      // what is wanted is another version from here on
      return { ...set({ schema: false, configuration: false, ready: false }), status: 'UPDATING' };
    case 'rolled-back':
      return { ...w, status: 'UPDATE_FAILED' };
    default:
      return set({ [step]: true });
  }
};

const runToEnd = (start: World): { world: World; steps: Step[] } => {
  let world = start;
  const steps: Step[] = [];
  for (let count = 0; count < 30; count += 1) {
    const step = plan(record(world.status), world.actual, world.door);
    if (step === undefined) return { world, steps };
    steps.push(step);
    world = after(step, world);
  }
  throw new Error(`no end: ${steps.join(' ')}`);
};

const nothing: Actual = {
  base: false,
  template: false,
  account: false,
  folders: false,
  content: false,
  database: false,
  schema: false,
  snapshot: false,
  nextBase: false,
  configuration: false,
  started: false,
  ready: false,
  processes: false,
};
const anyActual = fc.record(
  Object.fromEntries(Object.keys(nothing).map((key) => [key, fc.boolean()])),
) as unknown as fc.Arbitrary<Actual>;

describe('plan', () => {
  test('a new environment goes through every step in order', () => {
    const { world, steps } = runToEnd({ status: 'CREATING', actual: nothing, door: false });
    expect(steps).toEqual([
      'base',
      'template',
      'account',
      'folders',
      'content',
      'database',
      'open-door',
      'configuration',
      'start',
      'ready',
      'available',
    ]);
    expect(world.status).toBe('AVAILABLE');
  });

  test('from any half-done state a creation becomes AVAILABLE, with everything there', () => {
    fc.assert(
      fc.property(anyActual, fc.boolean(), (actual, door) => {
        const { world } = runToEnd({ status: 'CREATING', actual, door });
        expect(world.status).toBe('AVAILABLE');
        expect(world.actual).toMatchObject({
          ...nothing,
          base: true,
          template: true,
          account: true,
          folders: true,
          content: true,
          database: true,
          schema: true,
          snapshot: world.actual.snapshot,
          nextBase: world.actual.nextBase,
          configuration: true,
          started: true,
          ready: true,
          processes: world.actual.processes,
        });
        expect(world.door).toBe(true);
      }),
    );
  });

  const everything: Actual = {
    ...(Object.fromEntries(Object.keys(nothing).map((key) => [key, true])) as unknown as Actual),
    snapshot: false,
  };

  test('another version: what runs goes on until it can be replaced, is copied while nothing runs, and the copy is dropped at the end', () => {
    const actual = { ...everything, nextBase: false };
    const { world, steps } = runToEnd({ status: 'CREATING_SNAPSHOT', actual, door: true });
    const copied = ['next-base', 'stop', 'snapshot', 'updating'];
    const brought = ['content', 'migrate', 'configuration', 'start', 'ready', 'drop-snapshot', 'available'];
    expect(steps).toEqual([...copied, ...brought]);
    expect(world.status).toBe('AVAILABLE');
  });

  test('an update of what needs no other version replaces what runs, without a copy', () => {
    const actual = { ...everything, configuration: false, ready: false };
    expect(runToEnd({ status: 'UPDATING', actual, door: true }).steps).toEqual([
      'configuration',
      'ready',
      'available',
    ]);
  });

  test('a roll-back puts the copy in place while nothing runs', () => {
    const actual = { ...everything, snapshot: true, schema: false, configuration: false, ready: false };
    const { world, steps } = runToEnd({ status: 'ROLLING_BACK', actual, door: true });
    expect(steps).toEqual(['stop', 'restore', 'content', 'configuration', 'start', 'ready', 'rolled-back']);
    expect(world.status).toBe('UPDATE_FAILED');
  });

  test('from any half-done state an update ends without a copy, and no copy is made or used while anything runs', () => {
    const statuses = fc.constantFrom('CREATING_SNAPSHOT', 'UPDATING', 'ROLLING_BACK', 'UNAVAILABLE');
    fc.assert(
      fc.property(statuses, anyActual, fc.boolean(), (status, actual, door) => {
        let w: World = { status, actual, door };
        for (let count = 0; count < 40; count += 1) {
          const step = plan(record(w.status), w.actual, w.door);
          if (step === undefined) break;
          if (['snapshot', 'restore', 'migrate'].includes(step)) expect(w.actual.processes).toBe(false);
          w = after(step, w);
        }
        expect(isSettled(w.status)).toBe(true);
        expect(w.actual).toMatchObject({ snapshot: false, schema: true, configuration: true, ready: true });
      }),
    );
  });

  test('from any state a delete ends with nothing left and the processes gone before what they use', () => {
    fc.assert(
      fc.property(anyActual, fc.boolean(), (actual, door) => {
        const { world, steps } = runToEnd({ status: 'DELETING', actual, door });
        expect(world.status).toBe('DELETED');
        expect(world.door).toBe(false);
        expect([
          world.actual.processes,
          world.actual.database,
          world.actual.folders,
          world.actual.account,
        ]).toEqual([false, false, false, false]);
        const at = (step: Step) => (steps.includes(step) ? steps.indexOf(step) : -1);
        if (at('stop') >= 0 && at('remove-database') >= 0)
          expect(at('stop')).toBeLessThan(at('remove-database'));
        if (at('remove-folders') >= 0 && at('remove-account') >= 0)
          expect(at('remove-folders')).toBeLessThan(at('remove-account'));
      }),
    );
  });

  test('nothing runs of a failed creation, and what it left on disk stays', () => {
    fc.assert(
      fc.property(anyActual, fc.boolean(), (actual, door) => {
        const { world } = runToEnd({ status: 'CREATE_FAILED', actual, door });
        expect([world.door, world.actual.processes]).toEqual([false, false]);
        expect(world.actual.folders).toBe(actual.folders);
      }),
    );
  });
});
