import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomic } from './atomic-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windsock-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what a killed writer left is removed by the next one; what a living one writes stays', () => {
  const dead = spawnSync('/bin/true').pid;
  for (const name of [`a.json.${dead}.tmp`, `a.json.${process.ppid}.tmp`, `b.json.${dead}.tmp`, 'a.json.tmp'])
    writeFileSync(join(folder, name), 'half');
  writeFileAtomic(join(folder, 'a.json'), 'whole', { mode: 0o600 });
  expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('whole');
  expect(readdirSync(folder).sort()).toEqual(
    ['a.json', `a.json.${process.ppid}.tmp`, 'a.json.tmp', `b.json.${dead}.tmp`].sort(),
  );
});
