// Uploads in parts over the AWS SDK for JavaScript: order, checksums, copies of parts, what is named wrongly.
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { beforeAll, describe, expect, test } from 'vitest';
import { keptFiles, makeBucket, outcome, putText, s3Client, seenKeys } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'uploads';
const mebibyte = 1024 * 1024;
const five = Buffer.alloc(5 * mebibyte, 'windsock');
let s3: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  await makeBucket(s3, Bucket);
});

const begin = async (Key: string, more: object = {}) => {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  const put = async (
    PartNumber: number,
    Body: string | Buffer,
    with_: object = {},
  ): Promise<CompletedPart> => {
    const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...with_ }));
    const { $metadata: _, ServerSideEncryption: __, ...rest } = part;
    return { PartNumber, ...rest };
  };
  const complete = (Parts: readonly CompletedPart[], with_: object = {}) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        ...{ Bucket, Key, UploadId, MultipartUpload: { Parts: [...Parts] }, ...with_ },
      }),
    );
  const abort = () => s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  const list = (with_: object = {}) => s3.send(new ListPartsCommand({ Bucket, Key, UploadId, ...with_ }));
  return { UploadId, put, complete, abort, list };
};

const digest = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return createHash('sha256')
    .update((await Body?.transformToByteArray()) ?? '')
    .digest('hex');
};
const sha256 = (...parts: readonly (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

describe('what parts come to', () => {
  test.each<[ChecksumAlgorithm, ChecksumType]>([
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32', 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ])('%s %s', async (ChecksumAlgorithm, ChecksumType) => {
    const Key = `sum-${ChecksumAlgorithm}-${ChecksumType}`;
    const member = `Checksum${ChecksumAlgorithm}` as const;
    const { put, complete } = await begin(Key, { ChecksumAlgorithm, ChecksumType });
    const parts = [await put(1, five, { ChecksumAlgorithm }), await put(7, 'end', { ChecksumAlgorithm })];
    const done = await complete(parts, { ChecksumType });
    const md5s = parts.map(({ ETag = '' }) => Buffer.from(ETag.replaceAll('"', ''), 'hex'));
    expect(done.ETag).toBe(`"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-2"`);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ...{ ETag: done.ETag, ContentLength: five.length + 3, ChecksumType, [member]: done[member] },
    });
    expect(String(done[member]).endsWith('-2')).toBe(ChecksumType === 'COMPOSITE');
    expect(await digest(Key)).toBe(sha256(five, 'end'));
    const again = await begin(Key, { ChecksumAlgorithm, ChecksumType });
    const same = [
      await again.put(1, five, { ChecksumAlgorithm }),
      await again.put(7, 'end', { ChecksumAlgorithm }),
    ];
    const stating = (value: string | undefined) => again.complete(same, { ChecksumType, [member]: value });
    expect(await outcome(stating('no checksum'))).toBe('400 InvalidRequest');
    expect((await stating(done[member]))[member]).toBe(done[member]);
    const second = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
    expect(second).toMatchObject({
      ...{
        PartsCount: 2,
        ContentLength: 3,
        ContentRange: `bytes ${five.length}-${five.length + 2}/${five.length + 3}`,
      },
    });
    expect(await second.Body?.transformToString()).toBe('end');
  });

  test('a part that was put twice is the later one; those that are not named are gone', async () => {
    const { put, complete } = await begin('again');
    await put(1, 'first');
    await put(9, 'unnamed');
    await complete([await put(1, 'later')]);
    expect(await digest('again')).toBe(sha256('later'));
    expect(seenKeys(used.place, Bucket)).toContain('again');
  });

  test('parts that are copied, whole and in ranges', async () => {
    await putText(s3, Bucket, 'source', 'abcdefghij');
    const { UploadId, put, complete } = await begin('copied');
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const from = { CopySource: `${Bucket}/source`, ...(CopySourceRange ? { CopySourceRange } : {}) };
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({ Bucket, Key: 'copied', UploadId, PartNumber, ...from }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag };
    };
    expect(await outcome(copy(2, 'bytes=5-10'))).toMatch(/^4\d\d Invalid(Range|Argument)$/);
    const first = await put(1, five);
    const part = await copy(2, 'bytes=2-4');
    await complete([first, part]);
    expect(await digest('copied')).toBe(sha256(five, 'cde'));
  });

  test('the SDK’s own upload of a stream, with its metadata', async () => {
    const body = Buffer.alloc(12 * mebibyte, 'stream');
    const params = { Bucket, Key: 'managed', Body: body, Metadata: { by: 'lib' }, Tagging: 'a=1' };
    await new Upload({ client: s3, params, partSize: 5 * mebibyte, queueSize: 3 }).done();
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'managed' }));
    expect(head).toMatchObject({ Metadata: { by: 'lib' }, ETag: expect.stringMatching(/-3"$/) });
    expect(await digest('managed')).toBe(sha256(body));
  });
});

