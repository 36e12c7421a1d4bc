import { expect, test } from 'vitest';
import { type Description, type ProcessReader, type Selection, selectFrom } from './process-selection.ts';
import type { ProcessFacts } from './processes.ts';

const facts = (pid: number, more: Partial<ProcessFacts> = {}): ProcessFacts => ({
  ...{ pid, ppid: 1, sessionId: 1, uid: 0, startTime: 10, state: 'S', threads: 1 },
  ...more,
});

const unread: ProcessReader = {
  variables: () => [],
  commandLine: () => '',
  program: () => '',
  folder: () => undefined,
};

const pidsOf = (all: readonly ProcessFacts[], selection: Selection, read: Partial<ProcessReader> = {}) =>
  selectFrom(all, selection, { ...unread, ...read }).map(({ pid }) => pid);
const described = (all: readonly ProcessFacts[], d: Description, read: Partial<ProcessReader> = {}) =>
  pidsOf(all, { anyOf: [d] }, read);

test('all words of a description hold, of several descriptions one', () => {
  const all = [facts(5, { uid: 7 }), facts(6, { uid: 7, ppid: 5 }), facts(8, { ppid: 5 })];
  const childOf = { pid: 5, startTime: 10 };
  expect(described(all, { uid: 7 })).toEqual([5, 6]);
  expect(described(all, { uid: 7, childOf })).toEqual([6]);
  expect(pidsOf(all, { anyOf: [{ uid: 7 }, { childOf }] })).toEqual([5, 6, 8]);
});

test('without descriptions, or without words, nothing is selected', () => {
  const all = [facts(5), facts(6)];
  expect(pidsOf(all, { anyOf: [] })).toEqual([]);
  expect(described(all, {})).toEqual([]);
  expect(described(all, JSON.parse('{"unknown":1}') as Description)).toEqual([]);
  expect(described(all, { uid: Number.NaN })).toEqual([]);
});

test('neither what has ended nor this process is selected; what goes on in another thread is', () => {
  const ended = [facts(5, { state: 'Z' }), facts(8, { state: 'X', threads: 0 })];
  const all = [facts(process.pid), ...ended, facts(6), facts(7, { state: 'Z', threads: 2 })];
  expect(
    described(
      all.map((p) => ({ ...p, uid: 7 })),
      { uid: 7 },
    ),
  ).toEqual([6, 7]);
});

test('a session is its leader’s, also after the end of the leader', () => {
  const inSessionOf = { pid: 5, startTime: 10 };
  const child = facts(6, { sessionId: 5, startTime: 11 });
  expect(described([facts(5, { sessionId: 5 }), child, facts(7)], { inSessionOf })).toEqual([5, 6]);
  expect(described([child], { inSessionOf })).toEqual([6]);
  expect(described([facts(5, { sessionId: 5, state: 'Z' }), child], { inSessionOf })).toEqual([6]);
});

test('the session of another leader with the same number is not', () => {
  const inSessionOf = { pid: 5, startTime: 10 };
  const child = facts(6, { sessionId: 5, startTime: 21 });
  for (const state of ['S', 'Z'])
    expect(described([facts(5, { sessionId: 5, startTime: 20, state }), child], { inSessionOf })).toEqual([]);
  expect(described([facts(6, { sessionId: 5, startTime: 9 })], { inSessionOf })).toEqual([]);
});

test('children of another process with the number of the parent are not selected', () => {
  const child = facts(6, { ppid: 5 });
  expect(described([facts(5), child], { childOf: { pid: 5, startTime: 10 } })).toEqual([6]);
  expect(described([facts(5), child], { childOf: { pid: 5, startTime: 9 } })).toEqual([]);
});

test('outside of trees: roots, their sessions, descendants and the sessions of these are spared', () => {
  const all = [
    facts(5, { sessionId: 5 }),
    facts(6, { sessionId: 5 }),
    facts(7, { ppid: 6 }),
    facts(8, { ppid: 7, sessionId: 8 }),
    facts(9, { sessionId: 8 }),
    facts(10, { sessionId: 10 }),
  ];
  expect(pidsOf(all, { anyOf: [{ uid: 0 }], outsideTreesOf: [5] })).toEqual([10]);
  expect(pidsOf(all, { anyOf: [{ uid: 0 }], outsideTreesOf: [7, 10] })).toEqual([5, 6]);
});

test('variables and words are compared whole', () => {
  const all = [facts(5), facts(6)];
  const variables = (pid: number) => (pid === 5 ? ['A=1', 'B=2'] : ['A=12', 'XA=1']);
  expect(described(all, { variable: 'A=1' }, { variables })).toEqual([5]);
  const commandLine = (pid: number) => (pid === 5 ? 'tar\0-C\0/to\0' : 'tar\0-C\0/to/other\0');
  expect(described(all, { word: '/to' }, { commandLine })).toEqual([5]);
  expect(described(all, { title: 'tar' }, { commandLine })).toEqual([5, 6]);
});

test('an orphan of a program has no parent of that program', () => {
  const ours = { program: 'postgres', folder: '/data' };
  const all = [
    facts(5),
    facts(6, { ppid: 5 }),
    facts(7, { ppid: 99 }),
    facts(8, { ppid: 9 }),
    facts(9, { state: 'Z' }),
    facts(10, { ppid: 11 }),
    facts(11),
  ];
  const read = {
    program: (pid: number) => (pid === 11 ? 'init' : 'postgres'),
    folder: () => '/data',
    commandLine: (pid: number) => (pid === 5 ? '/bin/postgres' : 'postgres: writer'),
  };
  const orphans = { ...ours, title: 'postgres: ', parentIsNot: ours };
  expect(described(all, orphans, read)).toEqual([7, 8, 10]);
});

test('what others do not select is not read', () => {
  const asked: number[] = [];
  const variables = (pid: number) => {
    asked.push(pid);
    return ['A=1'];
  };
  described([facts(5), facts(6, { uid: 7 })], { uid: 7, variable: 'A=1' }, { variables });
  expect(asked).toEqual([6]);
});

test('a process that cannot be read is no answer', () => {
  const variables = () => {
    throw new Error('EMFILE');
  };
  expect(() => described([facts(5)], { variable: 'A=1' }, { variables })).toThrow('EMFILE');
});
