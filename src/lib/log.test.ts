import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog, fileLog } from './log.ts';
import { logEvents, logFields } from './log-events.ts';
import { DescriptorSink, fileSink } from './log-sinks.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the vocabulary', () => {
  const sources = readdirSync(fileURLToPath(new URL('..', import.meta.url)), {
    recursive: true,
    encoding: 'utf8',
  })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'lib/log-events.ts')
    .map((name) => readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8'))
    .join('\n');

  test('holds no event that nobody logs', () => {
    expect(Object.keys(logEvents).filter((event) => !sources.includes(`'${event}'`))).toEqual([]);
  });

  test('holds no field that no event has', () => {
    const used = new Set<string>(Object.values(logEvents).flatMap(({ fields }) => [...fields]));
    expect(Object.keys(logFields).filter((field) => !used.has(field))).toEqual([]);
  });
});

describe('createLog', () => {
  test('writes one JSON line an event, to the file and beside it', () => {
    const beside: string[] = [];
    const file = join(folder, 'logs', 'windsock.log');
    const log = fileLog(file, { write: (line) => beside.push(line), close: () => {} });
    log.info('step done', { step: 'api', took: 3 });
    log.warn('step failed', { reason: 'two\nlines "quoted"' });
    log.debug('WebSocket not opened');
    expect(linesOf(file)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        message: 'step done',
        step: 'api',
        took: 3,
      },
      { level: 'warn', time: expect.any(String), message: 'step failed', reason: 'two\nlines "quoted"' },
    ]);
    expect(beside.join('')).toBe(readFileSync(file, 'utf8'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('what cannot be turned into JSON throws nothing', () => {
    const file = join(folder, 'a.log');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    fileLog(file).info('step done', { step: circle, took: 5n });
    expect(linesOf(file)).toHaveLength(1);
  });
});

describe('fileSink', () => {
  test('a disk that is full, or a folder that is closed, loses lines and says how many once it works again', () => {
    const place = join(folder, 'logs');
    mkdirSync(place);
    const file = join(place, 'a.log');
    mkdirSync(file);
    const log = createLog([fileSink(file)]);
    for (let n = 0; n < 3; n += 1) log.info('step done', { took: n });
    rmSync(file, { recursive: true });
    log.info('step done', { took: 3 });
    log.info('step done', { took: 4 });
    expect(linesOf(file)).toMatchObject([
      { level: 'warn', message: 'log lines lost', lines: 3, reason: 'EISDIR' },
      { message: 'step done', took: 3 },
      { message: 'step done', took: 4 },
    ]);
  });

  test('/dev/full: nothing is thrown', () => {
    const log = createLog([fileSink('/dev/full')]);
    for (let n = 0; n < 10; n += 1) log.info('step done');
  });
});

describe('DescriptorSink', () => {
  const pipe = (): { reader: number; writer: number } => {
    const file = join(folder, 'pipe');
    execFileSync('mkfifo', [file]);
    const both = openSync(file, 'r+');
    const writer = openSync(file, 'w');
    return { reader: both, writer };
  };

  test('a reader that stops reading does not stop the writer, and learns what it missed', async () => {
    const { reader, writer } = pipe();
    const sink = new DescriptorSink(writer);
    const long = 'x'.repeat(99_990);
    for (let n = 0; n < 100; n += 1) sink.write(`${JSON.stringify({ n, long })}\n`);
    let text = '';
    const buffer = Buffer.alloc(65_536);
    const read = (until: RegExp): void => {
      while (!until.test(text)) {
        text += buffer.toString('utf8', 0, readSync(reader, buffer, 0, buffer.length, null));
        sink.write('');
      }
    };
    read(/"n":40[^\n]*\n/);
    sink.write('{"n":100}\n');
    read(/"n":100}\n/);
    sink.close();
    const lines = text.split('\n').filter((line) => line !== '');
    const parsed = lines.map((line) => JSON.parse(line) as { n?: number; message?: string; lines?: number });
    const lost = parsed.find(({ message }) => message === 'log lines lost')?.lines ?? 0;
    expect(lost).toBeGreaterThan(40);
    expect(parsed.filter(({ n }) => n !== undefined)).toHaveLength(101 - lost);
    closeSync(reader);
    closeSync(writer);
  });

  test('a reader that has gone is no fault', () => {
    const { reader, writer } = pipe();
    const sink = new DescriptorSink(writer);
    closeSync(reader);
    for (let n = 0; n < 10; n += 1) sink.write('{}\n');
    sink.close();
    closeSync(writer);
  });

  test('a full disk is no fault', () => {
    const full = openSync('/dev/full', 'w');
    const sink = new DescriptorSink(full);
    for (let n = 0; n < 10; n += 1) sink.write('{}\n');
    sink.close();
    closeSync(full);
  });
});
