import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Phase } from '../../environments/plan.ts';
import { type LocalFacts, type LocalStep, nextStep } from './plan.ts';

const nothing: LocalFacts = {
  base: false,
  template: false,
  account: false,
  folders: false,
  content: false,
  database: false,
  packages: false,
  schema: false,
  snapshot: false,
  nextBase: false,
  nextPackages: false,
  configuration: false,
  started: false,
  ready: false,
  processes: false,
  drained: true,
};
const everything: LocalFacts = {
  ...(Object.fromEntries(Object.keys(nothing).map((key) => [key, true])) as unknown as LocalFacts),
  snapshot: false,
};
const anyFacts = fc.record(
  Object.fromEntries(Object.keys(nothing).map((key) => [key, fc.boolean()])),
) as unknown as fc.Arbitrary<LocalFacts>;

/** What a step makes true, and of what it makes an end. */
const effects: Readonly<Record<LocalStep, Partial<LocalFacts>>> = {
  base: { base: true },
  template: { template: true },
  account: { account: true },
  folders: { folders: true },
  content: { content: true },
  database: { database: true },
  packages: { packages: true },
  migrate: { schema: true },
  drain: { drained: true },
  configuration: { configuration: true },
  start: { started: true, processes: true },
  ready: { ready: true },
  stop: { started: false, ready: false, processes: false, configuration: false, content: false },
  'next-base': { nextBase: true },
  'next-packages': { nextPackages: true },
  snapshot: { snapshot: true },
  restore: { snapshot: false, schema: true },
  'drop-snapshot': { snapshot: false },
  'remove-database': { database: false },
  'remove-folders': { folders: false },
  'remove-account': { account: false },
};

const reach = (phase: Phase, start: LocalFacts): { facts: LocalFacts; steps: LocalStep[] } => {
  let facts = start;
  const steps: LocalStep[] = [];
  for (let count = 0; count < 30; count += 1) {
    const step = nextStep(facts, phase);
    if (step === undefined) return { facts, steps };
    if (['snapshot', 'restore', 'migrate'].includes(step)) expect(facts.processes).toBe(false);
    steps.push(step);
    facts = { ...facts, ...effects[step] };
  }
  throw new Error(`no end: ${steps.join(' ')}`);
};

describe('the steps towards', () => {
  test('prepared and running, of a new environment', () => {
    const prepared = reach('prepared', nothing);
    expect(prepared.steps).toEqual([
      'base',
      'template',
      'account',
      'folders',
      'content',
      'database',
      'packages',
      'migrate',
    ]);
    expect(reach('running', prepared.facts).steps).toEqual(['configuration', 'start', 'ready']);
  });

  test('next-prepared: what runs is kept running, well or not', () => {
    const facts = { ...everything, nextBase: false, ready: false };
    expect(reach('next-prepared', facts).steps).toEqual(['next-base']);
    const own = { ...everything, nextPackages: false, nextBase: false };
    expect(reach('next-prepared', own).steps).toEqual(['next-base', 'next-packages']);
    expect(reach('next-prepared', { ...facts, started: false }).steps).toEqual(['start', 'next-base']);
    const found = { ...facts, configuration: false, drained: false };
    expect(reach('next-prepared', found).steps).toEqual(['configuration', 'next-base']);
  });

  test.each(['stopped', 'snapshotted'] as const)('%s: tasks end first', (phase) => {
    const { steps } = reach(phase, { ...everything, drained: false });
    expect(steps.slice(0, 2)).toEqual(['drain', 'stop']);
  });

  test('running: what runs is replaced only once its packages were tried', () => {
    const facts = { ...everything, packages: false, configuration: false, ready: false };
    expect(reach('prepared', facts).steps).toEqual(['packages']);
    expect(reach('running', facts).steps).toEqual(['packages', 'configuration', 'ready']);
  });

  test('running: tasks end before what runs is replaced', () => {
    const facts = { ...everything, configuration: false, ready: false, drained: false };
    expect(reach('running', facts).steps).toEqual(['drain', 'configuration', 'ready']);
  });

  test('restored: the copy is put in place while nothing runs', () => {
    expect(reach('restored', { ...everything, snapshot: true }).steps).toEqual(['stop', 'restore']);
    expect(reach('restored', everything).steps).toEqual([]);
  });

  test('removed: processes go before what they use, the account last', () => {
    const steps = ['stop', 'remove-database', 'remove-folders', 'remove-account'];
    expect(reach('removed', everything).steps).toEqual(steps);
  });

  const goals: readonly (readonly [Phase, Partial<LocalFacts>])[] = [
    ['prepared', { base: true, folders: true, content: true, database: true, schema: true }],
    ['running', { base: true, schema: true, configuration: true, started: true, ready: true }],
    ['next-prepared', { nextBase: true, nextPackages: true }],
    ['stopped', { processes: false }],
    ['snapshotted', { snapshot: true }],
    ['restored', { snapshot: false }],
    ['snapshot-dropped', { snapshot: false }],
    ['removed', { processes: false, database: false, folders: false, account: false }],
  ];
  test.each(goals)('%s, from any half-done state', (phase, goal) => {
    fc.assert(
      fc.property(anyFacts, (start) => {
        expect(reach(phase, start).facts).toMatchObject(goal);
      }),
    );
  });
});
