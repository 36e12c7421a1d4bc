// The bodies that clients of S3 send, as XML.

import { describe, expect, test } from 'vitest';
import type { AwsError } from '../contract/errors.ts';
import { readCreateBucket, readPublicAccessBlock, readVersioning } from './read-bucket-settings.ts';
import { readCompleteUpload } from './read-complete-upload.ts';
import { readDelete } from './read-delete.ts';
import { checkedTags, readTagging } from './read-tagging.ts';

type Reader = (body: Uint8Array) => Promise<unknown>;
const namespace = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const read = <T>(reader: (body: Uint8Array) => Promise<T>, xml: string): Promise<T> =>
  reader(Buffer.from(xml));
const outcome = (reader: Reader, xml: string): Promise<string> =>
  read(reader, xml).then(
    () => 'read',
    (e: AwsError) => e.code,
  );

describe('Delete', () => {
  test('as boto3 and others write it', async () => {
    const xml = `<Delete${namespace}><Object><Key> a b</Key></Object><Object><Key>c</Key><VersionId>v</VersionId><ETag>"e"</ETag></Object><Quiet>true</Quiet></Delete>`;
    expect(await read(readDelete, xml)).toEqual({
      isQuiet: true,
      objects: [
        { key: ' a b', versionId: undefined, ifMatch: undefined },
        { key: 'c', versionId: 'v', ifMatch: 'e' },
      ],
    });
    const one = '<Object><Key>a</Key></Object>';
    expect(await read(readDelete, `<Delete>\n  ${one}\n</Delete>`)).toMatchObject({ isQuiet: false });
    expect((await read(readDelete, `<Delete>${one.repeat(1000)}</Delete>`)).objects).toHaveLength(1000);
  });

  test.each([
    ['<Delete/>', 'MalformedXML'],
    ['<Deletes><Object><Key>a</Key></Object></Deletes>', 'MalformedXML'],
    ['<Delete><Object/></Delete>', 'MalformedXML'],
    ['<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>', 'MalformedXML'],
    ['<Delete><Object><Key><b/></Key></Object></Delete>', 'MalformedXML'],
    ['<Delete><Object><Key>a</Key>text</Object></Delete>', 'MalformedXML'],
    ['<Delete><Object><Key>a</Key><Other/></Object></Delete>', 'MalformedXML'],
    ['<Delete><Object><Key>a</Key></Object><Quiet>yes</Quiet></Delete>', 'MalformedXML'],
    [`<Delete>${'<Object><Key>a</Key></Object>'.repeat(1001)}</Delete>`, 'MalformedXML'],
    ['<Delete><Object><Key>a</Key><Size>1</Size></Object></Delete>', 'NotImplemented'],
  ])('%.70s is refused', async (xml, code) => {
    expect(await outcome(readDelete, xml)).toBe(code);
  });
});

describe('CompleteMultipartUpload', () => {
  const of = (parts: string) => `<CompleteMultipartUpload${namespace}>${parts}</CompleteMultipartUpload>`;
  const part = (number: string, more = '') =>
    `<Part><PartNumber>${number}</PartNumber><ETag>&quot;abc&quot;</ETag>${more}</Part>`;

  test('as the SDKs write it', async () => {
    const checksum = '<ChecksumCRC32>AAAAAA==</ChecksumCRC32>';
    const xml = of(`${part('2')}<Part><ETag>d</ETag>${checksum}<PartNumber>10000</PartNumber></Part>`);
    expect(await read(readCompleteUpload, xml)).toEqual([
      { number: 2, etag: 'abc' },
      { number: 10_000, etag: 'd', checksum: { name: 'CRC32', value: 'AAAAAA==' } },
    ]);
  });

  test('with as many parts as there may be, and all that they may hold', async () => {
    const more = `<ChecksumSHA256>${'A'.repeat(43)}=</ChecksumSHA256>`;
    const parts = Array.from({ length: 10_000 }, (_, i) => part(`${i + 1}`, more)).join('');
    expect(await read(readCompleteUpload, of(parts))).toHaveLength(10_000);
  });

  test('without holding the event loop', async () => {
    const xml = Buffer.from(of(Array.from({ length: 10_000 }, (_, i) => part(`${i + 1}`)).join('')));
    let [longest, isRead, before] = [0, false, process.threadCpuUsage()];
    const look = () => {
      const { user } = process.threadCpuUsage(before);
      longest = Math.max(longest, user / 1_000);
      before = process.threadCpuUsage();
      if (!isRead) setImmediate(look);
    };
    look();
    await readCompleteUpload(xml);
    look();
    isRead = true;
    expect(longest).toBeLessThan(60);
  });

  test.each<readonly [string, string]>([
    [of(''), 'MalformedXML'],
    [of('<Part><PartNumber>1</PartNumber></Part>'), 'MalformedXML'],
    [of('<Part><ETag>a</ETag></Part>'), 'MalformedXML'],
    [of(part('1', '<ChecksumCRC32>a</ChecksumCRC32><ChecksumSHA1>b</ChecksumSHA1>')), 'MalformedXML'],
    [of(part('1').repeat(10_001)), 'MalformedXML'],
    ...['0', '-1', '10001', '1e3', 'x', ''].map((number) => [of(part(number)), 'InvalidArgument'] as const),
  ])('%.170s is refused', async (xml, code) => {
    expect(await outcome(readCompleteUpload, xml)).toBe(code);
  });
});