describe('what is named wrongly', () => {
  test('at the end: a part that is not there, another ETag, the wrong order, a part too small, none', async () => {
    const { put, complete } = await begin('wrong');
    const [one, two] = [await put(1, 'small'), await put(2, 'end')];
    const ends = (parts: readonly CompletedPart[]) => outcome(complete(parts));
    expect(await ends([one, { ...two, PartNumber: 3 }])).toBe('400 InvalidPart');
    expect(await ends([{ ...one, ETag: '"00000000000000000000000000000000"' }])).toBe('400 InvalidPart');
    expect(await ends([two, one])).toBe('400 InvalidPartOrder');
    expect(await ends([one, one])).toBe('400 InvalidPartOrder');
    expect(await ends([one, two])).toBe('400 EntityTooSmall');
    expect(await ends([])).toMatch(/^400 (MalformedXML|InvalidPart)$/);
    expect(await outcome(complete([one], { IfNoneMatch: '*' }))).toBe('ok');
    expect(await ends([one])).toBe('ok');
  });

  test('a checksum of the whole that is another one', async () => {
    const { put, complete } = await begin('sums', {
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
    });
    const parts = [await put(1, '123456789', { ChecksumAlgorithm: 'CRC32' })];
    const sum = { ChecksumType: 'FULL_OBJECT' };
    expect(await outcome(complete(parts, { ...sum, ChecksumCRC32: 'AAAAAA==' }))).toBe('400 BadDigest');
    expect(await outcome(complete(parts, { ...sum, ChecksumCRC32: 'y/Q5Jg==' }))).toBe('ok');
  });

  test('upload ids and part numbers that are none', async () => {
    const { put, abort } = await begin('numbers');
    expect(await outcome(put(0, 'x'))).toBe('400 InvalidArgument');
    expect(await outcome(put(10_001, 'x'))).toBe('400 InvalidArgument');
    await abort();
    expect(await outcome(put(1, 'x'))).toBe('404 NoSuchUpload');
    expect(await outcome(abort())).toMatch(/^(ok|404 NoSuchUpload)$/);
  });
});

describe('what goes on', () => {
  test('two completions at once make one version, and both are told of it', async () => {
    const { put, complete } = await begin('twice');
    const part = await put(1, 'once');
    const both = await Promise.all([complete([part]), complete([part])]);
    expect(new Set(both.map(({ ETag }) => ETag)).size).toBe(1);
    expect(await digest('twice')).toBe(sha256('once'));
  });

  test('parts and uploads are listed in pages, and an abort leaves nothing', async () => {
    const before = keptFiles(used.place, Bucket);
    const { put, abort, list, UploadId } = await begin('open/a');
    const other = await begin('open/b');
    for (const number of [3, 1, 2]) await put(number, `part ${number}`);
    const first = await list({ MaxParts: 2 });
    expect([first.IsTruncated, first.Parts?.map((p) => [p.PartNumber, p.Size])]).toEqual([
      ...[
        true,
        [
          [1, 6],
          [2, 6],
        ],
      ],
    ]);
    const rest = await list({ PartNumberMarker: first.NextPartNumberMarker });
    expect(rest.Parts?.map((p) => p.PartNumber)).toEqual([3]);
    const uploads = (more: object) =>
      s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'open/', ...more }));
    const page = await uploads({ MaxUploads: 1 });
    expect([page.IsTruncated, page.Uploads?.[0]?.UploadId]).toEqual([true, UploadId]);
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    expect((await uploads({ KeyMarker, UploadIdMarker })).Uploads?.map((u) => u.Key)).toEqual(['open/b']);
    expect(await outcome(uploads({ KeyMarker, UploadIdMarker: 'no_upload' }))).toBe('400 InvalidArgument');
    expect(seenKeys(used.place, Bucket).filter((key) => key.startsWith('open/'))).toEqual([]);
    await Promise.all([abort(), other.abort()]);
    const begun: (string | undefined)[] = [];
    for (let i = 0; i < 5; i += 1) {
      begun.push((await begin('open/same')).UploadId);
      await setTimeout(2);
    }
    expect((await uploads({})).Uploads?.map((u) => u.UploadId)).toEqual(begun);
    for (const UploadId of begun)
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'open/same', UploadId }));
    expect((await uploads({})).Uploads ?? []).toEqual([]);
    expect(keptFiles(used.place, Bucket)).toBe(before);
  });
});
