import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rememberedFile } from './remembered-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remembered-'));
  file = join(folder, 'f');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => {
  const parsed: string[] = [];
  let passed = 0;
  const parse = (text: string) => {
    parsed.push(text);
    return text;
  };
  const read = rememberedFile(file, parse, () => Date.now() + passed);
  const pass = (milliseconds: number) => {
    passed += milliseconds;
  };
  return { parsed, read, pass };
};

test('a file that does not change is read once', () => {
  writeFileSync(file, 'one');
  const { parsed, read, pass } = open();
  pass(1_100);
  expect([read(), read(), read()]).toEqual(['one', 'one', 'one']);
  expect(parsed).toEqual(['one']);
});

test('a file that was written or replaced is read again', () => {
  writeFileSync(file, 'one');
  const { parsed, read, pass } = open();
  pass(1_100);
  expect(read()).toBe('one');
  writeFileSync(file, 'two');
  expect(read()).toBe('two');
  writeFileSync(`${file}.new`, 'six');
  renameSync(`${file}.new`, file);
  expect(read()).toBe('six');
  pass(1_100);
  expect([read(), read()]).toEqual(['six', 'six']);
  expect(parsed).toEqual(['one', 'two', 'six']);
});

test('changes within one step of the clock are seen', () => {
  const { read } = open();
  for (let i = 100; i < 400; i += 1) {
    writeFileSync(file, String(i));
    expect(read()).toBe(String(i));
  }
});

test('a file that is gone is an error, also one that was read', () => {
  writeFileSync(file, 'one');
  const { read } = open();
  expect(read()).toBe('one');
  rmSync(file);
  expect(read).toThrow('ENOENT');
});
