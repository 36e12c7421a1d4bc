// Objects over the AWS SDK for JavaScript: bytes, ranges, conditions, copies, checksums, metadata and tags.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeBucket, outcome, putText, s3Client } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'objects';
let s3: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  await makeBucket(s3, Bucket);
});

const md5 = (text: string | Buffer) => createHash('md5').update(text).digest('hex');
const get = async (Key: string, more: object = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...answer, text: (await answer.Body?.transformToString()) ?? '' };
};
const gets = (Key: string, more: object) => outcome(s3.send(new GetObjectCommand({ Bucket, Key, ...more })));
const puts = (Key: string, more: object) =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more })));

describe('bytes', () => {
  test.each([
    ['none', 0],
    ['one', 1],
    ['a chunk and one more', 65_537],
    ['more than is copied into the folder', 9 * 1024 * 1024 + 3],
  ])('%s: what is put is what is got', async (_, size) => {
    const bytes = Buffer.alloc(size, 'windsock ');
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'bytes', Body: bytes }));
    expect(put.ETag).toBe(`"${md5(bytes)}"`);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'bytes' }));
    expect([got.ContentLength, got.ETag]).toEqual([size, put.ETag]);
    expect(Buffer.compare(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes)).toBe(0);
  });

  test('a stream, which the SDK sends in unsigned chunks with a trailer', async () => {
    const Body = Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(7, 'b')]);
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: 100_007 }),
    );
    expect(put.ETag).toBe(`"${md5(`${'a'.repeat(100_000)}bbbbbbb`)}"`);
    expect((await get('streamed')).text.length).toBe(100_007);
  });

  test.each([
    ['bytes=0-0', 'a', 'bytes 0-0/10'],
    ['bytes=2-5', 'cdef', 'bytes 2-5/10'],
    ['bytes=7-', 'hij', 'bytes 7-9/10'],
    ['bytes=-2', 'ij', 'bytes 8-9/10'],
    ['bytes=-99', 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=8-99', 'ij', 'bytes 8-9/10'],
    ['bytes=5-2', 'abcdefghij', undefined],
    ['lines=1-2', 'abcdefghij', undefined],
  ])('range %s', async (Range, text, ContentRange) => {
    await putText(s3, Bucket, 'range', 'abcdefghij');
    const got = await get('range', { Range });
    expect([got.text, got.ContentRange, got.$metadata.httpStatusCode]).toEqual([
      ...[text, ContentRange],
      ContentRange === undefined ? 200 : 206,
    ]);
  });

  test('a range behind the end is refused with the size', async () => {
    await putText(s3, Bucket, 'range', 'abcdefghij');
    expect(await gets('range', { Range: 'bytes=10-' })).toBe('416 InvalidRange');
    expect(await gets('range', { Range: 'bytes=-0' })).toBe('416 InvalidRange');
  });
});

describe('conditions', () => {
  test('of reads', async () => {
    const { ETag = '' } = await putText(s3, Bucket, 'read', 'one');
    const { LastModified = new Date(0) } = await get('read');
    const before = new Date(LastModified.getTime() - 60_000);
    const cases: readonly [object, string][] = [
      [{ IfMatch: ETag }, 'ok'],
      [{ IfMatch: '*' }, 'ok'],
      [{ IfMatch: '"other"' }, '412 PreconditionFailed'],
      [{ IfNoneMatch: '"other"' }, 'ok'],
      [{ IfNoneMatch: ETag }, '304 Unknown'],
      [{ IfModifiedSince: before }, 'ok'],
      [{ IfModifiedSince: LastModified }, '304 Unknown'],
      [{ IfUnmodifiedSince: LastModified }, 'ok'],
      [{ IfUnmodifiedSince: before }, '412 PreconditionFailed'],
      // an ETag goes before a date
      [{ IfMatch: ETag, IfUnmodifiedSince: before }, 'ok'],
      [{ IfNoneMatch: ETag, IfModifiedSince: before }, '304 Unknown'],
    ];
    for (const [condition, expected] of cases)
      expect([condition, await gets('read', condition)]).toEqual([condition, expected]);
  });

  test('of writes: not over another one, and only over what was read', async () => {
    expect(await puts('new', { IfNoneMatch: '*' })).toBe('ok');
    expect(await puts('new', { IfNoneMatch: '*' })).toBe('412 PreconditionFailed');
    const { ETag } = await putText(s3, Bucket, 'new', 'two');
    expect(await puts('new', { IfMatch: '"other"' })).toBe('412 PreconditionFailed');
    expect(await puts('new', { IfMatch: ETag })).toBe('ok');
    expect(await puts('absent', { IfMatch: ETag })).toBe('404 NoSuchKey');
    expect((await get('new')).text).toBe('x');
  });

  test('ten writers at once that want to be the first: one is', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => puts('race', { IfNoneMatch: '*' })));
    expect(all.filter((one) => one === 'ok').length).toBe(1);
    expect(new Set(all)).toEqual(new Set(['ok', '412 PreconditionFailed']));
  });
});

