import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../lib/log.ts';
import { createFolderSource } from './folder-source.ts';
import { isPublishable } from './location.ts';
import { type PublishOptions, publish } from './publish.ts';
import { PublishStateFile } from './publish-state.ts';
import type { ContentSource } from './source.ts';

let base: string;
let dags: string;
let target: string;
let source: ContentSource;
let now: number;
const where = { bucketArn: 'arn:aws:s3:::team-a', path: 'dags/', roleArn: '' };
const signal = new AbortController().signal;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-content-'));
  dags = join(base, 'buckets/team-a/dags');
  target = join(base, 'target');
  mkdirSync(dags, { recursive: true });
  now = 1_000_000;
  source = createFolderSource({ buckets: join(base, 'buckets'), log: silentLog });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (path: string, content: string) => {
  mkdirSync(dirname(join(dags, path)), { recursive: true });
  writeFileSync(join(dags, path), content);
};
const options = (o: Partial<PublishOptions> = {}): PublishOptions => ({
  source,
  where,
  target,
  state: new PublishStateFile(join(base, 'state.json')),
  owner: { fileMode: 0o640, dirMode: 0o750 },
  signal,
  now: () => now,
  ...o,
});
const go = async (o: Partial<PublishOptions> = {}) => {
  const given = options(o);
  return publish(given, await given.source.list(where, given.signal));
};
const published = () => readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();

