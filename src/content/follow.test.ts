import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../lib/log.ts';
import type { Stop } from '../lib/stop.ts';
import { createFolderSource } from './folder-source.ts';
import { follow } from './follow.ts';
import { PublishStateFile } from './publish-state.ts';
import type { ContentSource } from './source.ts';

let base: string;
let dags: string;
let target: string;
let stop: Stop;
const changes: string[] = [];
const told: (string | undefined)[] = [];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-follow-'));
  dags = join(base, 'buckets/team/dags');
  target = join(base, 'target');
  mkdirSync(dags, { recursive: true });
  changes.length = 0;
  told.length = 0;
});
afterEach(() => {
  stop();
  rmSync(base, { recursive: true, force: true });
});

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(dags, path)), { recursive: true });
  writeFileSync(join(dags, path), text);
};
const begin = (change: Partial<ContentSource> = {}): void => {
  const source = { ...createFolderSource({ buckets: join(base, 'buckets'), log: silentLog }), ...change };
  stop = follow({
    ...{ source, where: { bucketArn: 'arn:aws:s3:::team', path: 'dags', roleArn: '' } },
    ...{
      target,
      state: new PublishStateFile(join(base, 'state.json')),
      owner: { fileMode: 0o640, dirMode: 0o750 },
    },
    published: (result) => changes.push(...result.changes.map(({ kind, path }) => `${kind} ${path}`)),
    failed: (reason) => told.push(reason),
  });
};
const until = async (what: () => boolean): Promise<void> => {
  for (const end = performance.now() + 8_000; !what(); ) {
    if (performance.now() > end) throw new Error(`not so: ${changes.join()} ${told.at(-1)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const has = (change: string) => until(() => changes.includes(change));

test('every change is published once, in a new folder too', async () => {
  put('a.py', 'one');
  begin();
  await has('added a.py');
  put('a.py', 'other');
  await has('changed a.py');
  put('deep/er/b.py', 'two');
  await has('added deep/er/b.py');
  renameSync(join(dags, 'a.py'), join(dags, 'c.py'));
  await has('removed a.py');
  expect(changes).toEqual(['added a.py', 'changed a.py', 'added deep/er/b.py', 'added c.py', 'removed a.py']);
  expect(readFileSync(join(target, 'c.py'), 'utf8')).toBe('other');
});

test('without events of the system the next look finds it', async () => {
  begin({ watch: () => undefined });
  put('a.py', 'one');
  await has('added a.py');
});

test('a folder that vanishes changes nothing, and is followed again when it is back', async () => {
  put('a.py', 'one');
  put('b.py', 'two');
  begin();
  await has('added b.py');
  renameSync(dags, join(base, 'away'));
  await until(() => told.at(-1)?.includes('There is no folder') ?? false);
  expect(readdirSync(target).sort()).toEqual(['a.py', 'b.py']);
  put('c.py', 'three');
  put('a.py', 'one');
  await has('added c.py');
  await until(() => told.at(-1) === undefined);
  put('d.py', 'four');
  await has('added d.py');
  expect(readdirSync(target).sort()).toEqual(['a.py', 'c.py', 'd.py']);
});

test('what comes to the target by another hand is put right', async () => {
  put('a.py', 'one');
  begin({ watch: () => undefined });
  await has('added a.py');
  stop();
  writeFileSync(join(target, 'a.py'), 'damaged');
  writeFileSync(join(target, 'stranger.py'), 'x');
  begin();
  await has('removed stranger.py');
  expect(readFileSync(join(target, 'a.py'), 'utf8')).toBe('one');
});
