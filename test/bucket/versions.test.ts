// Versions over the AWS SDK for JavaScript: kept, marked as deleted, restored, suspended, deleted many at once.
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { keptFiles, makeBucket, outcome, putText, s3Client, seen } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
let s3: S3Client;
beforeAll(() => {
  s3 = s3Client(used.place);
});

const versioning = (Bucket: string, Status: 'Enabled' | 'Suspended') =>
  s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const textOf = async (Bucket: string, Key: string, VersionId?: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return Body?.transformToString();
};
const remove = (Bucket: string, Key: string, VersionId?: string) =>
  s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
/** All of a bucket, the newest of a key first: its version ids, and `marker` where it is one. */
const all = async (Bucket: string, Prefix = '') => {
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
  return {
    versions: (page.Versions ?? []).map((v) => [v.Key, v.VersionId, v.IsLatest]),
    markers: (page.DeleteMarkers ?? []).map((v) => [v.Key, v.VersionId, v.IsLatest]),
  };
};

describe('a bucket that keeps versions', () => {
  test('every version stays; the folder shows the latest', async () => {
    const b = await makeBucket(s3, 'kept');
    expect(await s3.send(new GetBucketVersioningCommand({ Bucket: b }))).toMatchObject({ Status: 'Enabled' });
    const { VersionId: one } = await putText(s3, b, 'a.py', 'one');
    const { VersionId: two } = await putText(s3, b, 'a.py', 'two');
    expect([await textOf(b, 'a.py'), await textOf(b, 'a.py', one), await textOf(b, 'a.py', two)]).toEqual([
      ...['two', 'one', 'two'],
    ]);
    expect(await all(b)).toEqual({
      ...{
        versions: [
          ['a.py', two, true],
          ['a.py', one, false],
        ],
        markers: [],
      },
    });
    expect(seen(used.place, b, 'a.py')).toBe('two');
    expect(await outcome(textOf(b, 'a.py', 'A'.repeat(32)))).toMatch(/^404 NoSuchVersion$/);
  });

  test('a deletion is a marker, and its deletion brings the object back', async () => {
    const b = await makeBucket(s3, 'marked');
    const { VersionId: one } = await putText(s3, b, 'a.py', 'one');
    const deleted = await remove(b, 'a.py');
    expect([deleted.DeleteMarker, seen(used.place, b, 'a.py')]).toEqual([true, undefined]);
    expect(await outcome(textOf(b, 'a.py'))).toBe('404 NoSuchKey');
    expect(await outcome(textOf(b, 'a.py', deleted.VersionId))).toBe('405 MethodNotAllowed');
    expect(await textOf(b, 'a.py', one)).toBe('one');
    expect(await all(b)).toEqual({
      ...{ versions: [['a.py', one, false]], markers: [['a.py', deleted.VersionId, true]] },
    });
    expect((await s3.send(new ListObjectsV2Command({ Bucket: b }))).KeyCount).toBe(0);
    const back = await remove(b, 'a.py', deleted.VersionId);
    expect([back.DeleteMarker, back.VersionId]).toEqual([true, deleted.VersionId]);
    expect([await textOf(b, 'a.py'), seen(used.place, b, 'a.py')]).toEqual(['one', 'one']);
  });

  test('an older version is restored by a copy over the latest', async () => {
    const b = await makeBucket(s3, 'restored');
    const { VersionId: one } = await putText(s3, b, 'dags/a b+ü.py', 'one');
    await putText(s3, b, 'dags/a b+ü.py', 'two');
    const CopySource = `${b}/${encodeURIComponent('dags/a b+ü.py')}?versionId=${one}`;
    const copy = await s3.send(new CopyObjectCommand({ Bucket: b, Key: 'dags/a b+ü.py', CopySource }));
    expect(copy.CopySourceVersionId).toBe(one);
    expect(await textOf(b, 'dags/a b+ü.py')).toBe('one');
    expect((await all(b)).versions.length).toBe(3);
  });

  test('the latest version that is deleted for good leaves the one before', async () => {
    const b = await makeBucket(s3, 'ended');
    await putText(s3, b, 'a.py', 'one');
    const { VersionId: two } = await putText(s3, b, 'a.py', 'two');
    expect((await remove(b, 'a.py', two)).VersionId).toBe(two);
    expect([await textOf(b, 'a.py'), seen(used.place, b, 'a.py')]).toEqual(['one', 'one']);
    expect(keptFiles(used.place, b)).toBe(1);
  });
});

describe('a bucket that was told to keep no more', () => {
  test('has the version null, beside those of before', async () => {
    const b = await makeBucket(s3, 'suspended');
    const { VersionId: one } = await putText(s3, b, 'a.py', 'one');
    await versioning(b, 'Suspended');
    expect((await putText(s3, b, 'a.py', 'two')).VersionId).toBeUndefined();
    expect((await s3.send(new HeadObjectCommand({ Bucket: b, Key: 'a.py' }))).VersionId).toBe('null');
    expect((await all(b)).versions).toEqual([
      ['a.py', 'null', true],
      ['a.py', one, false],
    ]);
    expect(await textOf(b, 'a.py', 'null')).toBe('two');
    const marker = await remove(b, 'a.py');
    expect([marker.DeleteMarker, marker.VersionId]).toEqual([true, 'null']);
    expect(await all(b)).toEqual({
      ...{ versions: [['a.py', one, false]], markers: [['a.py', 'null', true]] },
    });
    await remove(b, 'a.py', 'null');
    expect(await textOf(b, 'a.py')).toBe('one');
  });
});

describe('many at once', () => {
  const removeAll = (Bucket: string, Objects: { Key: string; VersionId?: string }[], Quiet = false) =>
    s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet } }));

  test('each key is told of, also what was not there', async () => {
    const b = await makeBucket(s3, 'many');
    for (const key of ['a', 'b & <c>', 'd/ü']) await putText(s3, b, key, 'x');
    const names = ['a', 'b & <c>', 'd/ü', 'nothing'].map((Key) => ({ Key }));
    const { Deleted, Errors } = await removeAll(b, names);
    expect([Deleted?.map(({ Key }) => Key), Errors]).toEqual([names.map(({ Key }) => Key), undefined]);
    expect((await removeAll(b, names, true)).Deleted).toBeUndefined();
    expect((await s3.send(new ListObjectsV2Command({ Bucket: b }))).KeyCount).toBe(0);
  });

  test('versions and markers', async () => {
    const b = await makeBucket(s3, 'many-versions');
    const { VersionId: one } = await putText(s3, b, 'a', 'one');
    await putText(s3, b, 'a', 'two');
    const { Deleted } = await removeAll(b, [{ Key: 'a', VersionId: one ?? '' }, { Key: 'a' }]);
    expect(Deleted).toMatchObject([
      { Key: 'a', VersionId: one },
      { Key: 'a', DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
    ]);
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket: b, Key: 'a' })))).toBe('404 NotFound');
  });

  test('more than a thousand are refused as a whole', async () => {
    const b = await makeBucket(s3, 'too-many');
    const named = Array.from({ length: 1001 }, (_, n) => ({ Key: `k${n}` }));
    expect(await outcome(removeAll(b, named))).toBe('400 MalformedXML');
    expect(await outcome(removeAll(b, []))).toBe('400 MalformedXML');
  });
});
