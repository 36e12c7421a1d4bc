import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomic, writeFileAtomicAsync } from './atomic-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windsock-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const both = [
  [
    'writeFileAtomic',
    async (file: string, text: string, mode: number) => writeFileAtomic(file, text, { mode }),
  ],
  [
    'writeFileAtomicAsync',
    (file: string, text: string, mode: number) => writeFileAtomicAsync(file, text, { mode }),
  ],
] as const;

test.each(both)(
  '%s replaces a file with the mode and leaves no other, also when it fails',
  async (_, write) => {
    const file = join(folder, 'f');
    await write(file, 'one', 0o644);
    await write(file, 'two', 0o600);
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await expect(write(join(folder, 'no', 'f'), 'x', 0o600)).rejects.toThrow('ENOENT');
    mkdirSync(join(folder, 'd'));
    await expect(write(join(folder, 'd'), 'x', 0o600)).rejects.toThrow('EISDIR');
    expect(readdirSync(folder).sort()).toEqual(['d', 'f']);
  },
);

test.each(both)(
  '%s: what a killed writer left is removed, what a living one writes stays',
  async (_, write) => {
    const dead = spawnSync('/bin/true').pid;
    for (const name of [
      `a.json.${dead}.tmp`,
      `a.json.${process.ppid}.tmp`,
      `b.json.${dead}.tmp`,
      'a.json.tmp',
    ])
      writeFileSync(join(folder, name), 'half');
    await write(join(folder, 'a.json'), 'whole', 0o600);
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('whole');
    expect(readdirSync(folder).sort()).toEqual(
      ['a.json', `a.json.${process.ppid}.tmp`, 'a.json.tmp', `b.json.${dead}.tmp`].sort(),
    );
  },
);
