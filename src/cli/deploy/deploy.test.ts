import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LiveContent, LiveFile } from '../content.ts';
import { findFiles, rulesOf } from './files.ts';
import { deployPlan } from './plan.ts';
import { stillAwaited, waitUntilRead } from './wait.ts';

let from: string;
let to: string;
const { signal } = new AbortController();
beforeEach(() => {
  from = mkdtempSync(join(tmpdir(), 'windsock-deploy-'));
  to = mkdtempSync(join(tmpdir(), 'windsock-bucket-'));
});
afterEach(() => {
  for (const folder of [from, to]) rmSync(folder, { recursive: true, force: true });
});
const put = (path: string, text: string) => {
  mkdirSync(dirname(join(from, path)), { recursive: true });
  writeFileSync(join(from, path), text);
};
const find = async (links = true) => findFiles(from, { staysBehind: await rulesOf(from), signal, links });

test('files are found as .windsockignore has it, links to files are followed, others are told', async () => {
  for (const path of ['a.py', 'b/c.py', 'b/skip.py', 'docs/x.md', '__pycache__/a.pyc', '.git/HEAD'])
    put(path, path);
  put('.windsockignore', 'skip.py\ndocs/\n');
  symlinkSync(join(from, 'a.py'), join(from, 'linked.py'));
  symlinkSync('/nowhere', join(from, 'broken.py'));
  symlinkSync(join(from, 'b'), join(from, 'again'));
  const { files, leftOut } = await find();
  expect([...files.keys()].sort()).toEqual(['a.py', 'b/c.py', 'linked.py']);
  expect(files.get('linked.py')).toBe(files.get('a.py'));
  expect([...leftOut].sort()).toEqual(['again', 'broken.py']);
  // as the server sees a folder that it follows
  const followed = await find(false);
  expect([...followed.files.keys()].sort()).toEqual(['a.py', 'b/c.py']);
  expect([...followed.leftOut].sort()).toEqual(['again', 'broken.py', 'linked.py']);
});

test('a plan says what is new, changed and there besides', () => {
  const files = (all: Record<string, string>) => new Map(Object.entries(all));
  expect(deployPlan(files({ a: '1', b: '2', c: '3' }), files({ a: '1', b: '0', d: '4' }))).toEqual({
    added: ['c'],
    changed: ['b'],
    others: ['d'],
  });
  const there = files({ 'common/x.py': '1', 'common.py': '2', 'link.py': '3' });
  expect(deployPlan(files({}), there, ['common', 'link.py']).others).toEqual(['common.py']);
});

const file = (Path: string, State: LiveFile['State'], o: Partial<LiveFile> = {}): LiveFile => ({
  ...{ Path, State, Sha256: Path, At: 10 },
  ...o,
});
const live = (...Files: LiveFile[]): LiveContent => ({ Version: 'v', Since: 1, Files });
const awaited = (...paths: string[]) => ({
  ...{ files: new Map(paths.map((p) => [p, p])), removed: ['gone'], helpersRemovedAt: 0 },
});

test('what was put is awaited until it is live and read, what was removed until it is gone', () => {
  const now = live(
    file('read', 'read'),
    file('waiting', 'waiting'),
    file('old', 'read', { Sha256: 'of before' }),
  );
  expect(stillAwaited(now, awaited('read', 'waiting', 'old', 'missing'))).toEqual([
    'waiting',
    'old',
    'missing',
  ]);
  expect(stillAwaited(live(file('gone', 'leaving')), awaited())).toEqual(['gone']);
  expect(stillAwaited(live(file('a', 'failed')), awaited('a'))).toEqual([]);
});

test('after a file that is no DAG, every DAG file is awaited to be read again', () => {
  const helper = file('helper.py', 'no-dag', { At: 20 });
  const dags = [file('early.py', 'read', { ReadAt: 19 }), file('late.py', 'failed', { ReadAt: 21 })];
  expect(stillAwaited(live(helper, ...dags), awaited('helper.py'))).toEqual(['early.py']);
  expect(stillAwaited(live(helper, ...dags), awaited('late.py'))).toEqual([]);
});

test('after a helper was removed, too', () => {
  const dags = [file('early.py', 'read', { ReadAt: 19 }), file('late.py', 'read', { ReadAt: 21 })];
  expect(stillAwaited(live(...dags), { ...awaited(), helpersRemovedAt: 20 })).toEqual(['early.py']);
});

test('what is not known is not over', () => {
  expect(stillAwaited(live(file('a', 'unknown')), awaited('a'))).toEqual(['a']);
});

test('the wait ends when nothing is awaited, or when it is over', async () => {
  const looks = [live(), live(file('a', 'waiting')), live(file('a', 'read'))];
  const look = async () => looks.shift() ?? live();
  const o = { signal, patience: 5_000, pause: 10 };
  expect(await waitUntilRead(look, awaited('a'), o)).toMatchObject({ left: [], content: { Version: 'v' } });
  expect(await waitUntilRead(async () => live(), awaited('a'), { ...o, patience: 0 })).toMatchObject({
    left: ['a'],
  });
});