describe('checksums', () => {
  const text = '123456789';
  test.each([
    ['CRC32', 'y/Q5Jg=='],
    ['CRC32C', '4waSgw=='],
    ['CRC64NVME', 'rosUhgp5mIg='],
    ['SHA1', createHash('sha1').update(text).digest('base64')],
    ['SHA256', createHash('sha256').update(text).digest('base64')],
  ] as const)('%s is checked, kept and given back', async (ChecksumAlgorithm, value) => {
    const Key = `sum-${ChecksumAlgorithm}`;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ChecksumAlgorithm }));
    expect(put).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: value, ChecksumType: 'FULL_OBJECT' });
    expect(await get(Key, { ChecksumMode: 'ENABLED' })).toMatchObject({
      ...{ text, ChecksumType: 'FULL_OBJECT', [`Checksum${ChecksumAlgorithm}`]: value },
    });
    const wrong = {
      [`Checksum${ChecksumAlgorithm}`]: Buffer.alloc(value.length > 12 ? 20 : 4).toString('base64'),
    };
    expect(await puts(`${Key}-wrong`, wrong)).toMatch(/^400 (BadDigest|InvalidRequest)$/);
    expect(await gets(`${Key}-wrong`, {})).toBe('404 NoSuchKey');
  });
});

describe('what goes with the bytes', () => {
  const facts = {
    ContentType: 'text/x-python',
    CacheControl: 'no-cache',
    ContentDisposition: 'attachment; filename="a.py"',
    ContentEncoding: 'identity',
    ContentLanguage: 'en',
    Metadata: { team: 'data', 'long-name': 'a b  c' },
  };

  test('headers and metadata come back with GET and HEAD', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'facts', Body: 'x', ...facts }));
    expect(await get('facts')).toMatchObject(facts);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'facts' }))).toMatchObject(facts);
  });

  test('a copy has them, or others', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from', Body: 'x', ...facts, Tagging: 'a=1&b=2' }));
    const copy = (Key: string, more: object = {}) =>
      s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/from`, ...more }));
    const { CopyObjectResult: r } = await copy('same');
    expect(r?.ETag).toBe(`"${md5('x')}"`);
    expect(await get('same')).toMatchObject({ text: 'x', ...facts, TagCount: 2 });
    await copy('other', {
      ...{ MetadataDirective: 'REPLACE', Metadata: { new: '1' }, TaggingDirective: 'REPLACE' },
    });
    const other = await get('other');
    expect([other.Metadata, other.CacheControl, other.TagCount]).toEqual([
      { new: '1' },
      undefined,
      undefined,
    ]);
    expect(await outcome(copy('from'))).toBe('400 InvalidRequest');
    expect(await outcome(copy('from', { MetadataDirective: 'REPLACE', Metadata: { n: '2' } }))).toBe('ok');
    expect(await outcome(copy('no', { CopySourceIfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await outcome(copy('no', { CopySource: `${Bucket}/nothing` }))).toBe('404 NoSuchKey');
  });

  test('tags are put, changed, counted and removed', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'tags', Body: 'x', Tagging: 'team=a%20b&x=' }));
    const tags = async () =>
      (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tags' }))).TagSet?.map(
        (t) => `${t.Key}=${t.Value}`,
      );
    expect(await tags()).toEqual(['team=a b', 'x=']);
    const TagSet = [{ Key: 'ü', Value: 'y+z/@:' }];
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'tags', Tagging: { TagSet } }));
    expect(await tags()).toEqual(['ü=y+z/@:']);
    expect((await get('tags')).TagCount).toBe(1);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tags' }));
    expect(await tags()).toEqual([]);
    const many = Array.from({ length: 11 }, (_, n) => `t${n}=1`).join('&');
    expect(await puts('tags', { Tagging: many })).toMatch(/^400 (BadRequest|InvalidTag)$/);
  });

  test('what is gone is gone, and may be deleted again', async () => {
    await putText(s3, Bucket, 'gone', 'x');
    for (let round = 0; round < 2; round += 1)
      await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    expect(await gets('gone', {})).toBe('404 NoSuchKey');
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: 'gone' })))).toBe('404 NotFound');
  });
});
