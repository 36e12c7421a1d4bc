import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownCommand } from './own-command.ts';

test('how people call the command: by npx where there is none, with the data folder where it has to be said', () => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-own-'));
  try {
    const [bin, other, npm] = ['bin', 'other', 'node_modules/.bin'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const made of [bin, other, npm]) mkdirSync(made, { recursive: true });
    const file = join(folder, 'windsock.mjs');
    writeFileSync(file, '');
    writeFileSync(join(other, 'windsock'), '');
    for (const there of [bin, npm]) symlinkSync(file, join(there, 'windsock'));
    const at = (path: string | undefined, data = '/usual') =>
      ownCommand({ file, path, data, usualData: '/usual' });
    expect(at(`${other}:${bin}`)).toEqual({ program: 'windsock', data: undefined });
    for (const path of [undefined, '', other, npm, join(folder, 'none')])
      expect(at(path).program).toBe('npx windsock');
    expect(at(bin, '/else').data).toBe('/else');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
