// The folder of a bucket: one plain file for each object, and what people do there by hand.
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fileOf,
  folderOf,
  makeBucket,
  outcome,
  putText,
  s3Call,
  s3Client,
  seen,
  seenKeys,
} from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
let s3: S3Client;
beforeAll(() => {
  s3 = s3Client(used.place);
});

const textOf = async (Bucket: string, Key: string, VersionId?: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
const remove = (Bucket: string, Key: string) => s3.send(new DeleteObjectCommand({ Bucket, Key }));
const keys = async (Bucket: string, Prefix?: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key }) => Key);
const write = (bucket: string, key: string, text: string) => {
  mkdirSync(folderOf(used.place, bucket, key), { recursive: true });
  writeFileSync(fileOf(used.place, bucket, key), text);
};
const folder = (bucket: string, key = '') => fileOf(used.place, bucket, key);

describe('what a client does is seen', () => {
  test('put, put over it, copied, deleted, deleted many: files, and no empty folders', async () => {
    const b = await makeBucket(s3, 'seen');
    await putText(s3, b, 'dags/team/a.py', 'one');
    expect(seen(used.place, b, 'dags/team/a.py')).toBe('one');
    await putText(s3, b, 'dags/team/a.py', 'two');
    const CopySource = `${b}/dags/team/a.py`;
    await s3.send(new CopyObjectCommand({ Bucket: b, Key: 'dags/b.py', CopySource }));
    expect(seenKeys(used.place, b)).toEqual(['dags/b.py', 'dags/team/a.py']);
    expect([seen(used.place, b, 'dags/team/a.py'), seen(used.place, b, 'dags/b.py')]).toEqual(['two', 'two']);
    await remove(b, 'dags/team/a.py');
    expect([seenKeys(used.place, b), existsSync(folder(b, 'dags/team'))]).toEqual([['dags/b.py'], false]);
    await s3.send(new DeleteObjectsCommand({ Bucket: b, Delete: { Objects: [{ Key: 'dags/b.py' }] } }));
    expect([existsSync(folder(b, 'dags')), existsSync(folder(b))]).toEqual([false, true]);
  });

  test('a key that ends in a slash is a folder', async () => {
    const b = await makeBucket(s3, 'folders');
    await putText(s3, b, 'empty/inner/', '');
    expect(existsSync(folder(b, 'empty/inner'))).toBe(true);
    expect(await keys(b)).toEqual(['empty/inner/']);
    await putText(s3, b, 'empty/inner/', '');
    await putText(s3, b, 'files/a', 'x');
    await putText(s3, b, 'files/', '');
    expect(await keys(b, 'files/')).toEqual(['files/', 'files/a']);
    expect(await outcome(putText(s3, b, 'full/', 'x'))).toBe('400 InvalidArgument');
    await remove(b, 'empty/inner/');
    expect(existsSync(folder(b, 'empty'))).toBe(false);
  });

  test('a and a/b cannot both be files: the second one is refused, and says why', async () => {
    const b = await makeBucket(s3, 'both');
    await putText(s3, b, 'a', 'file');
    await putText(s3, b, 'c/d', 'file');
    for (const [key, there] of [
      ['a/b', 'a'],
      ['c', 'c/d'],
    ] as const) {
      const put = await s3Call(used.place, { method: 'PUT', path: `/${b}/${key}`, body: 'x' });
      expect([put.status, put.code, put.text]).toEqual([400, 'InvalidRequest', expect.stringContaining(key)]);
      expect(await textOf(b, there)).toBe('file');
    }
  });

  test.each(Array.from({ length: 10 }, (_, n) => `x${n}`))(
    '%s and a file below it at once: one is',
    async (x) => {
      const b = await makeBucket(s3, `race-${x}`);
      const pair = [x, `${x}/y`];
      const told = await Promise.all(pair.map((key) => outcome(putText(s3, b, key, key))));
      expect([...told].sort()).toEqual(['400 InvalidRequest', 'ok']);
      const kept = pair.filter((_, n) => told[n] === 'ok');
      expect([await keys(b), await textOf(b, kept[0] ?? '')]).toEqual([kept, kept[0]]);
      expect(statSync(folder(b, kept[0] ?? '')).isFile()).toBe(true);
    },
  );

  test('a client’s file is plain: nobody may execute it, everybody may read it', async () => {
    const b = await makeBucket(s3, 'modes');
    for (const size of [3, 9 * 1024 * 1024]) {
      await s3.send(new PutObjectCommand({ Bucket: b, Key: 'm', Body: Buffer.alloc(size) }));
      expect((statSync(folder(b, 'm')).mode & 0o777).toString(8)).toBe('644');
    }
  });
});

