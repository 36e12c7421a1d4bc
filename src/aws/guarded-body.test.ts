import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { guardedBody } from './guarded-body.ts';

const told = (error: unknown): Error => new Error(`told: ${(error as Error).message}`);
const guard = (source: PassThrough, within: number, least = 10) =>
  guardedBody(source, { within, least, told });

test('what comes too slowly is an error that ends the source', async () => {
  const source = new PassThrough();
  const read = text(guard(source, 200));
  read.catch(() => {});
  source.write('0123456789');
  await delay(250);
  source.write('123');
  await expect(read).rejects.toThrow('told: it sent less than 10 bytes in 0.2 seconds');
  expect(source.destroyed).toBe(true);
});

test('the end is an end, however little it is', async () => {
  const source = new PassThrough();
  const guarded = guard(source, 50);
  source.end('whole');
  await delay(120);
  expect(await text(guarded)).toBe('whole');
});

test('what breaks off is no end', async () => {
  const source = new PassThrough();
  const read = text(guard(source, 10_000));
  source.write('half');
  source.destroy();
  await expect(read).rejects.toThrow('told: the connection broke off');
});

test('nobody reads, and the source is let go at once', async () => {
  const source = new PassThrough();
  guard(source, 10_000).destroy();
  await delay(10);
  expect(source.destroyed).toBe(true);
});
