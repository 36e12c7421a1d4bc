import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../lib/log.ts';
import { createFolderSource } from './folder-source.ts';
import type { ContentSource } from './source.ts';

let base: string;
let dags: string;
let source: ContentSource;
let warned: { readonly path?: unknown }[];
const where = { bucketArn: 'arn:aws:s3:::team-a', path: 'dags/', roleArn: '' };
const signal = new AbortController().signal;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-content-'));
  dags = join(base, 'buckets/team-a/dags');
  mkdirSync(dags, { recursive: true });
  warned = [];
  const log: Log = { ...silentLog, warn: (_, fields = {}) => void warned.push(fields) };
  source = createFolderSource({ buckets: join(base, 'buckets'), log });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (path: string, content: string) => {
  mkdirSync(dirname(join(dags, path)), { recursive: true });
  writeFileSync(join(dags, path), content);
};
const versionOf = async (path: string) => (await source.list(where, signal)).get(path)?.version ?? '';

describe('a bucket that is a folder', () => {
  it('lists every regular file below the path with its size', async () => {
    put('a.py', 'abc');
    put('pkg/deep/b.py', '');
    writeFileSync(join(base, 'buckets/team-a/outside.py'), 'x');
    const listing = await source.list(where, signal);
    expect([...listing].map(([path, f]) => [path, f.size]).sort()).toEqual([
      ['a.py', 3],
      ['pkg/deep/b.py', 0],
    ]);
  });
  it('says what to make when the folder is missing', async () => {
    const nowhere = { bucketArn: 'arn:aws:s3:::nope', path: 'dags', roleArn: '' };
    await expect(source.list(nowhere, signal)).rejects.toThrow(/mkdir -p .*buckets\/nope\/dags/);
    rmSync(dags, { recursive: true });
    await expect(source.list(where, signal)).rejects.toMatchObject({ code: 'SourceUnavailable' });
  });
  it.each(['arn:aws:s3:::..', 'arn:aws:s3:::a/b', 'team-a', 'arn:aws:s3:::a..b', 'arn:aws:s3:::'])(
    'refuses the bucket %s',
    async (bucketArn) => {
      await expect(source.list({ bucketArn, path: 'dags', roleArn: '' }, signal)).rejects.toMatchObject({
        code: 'SourceUnavailable',
      });
    },
  );
  it('refuses a path that leaves the bucket', async () => {
    await expect(source.list({ ...where, path: 'dags/../../other' }, signal)).rejects.toThrow(
      /must not hold/,
    );
  });
  it('follows no link, tells each once, and refuses a link in the place of the folder', async () => {
    put('a.py', 'a');
    symlinkSync('/etc', join(dags, 'etc'));
    symlinkSync('/etc/passwd', join(dags, 'passwd.py'));
    await source.list(where, signal);
    expect([...(await source.list(where, signal)).keys()]).toEqual(['a.py']);
    expect(warned.map((w) => w.path).sort()).toEqual(['etc', 'passwd.py']);
    renameSync(dags, `${dags}-real`);
    symlinkSync(`${dags}-real`, dags);
    await expect(source.list(where, signal)).rejects.toThrow(/symbolic links are not followed/);
  });
  it('refuses more than the limits', async () => {
    put('a.py', 'aaaa');
    put('b.py', 'bbbb');
    const small = (files: number, bytes: number) =>
      createFolderSource({ buckets: join(base, 'buckets'), log: silentLog, limits: { files, bytes } }).list(
        where,
        signal,
      );
    await expect(small(1, 100)).rejects.toThrow(/more than 1 files/);
    await expect(small(9, 7)).rejects.toThrow(/more than 7 bytes/);
    expect((await small(2, 8)).size).toBe(2);
  });
  it('gives the bytes of exactly the listed version', async () => {
    put('a.py', 'one');
    const version = await versionOf('a.py');
    expect(await text(await source.open(where, 'a.py', version, signal))).toBe('one');
    put('a.py', 'two!');
    await expect(source.open(where, 'a.py', version, signal)).rejects.toMatchObject({ code: 'VersionGone' });
    await expect(source.open(where, 'gone.py', version, signal)).rejects.toMatchObject({
      code: 'VersionGone',
    });
  });
  it('gives nothing through a folder that was swapped for a link', async () => {
    put('pkg/a.py', 'one');
    const version = await versionOf('pkg/a.py');
    renameSync(join(dags, 'pkg'), join(base, 'elsewhere'));
    symlinkSync(join(base, 'elsewhere'), join(dags, 'pkg'));
    await expect(source.open(where, 'pkg/a.py', version, signal)).rejects.toMatchObject({
      code: 'VersionGone',
    });
  });
  it('fails the stream when the file changes while it is read', async () => {
    put('a.py', 'x'.repeat(300_000));
    const stream = await source.open(where, 'a.py', await versionOf('a.py'), signal);
    writeFileSync(join(dags, 'a.py'), 'y'.repeat(300_001));
    await expect(text(stream)).rejects.toMatchObject({ code: 'VersionGone' });
  });
  it('hints soon after a change in a folder that it was told of', async () => {
    put('a.py', 'a');
    put('pkg/b.py', 'b');
    let hints = 0;
    const stop = source.watch(where, ['pkg'], () => {
      hints += 1;
    });
    const changed = async (change: () => void) => {
      const before = hints;
      change();
      const began = Date.now();
      while (hints === before && Date.now() - began < 5000) await delay(20);
      return hints > before;
    };
    try {
      expect(await changed(() => put('a.py', 'b'))).toBe(true);
      expect(await changed(() => put('pkg/b.py', 'c'))).toBe(true);
    } finally {
      stop?.();
      stop?.();
    }
  });
  it('gives no short list of a folder that is moved away while it is read', async () => {
    for (let i = 0; i < 300; i += 1) put(`d${i}/a.py`, 'a');
    const listing = source.list(where, signal);
    renameSync(dags, `${dags}-away`);
    await expect(listing).rejects.toMatchObject({ code: 'SourceUnavailable' });
  });
});
