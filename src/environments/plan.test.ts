import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOwnStep, type Phase, phases, plan, type Situation } from './plan.ts';
import type { DoorState } from './ports.ts';
import type { EnvironmentStatus } from './status.ts';
import { recordWith } from './testing.ts';

interface World {
  status: EnvironmentStatus;
  reached: ReadonlySet<Phase>;
  snapshot: boolean;
  hasAddress: boolean;
  door: DoorState;
}

const situation = (w: World): Situation => ({
  isReached: (phase) => w.reached.has(phase),
  snapshot: w.snapshot,
  hasAddress: w.hasAddress,
  door: w.door,
});

/** Phases that another one ends. */
const ends: Partial<Record<Phase, readonly Phase[]>> = {
  running: ['stopped', 'snapshotted', 'removed'],
  stopped: ['running'],
  snapshotted: ['running', 'snapshot-dropped'],
  restored: ['running', 'snapshotted'],
  'snapshot-dropped': ['snapshotted'],
  removed: ['prepared', 'running'],
};

/** What a phase that is reached, or a step that is done, leads to. */
const after = (goal: Phase | string, w: World): World => {
  if (!isOwnStep(goal)) {
    const phase = goal as Phase;
    const left = [...w.reached].filter((p) => !ends[phase]?.includes(p));
    const snapshot =
      phase === 'snapshotted' || (w.snapshot && phase !== 'restored' && phase !== 'snapshot-dropped');
    return { ...w, snapshot, reached: new Set([...left, phase]) };
  }
  const next: Partial<Record<string, Partial<World>>> = {
    'claim-address': { hasAddress: true },
    open: { door: 'open' },
    close: { door: 'closed' },
    available: { status: 'AVAILABLE' },
    // what is wanted is another version from here on
    updating: { status: 'UPDATING', reached: new Set(['stopped']) },
    'rolled-back': { status: 'UPDATE_FAILED' },
    tombstone: { status: 'DELETED' },
  };
  return { ...w, ...next[goal] };
};

const runToEnd = (start: World): { world: World; goals: string[] } => {
  let world = start;
  const goals: string[] = [];
  for (let count = 0; count < 30; count += 1) {
    const goal = plan(recordWith({ status: world.status }), situation(world));
    if (goal === undefined) return { world, goals };
    goals.push(goal);
    world = after(goal, world);
  }
  throw new Error(`no end: ${goals.join(' ')}`);
};

const nothing = {
  reached: new Set<Phase>(['restored', 'snapshot-dropped']),
  snapshot: false,
  hasAddress: false,
  door: 'closed' as DoorState,
};
const running = {
  reached: new Set<Phase>(['prepared', 'running', 'restored', 'snapshot-dropped']),
  snapshot: false,
  hasAddress: true,
  door: 'open' as DoorState,
};

describe('plan', () => {
  test('a new environment is prepared, gets its address, and then runs', () => {
    expect(runToEnd({ status: 'CREATING', ...nothing }).goals).toEqual([
      'prepared',
      'claim-address',
      'open',
      'running',
      'available',
    ]);
  });

  test('what runs well is left alone', () => {
    expect(runToEnd({ status: 'AVAILABLE', ...running }).goals).toEqual([]);
  });

  test('another version: all is there before what runs is stopped, and the copy is dropped at the end', () => {
    expect(runToEnd({ status: 'CREATING_SNAPSHOT', ...running }).goals).toEqual([
      'next-prepared',
      'snapshotted',
      'updating',
      'prepared',
      'running',
      'snapshot-dropped',
      'available',
    ]);
  });

  test('a roll-back puts the copy in place first', () => {
    const broken = { ...running, snapshot: true, reached: new Set<Phase>(['prepared']) };
    expect(runToEnd({ status: 'ROLLING_BACK', ...broken }).goals).toEqual([
      'restored',
      'running',
      'rolled-back',
    ]);
  });

  test('another access mode is brought to the door, however far an earlier opening came', () => {
    expect(runToEnd({ status: 'AVAILABLE', ...running, door: 'outdated' }).goals).toEqual(['open']);
    const slow: World = { status: 'UPDATING', ...running, door: 'outdated', reached: new Set() };
    expect(runToEnd(slow).goals[0]).toBe('open');
    expect(runToEnd({ ...slow, hasAddress: false }).goals.slice(0, 2)).toEqual(['claim-address', 'open']);
  });

  test('what is suspended is stopped and keeps its address', () => {
    const w: World = { status: 'AVAILABLE', ...running, door: 'closed' };
    const goals = [];
    for (let now = w; goals.length < 5; ) {
      const goal = plan(recordWith({ status: now.status, suspended: true }), situation(now));
      if (goal === undefined) break;
      goals.push(goal);
      now = after(goal, now);
    }
    expect(goals).toEqual(['stopped', 'open']);
  });

  const anyWorld = fc.record({
    reached: fc.uniqueArray(fc.constantFrom(...phases)).map((all) => new Set<Phase>(all)),
    snapshot: fc.boolean(),
    hasAddress: fc.boolean(),
    door: fc.constantFrom<DoorState>('closed', 'outdated', 'open'),
  });

  test.each([
    ['CREATING', 'AVAILABLE'],
    ['CREATING_SNAPSHOT', 'AVAILABLE'],
    ['UPDATING', 'AVAILABLE'],
    ['ROLLING_BACK', 'UPDATE_FAILED'],
    ['UNAVAILABLE', 'UPDATE_FAILED'],
  ] as const)('from any half-done state %s becomes %s, running at an open address', (status, end) => {
    fc.assert(
      fc.property(anyWorld, (start) => {
        const { world } = runToEnd({ status, ...start });
        expect(world).toMatchObject({ status: end, hasAddress: true, door: 'open' });
        expect([...world.reached]).toEqual(expect.arrayContaining(['prepared', 'running']));
      }),
    );
  });

  test('from any state a delete closes the door before anything is removed, and ends with nothing left', () => {
    fc.assert(
      fc.property(anyWorld, (start) => {
        const { world, goals } = runToEnd({ status: 'DELETING', ...start });
        expect(world.status).toBe('DELETED');
        expect(world.reached.has('removed')).toBe(true);
        expect(world.door).toBe('closed');
        if (goals.includes('close')) expect(goals[0]).toBe('close');
      }),
    );
  });

  test('nothing runs of a failed creation, and nothing of it is removed', () => {
    fc.assert(
      fc.property(anyWorld, (start) => {
        const { world, goals } = runToEnd({ status: 'CREATE_FAILED', ...start });
        expect(world.door).toBe('closed');
        expect(world.reached.has('stopped')).toBe(true);
        expect(goals).not.toContain('removed');
      }),
    );
  });
});