describe('publishing', () => {
  it('leaves the bytecode that Python wrote beside the files, and publishes none', async () => {
    put('a.py', 'one');
    put('pkg/b.py', 'two');
    put('__pycache__/a.cpython-311.pyc', 'of the bucket');
    expect(await go()).toMatchObject({ added: 2, refused: [] });
    for (const folder of ['', 'pkg/']) {
      mkdirSync(join(target, `${folder}__pycache__`));
      writeFileSync(join(target, `${folder}__pycache__/x.pyc`), 'code');
    }
    expect(await go()).toMatchObject({ added: 0, changed: 0, removed: 0 });
    expect(published()).toContain('__pycache__/x.pyc');
    rmSync(join(dags, 'pkg'), { recursive: true });
    expect(await go()).toMatchObject({ removed: 1 });
    expect(published()).toEqual(['__pycache__', '__pycache__/x.pyc', 'a.py']);
  });

  it('makes the target equal and leaves what did not change untouched', async () => {
    put('a.py', 'one');
    put('pkg/b.py', 'two');
    put('old/gone.py', 'x');
    expect(await go()).toMatchObject({ added: 3, changed: 0, removed: 0, postponed: [], refused: [] });
    const before = statSync(join(target, 'pkg/b.py'), { bigint: true });
    put('a.py', 'one more');
    put('c.py', 'three');
    rmSync(join(dags, 'old'), { recursive: true });
    expect(await go()).toMatchObject({ added: 1, changed: 1, removed: 1 });
    expect(published()).toEqual(['a.py', 'c.py', 'pkg', 'pkg/b.py']);
    expect(readFileSync(join(target, 'a.py'), 'utf8')).toBe('one more');
    const after = statSync(join(target, 'pkg/b.py'), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    expect(await go()).toMatchObject({ added: 0, changed: 0, removed: 0 });
  });
  it('leaves a file that was written anew with the same bytes, and knows equal trees by one version', async () => {
    put('a.py', 'one');
    put('b.py', 'two');
    await go();
    const first = options().state.read();
    const before = statSync(join(target, 'a.py'), { bigint: true });
    now += 5_000;
    put('a.py', 'one');
    expect(await go()).toMatchObject({ changes: [], isWhole: true });
    expect(statSync(join(target, 'a.py'), { bigint: true }).ino).toBe(before.ino);
    expect(options().state.read()).toMatchObject({ since: 1_000_000 });
    put('a.py', 'other');
    expect((await go()).changes).toEqual([{ path: 'a.py', kind: 'changed' }]);
    const second = options().state.read();
    expect(second.since).toBe(1_005_000);
    expect(second.version).not.toBe(first.version);
    put('a.py', 'one');
    await go();
    expect(options().state.read().version).toBe(first.version);
  });
  it('gives files the time of publishing and the modes it was told', async () => {
    put('pkg/a.py', 'a');
    chmodSync(join(dags, 'pkg/a.py'), 0o777);
    utimesSync(join(dags, 'pkg/a.py'), 1000, 1000);
    await go();
    const file = statSync(join(target, 'pkg/a.py'));
    expect([file.mode & 0o7777, statSync(join(target, 'pkg')).mode & 0o7777]).toEqual([0o640, 0o750]);
    expect(Date.now() - file.mtimeMs).toBeLessThan(60_000);
  });
  it.runIf(process.geteuid?.() === 0)('gives files to the owner it was told', async () => {
    put('pkg/a.py', 'a');
    await go({ owner: { uid: 0, gid: 65534, fileMode: 0o640, dirMode: 0o750 } });
    for (const path of ['', 'pkg', 'pkg/a.py']) expect(statSync(join(target, path)).gid).toBe(65534);
  });
  it('replaces a file by a folder, a folder by a file, and a link by a file', async () => {
    put('x', 'file');
    put('y/z.py', 'in folder');
    put('keep.py', 'k');
    await go();
    rmSync(join(dags, 'x'));
    put('x/inner.py', 'now folder');
    rmSync(join(dags, 'y'), { recursive: true });
    put('y', 'now file');
    rmSync(join(target, 'keep.py'));
    symlinkSync('/etc/passwd', join(target, 'keep.py'));
    await go();
    expect(readFileSync(join(target, 'x/inner.py'), 'utf8')).toBe('now folder');
    expect(readFileSync(join(target, 'y'), 'utf8')).toBe('now file');
    expect(lstatSync(join(target, 'keep.py')).isFile()).toBe(true);
    expect(published()).toEqual(['keep.py', 'x', 'x/inner.py', 'y']);
  });
  it('puts right what somebody else changed in the target, and clears what a kill left behind', async () => {
    put('pkg/a.py', 'right');
    await go();
    writeFileSync(join(target, 'pkg/a.py'), 'wrong');
    writeFileSync(join(target, 'foreign.py'), 'x');
    writeFileSync(join(target, 'pkg/.windsock-tmp-0123456789ab'), 'half');
    expect(await go()).toMatchObject({ added: 0, changed: 1, removed: 1 });
    expect(published()).toEqual(['pkg', 'pkg/a.py']);
    expect(readFileSync(join(target, 'pkg/a.py'), 'utf8')).toBe('right');
  });
  it('publishes again when its memory is lost or broken', async () => {
    put('a.py', 'a');
    await go();
    writeFileSync(join(base, 'state.json'), '{"files": 7');
    expect(await go()).toMatchObject({ added: 1, changed: 0 });
    expect(await go()).toMatchObject({ added: 0, changed: 0 });
  });
  it('keeps several files until the listing has been empty for ten seconds, at every look', async () => {
    put('a.py', 'a');
    put('b.py', 'b');
    expect(await go()).toMatchObject({ isWhole: true });
    for (const file of ['a.py', 'b.py']) rmSync(join(dags, file));
    expect(await go()).toMatchObject({ removed: 0, isWhole: false });
    expect(await go({ emptyFor: 9_999 })).toMatchObject({ removed: 0, isWhole: false });
    expect(await go({ emptyFor: 10_000 })).toMatchObject({ removed: 2, isWhole: true });
    expect(published()).toEqual([]);
  });
  it('believes sooner that the last file is gone', async () => {
    put('a.py', 'a');
    await go();
    rmSync(join(dags, 'a.py'));
    expect((await go()).removed).toBe(0);
    expect((await go({ emptyFor: 1_000 })).changes).toEqual([{ path: 'a.py', kind: 'removed' }]);
  });
  it('tells what was done before something went wrong', async () => {
    put('a.py', 'a');
    put('b.py', 'b');
    const told: string[] = [];
    const open: ContentSource['open'] = (at, path, version) => {
      if (path === 'b.py') throw new Error('not readable');
      return source.open(at, path, version, signal);
    };
    const published = (result: { changes: readonly { path: string }[] }) =>
      told.push(...result.changes.map(({ path }) => path));
    await expect(go({ source: { ...source, open }, published })).rejects.toThrow('not readable');
    expect(told).toEqual(['a.py']);
    expect((await go()).changes).toEqual([{ path: 'b.py', kind: 'added' }]);
  });
  it('records once more what was not remembered as done, removals too', async () => {
    put('a.py', 'a');
    put('gone.py', 'x');
    await go();
    put('a.py', 'other');
    put('new.py', 'new');
    rmSync(join(dags, 'gone.py'));
    const killed = new PublishStateFile(join(base, 'state.json'));
    killed.write = () => Promise.reject(new Error('killed'));
    const recorded: string[][] = [];
    const record: PublishOptions['record'] = async ({ changes }) => {
      recorded.push(changes.map(({ kind, path }) => `${kind} ${path}`).sort());
    };
    await expect(go({ state: killed, record })).rejects.toThrow('killed');
    await go({ record });
    await go({ record });
    const all = ['added new.py', 'changed a.py', 'removed gone.py'];
    expect(recorded).toEqual([all, all]);
  });
  it('publishes a file of any name once', async () => {
    put('__proto__', 'a');
    put('constructor', 'b');
    expect((await go()).added).toBe(2);
    expect((await go()).changes).toEqual([]);
  });
  it('does not touch the tree when the bucket is gone', async () => {
    put('a.py', 'a');
    await go();
    rmSync(join(base, 'buckets/team-a'), { recursive: true });
    await expect(go()).rejects.toMatchObject({ code: 'SourceUnavailable' });
    now += 60_000;
    await expect(go()).rejects.toMatchObject({ code: 'SourceUnavailable' });
    expect(published()).toEqual(['a.py']);
  });
  it('keeps the older version of a file that changes while it is read, and goes on with the rest', async () => {
    put('a.py', 'old');
    await go();
    put('a.py', 'newer');
    put('b.py', 'b');
    const restless: ContentSource = {
      ...source,
      open: async (location, path, version) => {
        if (path === 'a.py') writeFileSync(join(dags, 'a.py'), `changed ${Math.random()}`);
        return source.open(location, path, version, signal);
      },
    };
    expect(await go({ source: restless })).toMatchObject({
      added: 1,
      postponed: [expect.any(String)],
      removed: 0,
    });
    expect(readFileSync(join(target, 'a.py'), 'utf8')).toBe('old');
    expect(await go()).toMatchObject({ changed: 1, postponed: [] });
  });
  it('refuses paths that would leave the target, and a file that is also a folder', async () => {
    const paths = [
      '../x',
      '/etc/x',
      'a//b',
      'a/./b',
      'a/../../b',
      'n\0ul',
      'p',
      'p/q.py',
      'ok.py',
      '.windsock-tmp-1',
      'k'.repeat(1025),
    ];
    const odd: ContentSource = {
      list: async () => new Map(paths.map((path) => [path, { size: 1, version: '1' }])),
      open: async () => Readable.from(['x']),
      watch: () => () => {},
      canWatch: source.canWatch,
      paceOf: source.paceOf,
    };
    const result = await go({ source: odd });
    expect(published()).toEqual(['ok.py', 'p', 'p/q.py']);
    expect(result.refused.length).toBe(9);
    expect(existsSync(join(base, 'x'))).toBe(false);
    expect(isPublishable('..a/b..')).toBe(true);
  });
  it('stops on abort and keeps what was done', async () => {
    put('a.py', 'a');
    put('b.py', 'b');
    const controller = new AbortController();
    const once: ContentSource = {
      ...source,
      open: async (...args) => {
        const stream = await source.open(...args);
        stream.once('close', () => controller.abort(new Error('stop')));
        return stream;
      },
    };
    await expect(go({ source: once, signal: controller.signal })).rejects.toThrow(/stop|abort/i);
    expect(readdirSync(target).filter((name) => name.startsWith('.windsock-tmp'))).toEqual([]);
    await go();
    expect(published()).toEqual(['a.py', 'b.py']);
  });
  it('is right again after kill -9 at any moment', async () => {
    for (let i = 0; i < 60; i += 1) put(`d${i % 7}/f${i}.py`, `${i}`.repeat(5000));
    const program = `
      import { createFolderSource } from '${join(import.meta.dirname, 'folder-source.ts')}';
      import { publish } from '${join(import.meta.dirname, 'publish.ts')}';
      import { PublishStateFile } from '${join(import.meta.dirname, 'publish-state.ts')}';
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const source = createFolderSource({ buckets: '${join(base, 'buckets')}', log });
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(process.argv[1]));
      const where = ${JSON.stringify(where)};
      const { signal } = new AbortController();
      const listing = await source.list(where, signal);
      await publish({ source, where, target: '${target}', state: new PublishStateFile('${join(base, 'state.json')}'), owner: { fileMode: 0o640, dirMode: 0o750 }, signal }, listing);
    `;
    for (const after of [5, 20, 40])
      expect(() =>
        execFileSync(process.execPath, ['--input-type=module', '-e', program, String(after)], {
          stdio: 'ignore',
          timeout: 5000,
        }),
      ).toThrow();
    await go();
    for (let i = 0; i < 60; i += 1)
      expect(readFileSync(join(target, `d${i % 7}/f${i}.py`), 'utf8')).toBe(`${i}`.repeat(5000));
    expect(published().filter((name) => name.includes('.windsock-tmp'))).toEqual([]);
  }, 20_000);
});
