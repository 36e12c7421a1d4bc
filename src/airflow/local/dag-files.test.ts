import { describe, expect, test } from 'vitest';
import { dagFiles, type PublishedFile } from './dag-files.ts';
import type { ParseResults, Reading } from './parse-results.ts';

const now = 1_000_000;
const lookAt = (at: number) => ({ now: at, silence: 45_000 });
const published = (path: string, at: number, mayDefineDags = true): PublishedFile => ({
  ...{ path, sha256: 'x', at, mayDefineDags },
});
const results = (o: {
  read?: Record<string, number>;
  failed?: Record<string, number>;
  readings?: Record<string, [began: number, ended: number, errors?: number, dags?: number] | 'soon'>;
}): ParseResults => ({
  read: new Map(Object.entries(o.read ?? {}).map(([path, at]) => [path, [{ dag: `dag of ${path}`, at }]])),
  failed: new Map(
    Object.entries(o.failed ?? {}).map(([path, at]) => [path, { text: `ValueError: ${path}`, at }]),
  ),
  readings:
    o.readings &&
    new Map<string, Reading | 'soon'>(
      Object.entries(o.readings).map(([path, given]): [string, Reading | 'soon'] => {
        if (given === 'soon') return [path, given];
        const [began, ended, errors = 0, dags = 0] = given;
        return [path, { began, ended, errors, dags }];
      }),
    ),
});
const states = (files: readonly PublishedFile[], r: ParseResults, at = now) =>
  Object.fromEntries(dagFiles(files, r, lookAt(at)).map(({ path, state }) => [path, state]));

describe('where the DAG processor says when it read', () => {
  test('only a reading that began after the file came counts', () => {
    const files = [published('new.py', 900_000), published('old.py', 900_000), published('none.py', 900_000)];
    const r = results({
      read: { 'new.py': 901_000, 'old.py': 900_500 },
      readings: { 'new.py': [900_001, 901_000], 'old.py': [899_999, 900_500], 'none.py': [900_000, 900_010] },
    });
    expect(states(files, r, 901_000)).toEqual({ 'new.py': 'read', 'old.py': 'waiting', 'none.py': 'no-dag' });
  });

  test('an error is told with its reason, though the DAGs of before are still there', () => {
    const r = results({
      read: { 'a.py': 950_000 },
      failed: { 'a.py': 990_000 },
      readings: { 'a.py': [980_000, 990_000, 1] },
    });
    expect(dagFiles([published('a.py', 970_000)], r, lookAt(now))).toMatchObject([
      { state: 'failed', readAt: 990_000, error: { message: 'ValueError: a.py' } },
    ]);
  });
});

test('a file whose DAG ids another file has, too', () => {
  const r = results({
    read: { 'twin.py': 990_000 },
    readings: { 'one.py': [980_000, 981_000, 0, 1], 'twin.py': [985_000, 990_000, 0, 1] },
  });
  const files = dagFiles([published('one.py', 970_000), published('twin.py', 970_000)], r, lookAt(now));
  expect(files.map(({ state }) => state)).toEqual(['failed', 'read']);
  expect(files[0]?.error?.message).toContain('another file');
});

describe('a file that cannot be read to its end', () => {
  test.each([-1, 1])('is an error, whatever Airflow still has of it (%i)', (errors) => {
    const r = results({
      read: { 'a.py': 950_000 },
      failed: { 'a.py': 940_000 },
      readings: { 'a.py': [980_000, 990_000, errors] },
    });
    expect(dagFiles([published('a.py', 970_000)], r, lookAt(now))).toMatchObject([
      { state: 'failed', leavingDags: ['dag of a.py'], error: { message: expect.stringContaining('ended') } },
    ]);
  });

  test('an error of before says nothing of a file that is none any more', () => {
    const r = results({ failed: { 'a.py': 940_000 }, readings: { 'a.py': [980_000, 990_000] } });
    expect(states([published('a.py', 970_000)], r)).toEqual({ 'a.py': 'no-dag' });
  });
});

test('what will be read is waited for, for as long as it takes', () => {
  const r = results({ readings: { 'soon.py': 'soon', 'old.py': [1, 2] } });
  const files = [published('soon.py', 1_000), published('old.py', 1_000), published('ignored.py', 1_000)];
  expect(states(files, r)).toEqual({ 'soon.py': 'waiting', 'old.py': 'waiting', 'ignored.py': 'no-dag' });
});

test('nothing is known where the tables do not answer', () => {
  expect(dagFiles([published('a.py', 1)], undefined, lookAt(now))).toMatchObject([{ state: 'unknown' }]);
});

describe('where it says nothing', () => {
  test('what Airflow noted after the file came counts', () => {
    const files = [
      published('good.py', 900_000),
      published('bad.py', 900_000),
      published('stale.py', 999_000),
    ];
    const r = results({ read: { 'good.py': 900_001, 'stale.py': 998_000 }, failed: { 'bad.py': 900_001 } });
    expect(states(files, r)).toEqual({ 'good.py': 'read', 'bad.py': 'failed', 'stale.py': 'waiting' });
  });

  test('a file that may have DAGs is waited for, for a while; another one is none', () => {
    const files = [published('may.py', now - 1_000), published('text.md', now - 1_000, false)];
    expect(states(files, results({}))).toEqual({ 'may.py': 'waiting', 'text.md': 'no-dag' });
    expect(states(files, results({}), now + 60_000)).toEqual({ 'may.py': 'no-dag', 'text.md': 'no-dag' });
  });
});

test('a DAG that was taken out of a file that stays is told as such', () => {
  const r: ParseResults = {
    ...results({ readings: { 'a.py': [980_000, 990_000] } }),
    read: new Map([
      [
        'a.py',
        [
          { dag: 'one', at: 989_000 },
          { dag: 'two', at: 989_100 },
          { dag: 'before', at: 950_000 },
        ],
      ],
    ]),
  };
  expect(dagFiles([published('a.py', 970_000)], r, lookAt(now))).toMatchObject([
    { state: 'read', dags: ['one', 'two'], leavingDags: ['before'] },
  ]);
});

test('after the clock was set back any reading counts', () => {
  const file = published('a.py', now + 3_600_000);
  const r = results({ read: { 'a.py': 990_000 }, readings: { 'a.py': [980_000, 990_000] } });
  expect(states([file], r)).toEqual({ 'a.py': 'read' });
});

test('DAGs of a file that is gone are told until Airflow has let them go', () => {
  expect(dagFiles([], results({ read: { 'gone.py': 1 } }), lookAt(now))).toMatchObject([
    { path: 'gone.py', state: 'leaving' },
  ]);
});
