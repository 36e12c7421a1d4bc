// Lists over the AWS SDK for JavaScript: order, prefixes, delimiters, encoding, pages of all four.
import {
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeBucket, outcome, putText, s3Call, s3Client } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'lists';
const keys = ['!first', 'a b+c&d', 'dags/a.py', 'dags/sub/b.py', 'dags/sub/c.py', 'z', '|', 'Ä/ü', '☃', '😀'];
let s3: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  await makeBucket(s3, Bucket);
  await Promise.all([...keys].reverse().map((key) => putText(s3, Bucket, key, key)));
});

const list = async (more: object = {}) => {
  const page = await s3.send(new ListObjectsV2Command({ Bucket, ...more }));
  return {
    ...{ page, keys: (page.Contents ?? []).map(({ Key }) => Key) },
    prefixes: (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
  };
};

describe('objects', () => {
  test('come in the order of their UTF-8 bytes, each with its size and ETag', async () => {
    const { page, keys: found } = await list();
    expect(found).toEqual(keys);
    expect(page.Contents?.[0]).toMatchObject({ Size: 6, StorageClass: 'STANDARD', ETag: expect.any(String) });
    expect([page.KeyCount, page.IsTruncated]).toEqual([keys.length, false]);
  });

  test.each([
    [{ Prefix: 'dags/' }, ['dags/a.py', 'dags/sub/b.py', 'dags/sub/c.py'], []],
    [{ Prefix: 'dags/', Delimiter: '/' }, ['dags/a.py'], ['dags/sub/']],
    [{ Delimiter: '/' }, ['!first', 'a b+c&d', 'z', '|', '☃', '😀'], ['dags/', 'Ä/']],
    [{ Prefix: 'dags', Delimiter: '/' }, [], ['dags/']],
    [{ Prefix: 'dags/', Delimiter: 'sub' }, ['dags/a.py'], ['dags/sub']],
    [{ Prefix: 'nothing' }, [], []],
    [{ StartAfter: 'z' }, ['|', 'Ä/ü', '☃', '😀'], []],
    [{ StartAfter: 'dags/a.py', Prefix: 'dags/' }, ['dags/sub/b.py', 'dags/sub/c.py'], []],
  ])('%j', async (more, contents, prefixes) => {
    const found = await list(more);
    expect([found.keys, found.prefixes]).toEqual([contents, prefixes]);
  });

  test('encoded, where XML could not carry them', async () => {
    const answer = await s3Call(used.place, { path: `/${Bucket}?encoding-type=url&list-type=2` });
    expect(answer.text).toContain('<Key>a%20b%2Bc%26d</Key>');
    expect(answer.text).toContain('<Key>%C3%84/%C3%BC</Key>');
    await putText(s3, Bucket, 'control\u0001', 'x');
    expect((await list({ Prefix: 'control', EncodingType: 'url' })).keys).toEqual(['control%01']);
  });

  test.each([1, 2, 3])('in pages of %i, objects and prefixes together', async (pageSize) => {
    const found: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize }, { Bucket, Delimiter: '/' })) {
      expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      found.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    }
    expect(found.filter((key) => !key?.startsWith('control')).sort()).toEqual(
      ['!first', 'a b+c&d', 'dags/', 'z', '|', 'Ä/', '☃', '😀'].sort(),
    );
  });

  test('the older list goes on by markers', async () => {
    const v1 = (more: object) => s3.send(new ListObjectsCommand({ Bucket, ...more }));
    const first = await v1({ MaxKeys: 3, Delimiter: '/' });
    expect([first.IsTruncated, first.NextMarker]).toEqual([true, expect.any(String)]);
    const second = await v1({ Marker: 'z', Prefix: '' });
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['|', 'Ä/ü', '☃', '😀']);
    expect(first.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  test('what is no number, token or encoding is refused', async () => {
    expect(await outcome(list({ MaxKeys: -1 }))).toBe('400 InvalidArgument');
    expect(await outcome(list({ ContinuationToken: 'made-up' }))).toBe('400 InvalidArgument');
    expect(await outcome(list({ EncodingType: 'utf' }))).toBe('400 InvalidArgument');
    expect((await list({ MaxKeys: 0 })).keys).toEqual([]);
    const { page } = await list({ MaxKeys: 1 });
    const { NextContinuationToken: ContinuationToken } = page;
    expect(await outcome(list({ ContinuationToken, Prefix: 'dags/' }))).toBe('400 InvalidArgument');
    expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'no-bucket' })))).toBe(
      '404 NoSuchBucket',
    );
  });

  test.each(['../', '../../', 'dags/../', './', '/', '//'])(
    'nothing outside has the prefix %s',
    async (Prefix) => {
      expect(await list({ Prefix })).toMatchObject({ keys: [], prefixes: [] });
    },
  );
});

test('versions come in pages, the newest of a key first', async () => {
  const b = await makeBucket(s3, 'list-versions');
  for (const key of ['a', 'b']) for (const n of [1, 2, 3]) await putText(s3, b, key, `${n}`);
  const whole = await s3.send(new ListObjectVersionsCommand({ Bucket: b }));
  expect(whole.Versions?.map((v) => [v.Key, v.IsLatest])).toEqual([
    ...[
      ['a', true],
      ['a', false],
      ['a', false],
      ['b', true],
      ['b', false],
      ['b', false],
    ],
  ]);
  const found: (string | undefined)[] = [];
  let [KeyMarker, VersionIdMarker]: readonly (string | undefined)[] = [];
  for (let rounds = 0; rounds < 10; rounds += 1) {
    const page: typeof whole = await s3.send(
      new ListObjectVersionsCommand({ Bucket: b, MaxKeys: 2, KeyMarker, VersionIdMarker }),
    );
    found.push(...(page.Versions ?? []).map((v) => v.VersionId));
    ({ NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page);
    if (!page.IsTruncated) break;
  }
  expect(found).toEqual(whole.Versions?.map((v) => v.VersionId));
});

test('buckets are listed with their dates', async () => {
  const { Buckets } = await s3.send(new ListBucketsCommand());
  expect(Buckets?.map(({ Name }) => Name)).toEqual(expect.arrayContaining([Bucket, 'list-versions']));
  expect(Buckets?.every(({ CreationDate }) => (CreationDate?.getTime() ?? 0) > 1e12)).toBe(true);
});
