import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readHosts, writeHosts } from './hosts-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windsock-hosts-'));
  file = join(folder, 'hosts');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('replaces the file and keeps its mode and every byte', () => {
  writeFileSync(file, Buffer.from([0x23, 0xe9, 0xff, 0x0a]));
  chmodSync(file, 0o664);
  const before = statSync(file);
  writeHosts(file, `${readHosts(file)}new\n`);
  expect(readFileSync(file)).toEqual(Buffer.from([0x23, 0xe9, 0xff, 0x0a, 0x6e, 0x65, 0x77, 0x0a]));
  const after = statSync(file);
  expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
  expect(after.ino).not.toBe(before.ino);
  expect(readdirSync(folder)).toEqual(['hosts']);
});
it('follows a link, and leaves it one', () => {
  writeFileSync(join(folder, 'real'), 'a\n');
  symlinkSync('real', file);
  writeHosts(file, 'b\n');
  expect([lstatSync(file).isSymbolicLink(), readFileSync(join(folder, 'real'), 'utf8')]).toEqual([
    true,
    'b\n',
  ]);
});
it('keeps a file with two names one file, also when it gets shorter', () => {
  writeFileSync(file, 'a\nlonger than before\nc\n');
  linkSync(file, join(folder, 'other'));
  writeHosts(file, 'a\nc\n');
  expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('a\nc\n');
});
it('makes a file that is not there, and says why when it cannot', () => {
  expect(readHosts(file)).toBe('');
  writeHosts(file, 'a\n');
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['a\n', 0o644]);
  expect(() => writeHosts(join(folder, 'nowhere', 'hosts'), 'a\n')).toThrow(/Cannot change .*nowhere\/hosts/);
});
