import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VisibleFolder } from './visible-folder.ts';

let base: string;
let folder: VisibleFolder;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-visible-'));
  for (const name of ['bucket/dags', 'other/empty']) mkdirSync(join(base, name), { recursive: true });
  writeFileSync(join(base, 'secret'), 'secret');
  writeFileSync(join(base, 'other', 'file'), 'theirs');
  writeFileSync(join(base, 'bucket', 'dags', 'a.py'), 'pass');
  folder = new VisibleFolder(join(base, 'bucket'));
});
afterEach(() => rmSync(base, { recursive: true }));

const outside = [
  '../secret',
  '../other/file',
  'dags/../../secret',
  'dags/../dags/a.py',
  './dags/a.py',
  'dags//a.py',
];

test.each(outside)('the key %s is no file, and none is shown, hidden or read by it', async (key) => {
  expect(await folder.find(key)).toBeUndefined();
  expect(await folder.isTaken(key)).toBe(false);
  await folder.hide(key, { kept: new Set() });
  await expect(folder.with(key, async () => 'read')).rejects.toMatchObject({ code: 'ENOENT' });
  const stored = join(base, 'other', 'file');
  await expect(folder.show(key, { stored, modified: 0 })).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(join(base, 'secret')) && existsSync(join(base, 'other', 'file'))).toBe(true);
});

test.each(['../', '../other/', 'dags/../../', './', '/', '//dags/'])(
  'no file has the prefix %s',
  async (prefix) => {
    const found: string[] = [];
    for await (const [key] of folder.walk(prefix)) found.push(key);
    expect(found).toEqual([]);
  },
);

test('no folder outside is made, or removed because it is empty', async () => {
  await expect(folder.makeFolder('../made/')).rejects.toMatchObject({ code: 'ENOENT' });
  await folder.hide('../other/empty/x', { kept: new Set() });
  await folder.hide('../other/empty/', { kept: new Set() });
  expect([existsSync(join(base, 'made')), existsSync(join(base, 'other', 'empty'))]).toEqual([false, true]);
});

test('what is below is found, with a prefix and without', async () => {
  for (const prefix of ['', 'dags/', 'dags/a']) {
    const found: string[] = [];
    for await (const [key] of folder.walk(prefix)) found.push(key);
    expect(found).toEqual(['dags/a.py']);
  }
  expect((await folder.find('dags/a.py'))?.size).toBe(4);
});

test('a folder is in the way of a file, and a file of a folder; a folder that is there already is in no way', async () => {
  for (const [key, taken] of [
    ['dags', true],
    ['dags/', false],
    ['dags/a.py', false],
    ['dags/a.py/', true],
    ['new/', false],
  ] as const)
    expect([key, await folder.isTaken(key)]).toEqual([key, taken]);
});
