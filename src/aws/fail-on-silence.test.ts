import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failOnSilence } from './fail-on-silence.ts';

test('bytes that come go on, and silence is an error that ends the source', async () => {
  const source = new PassThrough();
  const guarded = failOnSilence(source, 300);
  const read = text(guarded);
  read.catch(() => {});
  for (let count = 0; count < 4; count += 1) {
    source.write('a');
    await delay(100);
  }
  await expect(read).rejects.toThrow('nothing came for 0.3 seconds');
  expect(source.destroyed).toBe(true);
});

test('the end is an end', async () => {
  const source = new PassThrough();
  source.end('whole');
  expect(await text(failOnSilence(source, 1_000))).toBe('whole');
});

test('nobody reads, and the source is let go', async () => {
  const source = new PassThrough();
  failOnSilence(source, 1_000).destroy();
  await delay(10);
  expect(source.destroyed).toBe(true);
});