describe('VersioningConfiguration', () => {
  const of = (inner: string) => `<VersioningConfiguration${namespace}>${inner}</VersioningConfiguration>`;

  test('names a status', async () => {
    expect(await read(readVersioning, of('<Status>Enabled</Status>'))).toBe('Enabled');
    const xml = of('<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status>');
    expect(await read(readVersioning, xml)).toBe('Suspended');
  });

  test.each([
    ['', 'MalformedXML'],
    ['<Status>Unset</Status>', 'MalformedXML'],
    ['<Status>Enabled</Status><MfaDelete>x</MfaDelete>', 'MalformedXML'],
    ['<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>', 'NotImplemented'],
  ])('%s is refused', async (inner, code) => {
    expect(await outcome(readVersioning, of(inner))).toBe(code);
  });
});

describe('PublicAccessBlockConfiguration', () => {
  test('blocks what it names', async () => {
    const xml = `<PublicAccessBlockConfiguration${namespace}><BlockPublicAcls>TRUE</BlockPublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><IgnorePublicAcls>false</IgnorePublicAcls></PublicAccessBlockConfiguration>`;
    expect(await read(readPublicAccessBlock, xml)).toEqual({
      ...{ BlockPublicAcls: true, BlockPublicPolicy: true },
      ...{ IgnorePublicAcls: false, RestrictPublicBuckets: false },
    });
  });

  test('has no other value', async () => {
    const xml =
      '<PublicAccessBlockConfiguration><BlockPublicAcls>1</BlockPublicAcls></PublicAccessBlockConfiguration>';
    expect(await outcome(readPublicAccessBlock, xml)).toBe('MalformedXML');
  });
});

describe('CreateBucketConfiguration', () => {
  const of = (inner: string) => `<CreateBucketConfiguration${namespace}>${inner}</CreateBucketConfiguration>`;

  test('may name a Region', async () => {
    expect(await read(readCreateBucket, '')).toBeUndefined();
    expect(await read(readCreateBucket, of(''))).toBeUndefined();
    const xml = of('<LocationConstraint>eu-west-1</LocationConstraint>');
    expect(await read(readCreateBucket, xml)).toBe('eu-west-1');
  });

  test('of a directory bucket is refused', async () => {
    expect(await outcome(readCreateBucket, of('<Bucket><Type>Directory</Type></Bucket>'))).toBe(
      'NotImplemented',
    );
    expect(await outcome(readCreateBucket, of('<Other/>'))).toBe('MalformedXML');
  });
});

describe('Tagging', () => {
  const tag = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  const of = (tags: string) => `<Tagging${namespace}><TagSet>${tags}</TagSet></Tagging>`;

  test('has tags in order', async () => {
    expect(await read(readTagging, of(tag('b', 'Grün 1') + tag('a', '')))).toEqual([
      ['b', 'Grün 1'],
      ['a', ''],
    ]);
    expect(await read(readTagging, of(''))).toEqual([]);
  });

  test.each([
    ['<Tagging/>', 'MalformedXML'],
    [of('<Tag><Key>a</Key></Tag>'), 'MalformedXML'],
    [of(tag('a', '1') + tag('a', '2')), 'InvalidTag'],
    [of(tag('', '1')), 'InvalidTag'],
    [of(tag('a'.repeat(129), '1')), 'InvalidTag'],
    [of(tag('a', '1'.repeat(257))), 'InvalidTag'],
    [of(tag('aws:x', '1')), 'InvalidTag'],
    [of(tag('a', 'b&lt;')), 'InvalidTag'],
    [of(Array.from({ length: 11 }, (_, i) => tag(`a${i}`, '')).join('')), 'BadRequest'],
  ])('%.90s is refused', async (xml, code) => {
    expect(await outcome(readTagging, xml)).toBe(code);
  });

  test('is checked the same when it comes in a header', () => {
    expect(checkedTags([['a', 'b']])).toEqual([['a', 'b']]);
    expect(() => checkedTags([['aws:a', 'b']])).toThrow('System tags');
  });
});
