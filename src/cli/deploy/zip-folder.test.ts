import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withPackageFiles } from './package-files.ts';
import { zipFolder } from './zip-folder.ts';

let base: string;
const { signal } = new AbortController();
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-zip-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));
const put = (path: string, text: string | Uint8Array) => {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
};
const zip = async (folder: string, name: string) => {
  const count = await zipFolder(join(base, folder), join(base, name), signal);
  return { count, bytes: readFileSync(join(base, name)) };
};

test('the same files give the same archive, sorted, without what stays behind', async () => {
  const files = { 'wheels/x.whl': 'wheel', 'b.py': 'b', 'a/ü.py': 'a', 'a.py': 'a' };
  for (const [path, text] of Object.entries(files)) put(`one/${path}`, text);
  for (const [path, text] of Object.entries(files).reverse()) put(`two/${path}`, text);
  utimesSync(join(base, 'two/b.py'), 1, 1);
  chmodSync(join(base, 'two/b.py'), 0o755);
  for (const path of ['__pycache__/b.pyc', '.git/HEAD', 'notes.md']) put(`two/${path}`, path);
  put('two/.windsockignore', '*.md\n');
  const [one, two] = [await zip('one', '1.zip'), await zip('two', '2.zip')];
  expect(two.count).toBe(4);
  expect(one.bytes.equals(two.bytes)).toBe(true);
  const found = Object.entries(unzipSync(one.bytes)).map(([path, bytes]) => [path, strFromU8(bytes)]);
  expect(found).toEqual([
    ['a.py', 'a'],
    ['a/ü.py', 'a'],
    ['b.py', 'b'],
    ['wheels/x.whl', 'wheel'],
  ]);
});

test('the archive is one that Unix programs take for plain files', async () => {
  put('p/a.py', 'a');
  const { bytes } = await zip('p', 'p.zip');
  const at = bytes.indexOf('PK\x01\x02');
  expect([bytes[at + 5], bytes.readUInt32LE(at + 38) >>> 16]).toEqual([3, 0o100644]);
});

test('a link is refused by its name, wherever it leads; so is a folder without files', async () => {
  put('p/a.py', 'a');
  symlinkSync('a.py', join(base, 'p/linked.py'));
  await expect(zip('p', 'p.zip')).rejects.toThrow(/p\/linked\.py is a link/);
  put('p/.windsockignore', 'linked.py\n');
  expect((await zip('p', 'p.zip')).count).toBe(1);
  put('none/__pycache__/a.pyc', 'a');
  await expect(zip('none', 'none.zip')).rejects.toThrow(/no file to zip/);
});

test('what is given is measured, and what is no such file is refused', async () => {
  put('requirements.txt', 'pandas\n');
  put('empty', '');
  put('p/a.py', 'a');
  put('cut.zip', 'PK\x03\x04 and no end');
  await zip('p', 'p.zip');
  const read = (given: { requirements?: string; plugins?: string }) =>
    withPackageFiles(
      Object.fromEntries(Object.entries(given).map(([kind, path]) => [kind, join(base, path)])),
      signal,
      async (files) => files,
    );
  const [requirements, plugins] = await read({ plugins: 'p', requirements: 'requirements.txt' });
  expect(requirements).toMatchObject({ size: 7, md5: '2f19884f14598d8de5efae75e6d86a7c', files: undefined });
  expect(plugins).toMatchObject({
    kind: 'plugins',
    files: 1,
    size: readFileSync(join(base, 'p.zip')).length,
  });
  expect((await read({ plugins: 'p.zip' }))[0]?.sha256).toBe(plugins?.sha256);
  for (const [given, text] of [
    [{ requirements: 'nothing' }, /There is no file/],
    [{ requirements: 'p' }, /is no file/],
    [{ requirements: 'empty' }, /is empty/],
    [{ requirements: 'p.zip' }, /is a zip archive/],
    [{ plugins: 'empty' }, /is empty/],
    [{ plugins: 'requirements.txt' }, /is no zip archive/],
    [{ plugins: 'cut.zip' }, /is cut off/],
  ] as const)
    await expect(read(given)).rejects.toThrow(text);
});