describe('what people do by hand is in the bucket', () => {
  test('a new file, a changed one, one that is gone: each is a version', async () => {
    const b = await makeBucket(s3, 'hand');
    write(b, 'dags/h.py', 'one');
    expect([await textOf(b, 'dags/h.py'), await keys(b)]).toEqual(['one', ['dags/h.py']]);
    const first = await s3.send(new HeadObjectCommand({ Bucket: b, Key: 'dags/h.py' }));
    // as editors write: whoever writes into the file itself changes the bytes that were taken over by a link
    write(b, '.h.py', 'two!');
    renameSync(folder(b, '.h.py'), folder(b, 'dags/h.py'));
    expect(await textOf(b, 'dags/h.py')).toBe('two!');
    expect(await textOf(b, 'dags/h.py', first.VersionId)).toBe('one');
    rmSync(folder(b, 'dags/h.py'));
    expect([await outcome(textOf(b, 'dags/h.py')), await keys(b)]).toEqual(['404 NoSuchKey', []]);
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: b }));
    expect([page.Versions?.length, page.DeleteMarkers?.length]).toEqual([2, 1]);
  });

  test('over an object: as long as before, renamed in, moved away', async () => {
    const b = await makeBucket(s3, 'over');
    const { VersionId } = await putText(s3, b, 'a', 'one');
    writeFileSync(folder(b, 'a'), 'two');
    expect([await textOf(b, 'a'), await textOf(b, 'a', VersionId)]).toEqual(['two', 'one']);
    writeFileSync(folder(b, '.new'), 'six');
    renameSync(folder(b, '.new'), folder(b, 'a'));
    expect(await textOf(b, 'a')).toBe('six');
    renameSync(folder(b, 'a'), folder(b, 'b'));
    expect([await outcome(textOf(b, 'a')), await textOf(b, 'b')]).toEqual(['404 NoSuchKey', 'six']);
  });

  test('into a large object: other bytes are never given for what was put', async () => {
    const b = await makeBucket(s3, 'large');
    const Body = Buffer.alloc(9 * 1024 * 1024, 'a');
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: b, Key: 'l', Body }));
    const file = openSync(folder(b, 'l'), 'r+');
    writeSync(file, 'edited in place');
    closeSync(file);
    expect((await textOf(b, 'l'))?.slice(0, 16)).toBe('edited in placea');
    const old = await textOf(b, 'l', VersionId).catch((error: Error) => error.name);
    expect([Body.toString(), 'NoSuchVersion']).toContain(old);
  });

  test('into a file that was taken over: other bytes are never given for the version of before', async () => {
    const b = await makeBucket(s3, 'in-place');
    write(b, 'a', 'one');
    const { VersionId } = await s3.send(new HeadObjectCommand({ Bucket: b, Key: 'a' }));
    write(b, 'a', 'two!');
    expect(await textOf(b, 'a')).toBe('two!');
    const old = await textOf(b, 'a', VersionId).catch((error: Error) => error.name);
    expect(['one', 'NoSuchVersion']).toContain(old);
  });

  test('a whole folder of a bucket, made by hand, is a bucket', async () => {
    write('by-hand', 'dags/a.py', 'pass');
    expect([await keys('by-hand'), await textOf('by-hand', 'dags/a.py')]).toEqual([['dags/a.py'], 'pass']);
  });

  test('a condition is held against the file that is there now', async () => {
    const b = await makeBucket(s3, 'raced');
    const { ETag } = await putText(s3, b, 'a', 'one');
    writeFileSync(folder(b, 'a'), 'mine');
    const put = (more: object) =>
      outcome(s3.send(new PutObjectCommand({ Bucket: b, Key: 'a', Body: 'x', ...more })));
    expect([await put({ IfMatch: ETag }), await put({ IfNoneMatch: '*' })]).toEqual([
      ...['412 PreconditionFailed', '412 PreconditionFailed'],
    ]);
    expect(seen(used.place, b, 'a')).toBe('mine');
  });

  test('links, pipes and odd names are no objects, and no way out of the bucket (A58)', async () => {
    const b = await makeBucket(s3, 'links');
    const secret = `${used.place.folder}/secret`;
    writeFileSync(secret, 'secret');
    chmodSync(secret, 0o600);
    symlinkSync(secret, folder(b, 'link'));
    symlinkSync(used.place.folder, folder(b, 'dir'));
    expect(await keys(b)).toEqual([]);
    for (const key of ['link', 'dir/secret', 'dir/'])
      expect([key, await outcome(textOf(b, key))]).toEqual([key, '404 NoSuchKey']);
    for (const key of ['link', 'dir/secret', 'dir/new'])
      expect([key, await outcome(putText(s3, b, key, 'x'))]).toEqual([key, '400 InvalidRequest']);
    expect(await outcome(remove(b, 'link'))).toBe('ok');
    expect([existsSync(secret), existsSync(`${used.place.folder}/new`)]).toEqual([true, false]);
  });
});
