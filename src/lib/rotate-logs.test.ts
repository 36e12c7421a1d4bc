import { fork } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Log, silentLog } from './log.ts';
import { LogRotation } from './rotate-logs.ts';

const limits = { largest: 10_000, flood: 100_000, kept: 3 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rotationOf = (log: Log = silentLog) => new LogRotation({ folders: async () => [folder], log, limits });
const line = (text: string, length: number): string => `${text} `.padEnd(length - 1, 'x').concat('\n');

describe('LogRotation', () => {
  test('a large log is copied aside and emptied while its writer goes on; four files at most', async () => {
    const file = join(folder, 'a.log');
    const writer = openSync(file, 'a', 0o640);
    const rotation = rotationOf();
    for (let round = 1; round <= 6; round += 1) {
      writeSync(writer, line(`round ${round}`, 11_000));
      await rotation.rotate();
      expect(statSync(file).size).toBe(0);
    }
    writeSync(writer, 'small');
    await rotation.rotate();
    closeSync(writer);
    expect(readFileSync(file, 'utf8')).toBe('small');
    expect([1, 2, 3].map((n) => readFileSync(`${file}.${n}`, 'utf8').slice(0, 7))).toEqual([
      'round 6',
      'round 5',
      'round 4',
    ]);
    expect(readdirSync(folder).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2', 'a.log.3']);
  });

  test('of a flood only the end is kept, from the beginning of a line', async () => {
    const file = join(folder, 'a.log');
    const writer = openSync(file, 'a');
    for (let number = 0; number < 3000; number += 1) writeSync(writer, line(`line ${number}`, 100));
    closeSync(writer);
    await rotationOf().rotate();
    expect(statSync(file).size).toBe(0);
    const kept = readFileSync(`${file}.1`, 'utf8').split('\n');
    expect(kept.length).toBeGreaterThan(90);
    expect(kept.length).toBeLessThan(110);
    expect(kept[0]).toMatch(/^line 29\d\d /);
    expect(kept.at(-2)).toMatch(/^line 2999 /);
  });

  test('a writer that never rests loses next to nothing, and the order stays', async () => {
    const file = join(folder, 'a.log');
    const program = join(folder, 'writer.mjs');
    const code = `import { appendFileSync, openSync } from 'node:fs';
      const fd = openSync(${JSON.stringify(file)}, 'a');
      for (let n = 0; n < 20000; n += 1) appendFileSync(fd, 'line ' + n + '\\n');
      process.send('done', () => process.disconnect());`;
    writeFileSync(program, code);
    const child = fork(program);
    const done = new Promise((resolve) => child.once('message', resolve));
    let ended = false;
    void done.then(() => {
      ended = true;
    });
    const many = { largest: 10_000, flood: 10_000_000, kept: 60 };
    const rotation = new LogRotation({ folders: async () => [folder], log: silentLog, limits: many });
    while (!ended) await rotation.rotate();
    const files = readdirSync(folder)
      .filter((name) => /^a\.log(\.\d+)?$/.test(name))
      .map((name) => ({ name, number: Number(name.split('.')[2] ?? 0) }))
      .sort((a, b) => b.number - a.number);
    expect(files.length).toBeGreaterThan(1);
    const lines = files.flatMap(({ name }) =>
      readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1),
    );
    const numbers = lines.map((text) => Number(text.slice(5)));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    // a rotation loses what is written between copy and truncation: little, unless the machine is busy just then
    expect(numbers.length).toBeGreaterThan(10_000);
  });

  test('what cannot be rotated stays, is told once, and is rotated when it can be', async () => {
    const file = join(folder, 'a.log');
    const writer = openSync(file, 'a');
    writeSync(writer, line('one', 11_000));
    closeSync(writer);
    mkdirSync(`${file}.1.tmp`);
    const told: unknown[] = [];
    const log: Log = { ...silentLog, warn: (event, fields = {}) => void told.push([event, fields]) };
    const rotation = rotationOf(log);
    await rotation.rotate();
    await rotation.rotate();
    expect(told).toMatchObject([['log not rotated', { file }]]);
    expect(statSync(file).size).toBe(11_000);
    rmSync(`${file}.1.tmp`, { recursive: true });
    await rotation.rotate();
    expect(statSync(file).size).toBe(0);
    expect(statSync(`${file}.1`).size).toBe(11_000);
  });

  test('a half copy of a killed server does not count', async () => {
    const file = join(folder, 'a.log');
    for (const [name, size] of [
      ['a.log', 11_000],
      ['a.log.1.tmp', 5_000],
    ] as const) {
      const writer = openSync(join(folder, name), 'a');
      writeSync(writer, line(name, size));
      closeSync(writer);
    }
    await rotationOf().rotate();
    expect(readFileSync(`${file}.1`, 'utf8')).toBe(line('a.log', 11_000));
    expect(readdirSync(folder).sort()).toEqual(['a.log', 'a.log.1']);
  });

  test('a folder that is not there is no fault', async () => {
    const told: unknown[] = [];
    const log: Log = { ...silentLog, warn: (event) => void told.push(event) };
    rmSync(folder, { recursive: true });
    await rotationOf(log).rotate();
    expect(told).toEqual([]);
  });
});
