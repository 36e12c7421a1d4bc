// Requests as the bytes of a socket: cut, stalled, without a body to come, with keys that no file has, and wrong claims.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { Iam } from '../harness/iam.ts';
import { rootKey } from '../harness/mwaa.ts';
import type { Key } from '../harness/raw.ts';
import {
  keptFiles,
  makeBucket,
  outcome,
  plainCall,
  putText,
  s3Call,
  s3Client,
  seenKeys,
} from '../harness/s3.ts';
import { amzDate, sha, signedBytes } from '../harness/sign.ts';
import { exchangePlain, statusOf } from '../harness/socket.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'bad-input';
let s3: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  await makeBucket(s3, Bucket);
});

const gets = (Key: string) => outcome(s3.send(new GetObjectCommand({ Bucket, Key })));
const host = () => `127.0.0.1:${used.place.ports.api}`;

/** A head of a PUT that promises `length` bytes. */
const head = (
  path: string,
  length: number,
  more: { payload?: string; key?: Key; headers?: [string, string][] } = {},
) => {
  const { payload = 'UNSIGNED-PAYLOAD', key = rootKey(used.place), headers = [] } = more;
  const date = amzDate();
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  return signedBytes(
    {
      ...{
        method: 'PUT',
        target: path,
        host: `localhost:${used.place.ports.api}`,
        key,
        scope,
        date,
        payload,
      },
      headers: [['X-Amz-Content-Sha256', payload], ...headers],
    },
    (lines) => [...lines, `Content-Length: ${length}`],
  );
};
const codeOf = (answer: string) => `${statusOf(answer)} ${/<Code>([^<]*)/.exec(answer)?.[1] ?? ''}`.trim();

/** Sends so much and ends the connection: `hangs up` the whole of it, or only its own side. */
const cut = (bytes: string, how: 'destroy' | 'end') =>
  new Promise<void>((resolve) => {
    const socket = connect(used.place.ports.api, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(bytes, () => (how === 'end' ? socket.end() : socket.destroy()));
  });

describe('an upload that is cut', () => {
  test.each([0, 1, 100, 65_536, 99_999])(
    'after %i bytes of its body leaves nothing, and what was there stays',
    async (n) => {
      await putText(s3, Bucket, 'cut', 'before');
      const before = keptFiles(used.place, Bucket);
      for (const how of ['destroy', 'end'] as const)
        await cut(head(`/${Bucket}/cut`, 100_000) + 'x'.repeat(n), how);
      // the server sees the end of a connection in its own time
      await until('nothing of it is kept', 20, () => keptFiles(used.place, Bucket) === before, 20);
      expect(await gets('cut')).toBe('ok');
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'cut' }));
      expect(await Body?.transformToString()).toBe('before');
    },
  );

  test('that falls silent is ended after half a minute', async () => {
    const before = keptFiles(used.place, Bucket);
    const answer = await exchangePlain(host(), `${head(`/${Bucket}/silent`, 100_000)}some`, 45);
    expect(codeOf(answer)).toMatch(/^40[08]( RequestTimeout)?$/);
    expect([await gets('silent'), keptFiles(used.place, Bucket)]).toEqual(['404 NoSuchKey', before]);
  });
});

describe('a body that is not what was said', () => {
  const puts = (headers: [string, string][], payload = sha('body')) =>
    exchangePlain(host(), `${head(`/${Bucket}/claims`, 4, { payload, headers: headers })}body`);
  const md5 = (text: string) => createHash('md5').update(text).digest('base64');

  test.each<[string, [string, string][], string | undefined, string]>([
    ['nothing wrong', [['Content-MD5', md5('body')]], undefined, '200'],
    ['another SHA-256', [], sha('other'), '400 XAmzContentSHA256Mismatch'],
    ['another MD5', [['Content-MD5', md5('other')]], undefined, '400 BadDigest'],
    ['no MD5', [['Content-MD5', 'x']], undefined, '400 InvalidDigest'],
    ['another CRC32', [['x-amz-checksum-crc32', 'AAAAAA==']], undefined, '400 BadDigest'],
    ['no CRC32', [['x-amz-checksum-crc32', '!']], undefined, '400 InvalidRequest'],
    [
      'a checksum of a kind that there is not',
      [['x-amz-checksum-md4', 'AAAA']],
      undefined,
      '501 NotImplemented',
    ],
    ['a hash that is none', [], 'nonsense', '400 InvalidArgument'],
  ])('%s', async (_, headers, payload, expected) => {
    expect(codeOf(await puts(headers, payload))).toBe(expected);
  });

  test('without a length', async () => {
    const bytes = head(`/${Bucket}/claims`, 0);
    expect(codeOf(await exchangePlain(host(), bytes.replace(/Content-Length: 0\r\n/, '')))).toBe(
      '411 MissingContentLength',
    );
    const chunked = bytes.replace(/Content-Length: 0/, 'Transfer-Encoding: chunked');
    expect(codeOf(await exchangePlain(host(), `${chunked}0\r\n\r\n`))).toMatch(/^411 MissingContentLength$/);
  });
});

