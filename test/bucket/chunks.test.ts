// Bodies in chunks as the bytes of a socket (A74): signed, with a trailer, unsigned from this machine; and each fault.
import { crc32 } from 'node:zlib';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { keptFiles, makeBucket, outcome, s3Client, seenKeys } from '../harness/s3.ts';
import { statusOf } from '../harness/socket.ts';
import { useServer } from '../harness/use-server.ts';
import { type Kind, sendUpload, type Upload } from './chunks.ts';

const used = useServer();
const Bucket = 'chunks';
let s3: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  await makeBucket(s3, Bucket);
});

const chunks = ['a'.repeat(8192), 'b'.repeat(8192), 'end'];
const sum = Buffer.alloc(4);
sum.writeUInt32BE(crc32(chunks.join('')));
const trailer = `x-amz-checksum-crc32:${sum.toString('base64')}`;
const upload = (kind: Kind, Key: string, more: Partial<Upload> = {}): Upload => ({
  ...{ kind, path: `/${Bucket}/${Key}`, chunks },
  ...(kind === 'signed' ? {} : { trailer }),
  ...more,
});
const send = async (o: Upload) => {
  const answer = await sendUpload(used.place, o);
  return `${statusOf(answer)} ${/<Code>([^<]*)/.exec(answer)?.[1] ?? ''}`.trim();
};
const kinds: readonly Kind[] = ['signed', 'signed-trailer', 'unsigned-trailer'];

test.each(kinds)('%s: the bytes of the chunks are the object', async (kind) => {
  expect(await send(upload(kind, kind))).toBe('200');
  const { Body, ContentEncoding } = await s3.send(new GetObjectCommand({ Bucket, Key: kind }));
  expect([await Body?.transformToString(), ContentEncoding]).toEqual([chunks.join(''), undefined]);
});

/** One line changed, found by what it is. */
const line =
  (is: RegExp, to: (found: string) => string, nth = 0) =>
  (lines: string[]) => {
    const at = lines.flatMap((one, n) => (is.test(one) ? [n] : []))[nth] ?? -1;
    return lines.map((one, n) => (n === at ? to(one) : one));
  };
const flipped = (text: string) => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'));

const faults: readonly [what: string, kinds: readonly Kind[], more: Partial<Upload>][] = [
  [
    'a chunk’s signature that is another one',
    ['signed', 'signed-trailer'],
    { edit: line(/chunk-signature/, flipped, 1) },
  ],
  ['the last chunk’s signature', ['signed', 'signed-trailer'], { edit: line(/^0;/, flipped) }],
  ['the trailer’s signature', ['signed-trailer'], { edit: line(/trailer-signature/, flipped) }],
  [
    'a chunk without signature',
    ['signed', 'signed-trailer'],
    { edit: line(/chunk-signature/, (l) => l.replace(/;.*/, '')) },
  ],
  ['other bytes in a chunk', ['signed', 'signed-trailer'], { edit: line(/^b+$/, flipped) }],
  [
    'chunks that changed places',
    ['signed', 'signed-trailer'],
    { edit: ([a = '', b = '', c = '', d = '', ...rest]) => [c, d, a, b, ...rest] },
  ],
  ['other bytes under a checksum', ['unsigned-trailer'], { edit: line(/^b+$/, flipped) }],
  [
    'a checksum that is another one',
    ['signed-trailer', 'unsigned-trailer'],
    { trailer: 'x-amz-checksum-crc32:AAAAAA==' },
  ],
  [
    'a trailer that is not the one announced',
    ['unsigned-trailer'],
    { edit: line(/^x-amz-checksum/, () => 'x-amz-checksum-sha1:AAAA') },
  ],
  ['no last chunk', kinds, { edit: (lines) => lines.slice(0, 6) }],
  ['an end within a chunk', kinds, { edit: (lines) => [...lines.slice(0, 2), lines[2] ?? '', 'bbb'] }],
  ['more bytes than were announced', kinds, { decodedLength: 100 }],
  ['fewer bytes than were announced', kinds, { decodedLength: 100_000 }],
  ['a size that is none', kinds, { edit: line(/^2000/, (l) => l.replace('2000', 'zz')) }],
  [
    'a size beyond every number',
    kinds,
    { edit: line(/^2000/, (l) => l.replace('2000', 'FFFFFFFFFFFFFFFF')) },
  ],
  ['a negative size', kinds, { edit: line(/^2000/, (l) => l.replace('2000', '-1')) }],
  ['something behind the end', kinds, { edit: (lines) => [...lines, 'more'] }],
];

describe('a fault refuses the whole, and nothing of it is there', () => {
  test.each(faults)('%s', async (_, of, more) => {
    const before = keptFiles(used.place, Bucket);
    for (const kind of of) {
      expect([kind, await send(upload(kind, 'bad', more))]).toEqual([
        kind,
        expect.stringMatching(/^4\d\d \w+$/),
      ]);
      expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: 'bad' })))).toBe('404 NoSuchKey');
    }
    expect(seenKeys(used.place, Bucket)).not.toContain('bad');
    expect(keptFiles(used.place, Bucket)).toBe(before);
  });
});
