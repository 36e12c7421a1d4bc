import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../lib/log.ts';
import { createFolderSource } from './folder-source.ts';
import { FollowedFolders } from './followed.ts';

let base: string;
let work: string;
let followed: FollowedFolders;
const where = { bucketArn: 'arn:aws:s3:::demo', path: 'dags/', roleArn: '' };
const { signal } = new AbortController();
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-followed-'));
  work = join(base, 'work');
  mkdirSync(join(base, 'buckets/demo/dags'), { recursive: true });
  mkdirSync(work);
  writeFileSync(join(base, 'buckets/demo/dags/of-bucket.py'), '');
  writeFileSync(join(work, 'of-folder.py'), 'text');
  followed = new FollowedFolders(join(base, 'followed.json'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const source = () => createFolderSource({ buckets: join(base, 'buckets'), followed, log: silentLog });
const listed = async () => [...(await source().list(where, signal)).keys()].sort();

test('a folder that is followed stands in the place of that folder of the bucket, also for a server that comes next', async () => {
  expect(await listed()).toEqual(['of-bucket.py']);
  followed.set({ ...where, path: 'dags' }, work);
  expect(await listed()).toEqual(['of-folder.py']);
  followed = new FollowedFolders(join(base, 'followed.json'));
  expect(await listed()).toEqual(['of-folder.py']);
  const [version] = [...(await source().list(where, signal)).values()].map((file) => file.version);
  const chunks: Buffer[] = [];
  for await (const chunk of await source().open(where, 'of-folder.py', version ?? '', signal))
    chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('text');
  followed.set(where, undefined);
  expect(await listed()).toEqual(['of-bucket.py']);
});

test('it is known by its real path; what people keep beside their DAGs stays behind, and links are not followed', async () => {
  symlinkSync(work, join(base, 'link'));
  followed.set(where, join(base, 'link'));
  expect(followed.folderFor(where)).toBe(realpathSync(work));
  for (const folder of ['.git', '.venv/lib', '__pycache__', 'skip']) {
    mkdirSync(join(work, folder), { recursive: true });
    writeFileSync(join(work, folder, 'x.py'), '');
  }
  writeFileSync(join(work, '.windsockignore'), 'skip/\n');
  symlinkSync('/etc/passwd', join(work, 'passwd.py'));
  expect(await listed()).toEqual(['of-folder.py']);
});

test('a key is below a folder that is followed, or is not', () => {
  followed.set({ ...where, path: 'dags/team' }, work);
  const bucket = where.bucketArn.split(':').at(-1) ?? '';
  expect(followed.folderOver(bucket, 'dags/team/x/a.py')).toBe(realpathSync(work));
  for (const key of ['dags/team', 'dags/teams/a.py', 'dags/a.py', 'team/a.py', '__proto__/a'])
    expect(followed.folderOver(bucket, key), key).toBeUndefined();
  expect(followed.folderOver('other', 'dags/team/a.py')).toBeUndefined();
});

test('one that is gone is an error with what to do, and never an empty listing', async () => {
  followed.set(where, work);
  rmSync(work, { recursive: true });
  await expect(listed()).rejects.toMatchObject({
    code: 'SourceUnavailable',
    publicText: expect.stringContaining('--dags'),
  });
});

test('a damaged list lets nothing pass for the bucket', async () => {
  writeFileSync(join(base, 'followed.json'), '{');
  await expect(listed()).rejects.toThrow();
});