test('who may not write is told before he sends: no 100 Continue', async () => {
  const key = await new Iam(used.place).user('reader');
  const asks = (who: Key) =>
    exchangePlain(
      host(),
      head(`/${Bucket}/expect`, 1_000_000, { key: who, headers: [['Expect', '100-continue']] }),
      1,
    );
  const refused = await asks(key);
  expect([codeOf(refused), refused.includes('100 Continue')]).toEqual(['403 AccessDenied', false]);
  expect(codeOf(await asks({ ...rootKey(used.place), secretAccessKey: 'wrong' }))).toBe(
    '403 SignatureDoesNotMatch',
  );
  expect(await asks(rootKey(used.place))).toMatch(/^HTTP\/1\.1 100 Continue/);
});

describe('keys', () => {
  const call = (method: string, key: string, body?: string) =>
    s3Call(used.place, { method, path: `/${Bucket}/${key}`, ...(body === undefined ? {} : { body }) });

  test('every odd character of a name comes back as it was', async () => {
    const odd = Array.from({ length: 126 }, (_, n) => String.fromCharCode(n + 1))
      .filter((c) => c !== '/')
      .join('');
    for (const key of [odd, 'é', 'e\u0301', 'A', 'a', '😀 ☃', '…/ .. /...', '%2F%00', '-rf', 'C:\\x']) {
      expect([key, await outcome(putText(s3, Bucket, `odd/${key}`, key))]).toEqual([key, 'ok']);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `odd/${key}` }));
      expect(await Body?.transformToString()).toBe(key);
    }
    expect(seenKeys(used.place, Bucket)).toEqual(
      expect.arrayContaining([`odd/${odd}`, 'odd/é', 'odd/e\u0301']),
    );
  });

  test('1,024 bytes are a key, one more is none', async () => {
    const key = [255, 255, 255, 200, 55].map((n) => 'k'.repeat(n)).join('/');
    expect(key.length).toBe(1024);
    expect((await call('PUT', key, 'x')).status).toBe(200);
    expect((await call('GET', key)).text).toBe('x');
    expect(await call('PUT', `${key}k`, 'x')).toMatchObject({ status: 400, code: 'KeyTooLongError' });
    expect(await call('GET', 'k'.repeat(1025))).toMatchObject({ status: 400, code: 'KeyTooLongError' });
    expect(await call('PUT', 'k'.repeat(256), 'x')).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  const bad = ['%2E%2E/x', 'a/%2E%2E/%2E%2E/x', '%2Fetc/x', 'a//b', 'a/%2E/b', 'a%00b', '.windsock-tmp-x'];
  test.each(bad)('%s is stored nowhere and read nowhere (A58)', async (key) => {
    const before = seenKeys(used.place, '.');
    const put = await call('PUT', key, 'x');
    expect([put.status, put.code]).toEqual([400, expect.stringMatching(/^Invalid(Argument|URI)$/)]);
    expect([404, 400]).toContain((await call('GET', key)).status);
    expect([204, 400]).toContain((await call('DELETE', key)).status);
    expect(seenKeys(used.place, '.')).toEqual(before);
  });

  test('bytes that are no UTF-8 are no key', async () => {
    for (const key of ['%FF', 'a%C3', '%ED%A0%80'])
      expect([key, codeOf(await exchangePlain(host(), head(`/${Bucket}/${key}`, 0)))]).toEqual([
        ...[key, '400 InvalidURI'],
      ]);
  });

  test('no key leads to a file of the server or of another bucket', async () => {
    await putText(s3, await makeBucket(s3, 'bad-neighbour'), 'x', 'theirs');
    const secrets = '%2E%2E/%2E%2E/secrets/root-access-key.json';
    for (const key of [secrets, '%2E%2E/bad-neighbour/x', 'a/%2E%2E/%2E%2E/bad-neighbour/x'])
      for (const method of ['GET', 'HEAD']) expect((await call(method, key)).status).toBe(404);
    await call('DELETE', '%2E%2E/bad-neighbour/x');
    expect(seenKeys(used.place, 'bad-neighbour')).toEqual(['x']);
    const copied = await s3Call(used.place, {
      ...{
        method: 'PUT',
        path: `/${Bucket}/copied`,
        headers: { 'x-amz-copy-source': `${Bucket}/${secrets}` },
      },
    });
    expect([copied.status, await gets('copied')]).toEqual([404, '404 NoSuchKey']);
  });
});

test('who signs nothing gets nothing', async () => {
  for (const path of [`/${Bucket}`, `/${Bucket}/cut`, `/${Bucket}?policy`, '/nobody-has-it'])
    expect(await plainCall(used.place, { path })).toMatchObject({ status: 403, code: 'AccessDenied' });
  const put = await plainCall(used.place, { method: 'PUT', path: `/${Bucket}/x`, body: 'x' });
  expect(put).toMatchObject({ status: 403, code: 'AccessDenied' });
});
