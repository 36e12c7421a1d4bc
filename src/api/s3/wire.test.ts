// What a socket sees of S3: which requests are its own, what is read when, and how large answers go out.
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, createApiServer } from '../server.ts';
import { signedHeaders } from '../testing.ts';
import { type Given, type S3World, s3, s3World, sendRaw, signed, userWith } from './test-client.ts';

let world: S3World;
let server: ApiServer | undefined;
beforeEach(async () => {
  world = s3World();
  await s3(world, 'PUT', '/bkt');
});
afterEach(() => server?.close());

const start = async (): Promise<number> => {
  server = createApiServer(world.deps, 1_500);
  return (await server.listen(0)).port;
};

/** A connection, with all that has come over it so far. */
const open = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  await new Promise((resolve) => socket.once('connect', resolve));
  const saying = async (part: string): Promise<string> => {
    while (!text.includes(part) && !socket.destroyed) await delay(5);
    return text;
  };
  return { socket, closed, saying, soFar: () => text };
};

const headOf = (method: string, target: string, headers: Readonly<Record<string, string>>): string => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
};

const signedHead = async (method: string, target: string, given: Given = {}): Promise<string> => {
  const { target: whole, headers } = await signed(method, target, given);
  return headOf(method, whole, headers);
};

const untilClosed = async (port: number, ...parts: readonly (string | Buffer)[]): Promise<string> => {
  const { socket, closed } = await open(port);
  for (const part of parts) socket.write(part);
  return closed;
};

const last = { connection: 'close' };
const unsigned = (method: string, target: string, more: Readonly<Record<string, string>> = {}) =>
  headOf(method, target, { host: 'localhost', ...last, ...more });

describe('a request is for S3', () => {
  test('by its signing name, whatever its path is', async () => {
    const port = await start();
    const list = await untilClosed(port, await signedHead('GET', '/', { headers: last }));
    expect(list).toMatch(/^HTTP\/1\.1 200 .*<ListAllMyBucketsResult /s);
    for (const path of ['/environments', '/health', '/tags/x', '/restapi/x'])
      expect(await untilClosed(port, await signedHead('GET', path, { headers: last }))).toMatch(
        /^HTTP\/1\.1 404 .*<Code>NoSuchBucket<\/Code>/s,
      );
  });

  test('also in the query of a presigned URL', async () => {
    const query = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20260101/us-east-1/s3/aws4_request';
    const answer = await untilClosed(await start(), unsigned('GET', `/environments?${query}`));
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*<Code>AuthorizationQueryParametersError</s);
  });

  test('without a signature only where no other path is', async () => {
    const port = await start();
    expect(await untilClosed(port, unsigned('GET', '/bkt/a'))).toMatch(
      /^HTTP\/1\.1 403 .*content-type: application\/xml.*<Code>AccessDenied</s,
    );
    expect(await untilClosed(port, unsigned('GET', '/'))).toMatch(/^HTTP\/1\.1 200 .*"Windsock"/s);
    expect(await untilClosed(port, unsigned('GET', '/health'))).toMatch(/^HTTP\/1\.1 200 .*healthy/s);
    expect(await untilClosed(port, unsigned('GET', '/environments'))).toMatch(
      /^HTTP\/1\.1 403 .*MissingAuthenticationTokenException/s,
    );
  });

  test('signed by version 2, which is told what to set', async () => {
    const port = await start();
    for (const head of [
      unsigned('GET', '/bkt/a', { authorization: 'AWS AKID:c2ln' }),
      unsigned('GET', '/bkt/a?AWSAccessKeyId=A&Expires=1&Signature=x'),
    ])
      expect(await untilClosed(port, head)).toMatch(/^HTTP\/1\.1 400 .*AWS4-HMAC-SHA256/s);
  });

  test('and one that is signed for another service is not', async () => {
    const headers = { ...(await signedHeaders('GET', '/bkt/a', '')), ...last };
    expect(await untilClosed(await start(), headOf('GET', '/bkt/a', headers))).toMatch(
      /^HTTP\/1\.1 404 .*UnknownOperationException/s,
    );
  });

  test('is not implemented without buckets', async () => {
    const { headers, target } = await signed('GET', '/bkt/a');
    const { buckets: _none, ...deps } = world.deps;
    expect(await sendRaw({ deps }, 'GET', target, headers)).toMatchObject({
      status: 501,
      code: 'NotImplemented',
    });
  });
});

describe('errors', () => {
  test('are XML with the ids of the request, and bare for HEAD', async () => {
    const refused = await s3(world, 'GET', '/bkt/a');
    expect(refused.text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a</Key><RequestId>7a3c3f0e-0000-4000-8000-000000000000</RequestId><HostId>7a3c3f0e-0000-4000-8000-000000000000</HostId></Error>',
    );
    const answer = await untilClosed(await start(), await signedHead('HEAD', '/bkt/a', { headers: last }));
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*x-amz-request-id: .*\r\n\r\n$/s);
  });

  test('of a caller who is not known tell nothing of what is served', async () => {
    const { headers, target } = await signed('GET', '/bkt?acl', {
      credentials: { accessKeyId: 'AKIAZZZZZZZZZZZZZZZZ', secretAccessKey: 'x' },
    });
    expect(await sendRaw(world, 'GET', target, headers)).toMatchObject({
      status: 403,
      code: 'InvalidAccessKeyId',
    });
  });
});

describe('a client that waits to be told to go on', () => {
  const waits = { expect: '100-continue', 'content-length': '5' };

  test('is told so when he is allowed, and his object is kept', async () => {
    const { socket, closed, saying } = await open(await start());
    socket.write(await signedHead('PUT', '/bkt/a', { body: 'hello', headers: { ...waits, ...last } }));
    expect(await saying('100 Continue')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('hello');
    expect(await closed).toMatch(/HTTP\/1\.1 200 .*etag: "5d41402abc4b2a76b9719d911017c592"/s);
  });

  test('gets the refusal at once when he is not, and the connection ends', async () => {
    const credentials = await userWith(world, []);
    const answer = await untilClosed(
      await start(),
      await signedHead('PUT', '/bkt/a', { body: 'hello', headers: waits, credentials }),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*connection: close.*<Code>AccessDenied</is);
  });

  test('gets his answer at once when there is no body to send', async () => {
    const head = await signedHead('GET', '/bkt?location', { headers: { expect: '100-continue' } });
    expect(await untilClosed(await start(), head)).toMatch(/^HTTP\/1\.1 200 .*<LocationConstraint /s);
  });
});

describe('a body', () => {
  test('of a refused call is not read, though the answer gets through', async () => {
    const credentials = await userWith(world, []);
    const size = 4 * 1024 * 1024;
    const head = await signedHead('PUT', '/bkt/a', {
      ...{ credentials, body: 'x' },
      headers: { 'content-length': String(size), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const answer = await untilClosed(await start(), head, Buffer.alloc(size));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*connection: close/is);
  });

  test('that ends too early makes no object, and disturbs nobody', async () => {
    const port = await start();
    const { socket, closed } = await open(port);
    const headers = { 'content-length': '10', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    socket.write(await signedHead('PUT', '/bkt/a', { body: 'x', headers }));
    socket.write('half');
    await delay(50);
    socket.destroy();
    await closed;
    await delay(50);
    expect((await s3(world, 'HEAD', '/bkt/a')).status).toBe(404);
    expect(await untilClosed(port, unsigned('GET', '/health'))).toContain('healthy');
  });

  test('without a length is not taken', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...last };
    const { target, headers: all } = await signed('PUT', '/bkt/a', { headers });
    const answer = await untilClosed(await start(), headOf('PUT', target, all), '1\r\nx\r\n0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 411 .*<Code>MissingContentLength</s);
  });

  const chunked = (body: string, trailer: string) => ({
    body,
    headers: {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '5',
      'x-amz-trailer': trailer,
      'content-encoding': 'aws-chunked',
    },
  });
  const whole = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';

  test('in chunks has its checksum in a trailer', async () => {
    expect(await s3(world, 'PUT', '/bkt/a', chunked(whole, 'x-amz-checksum-crc32'))).toMatchObject({
      ...{ status: 200, headers: { 'x-amz-checksum-crc32': 'NhCmhg==' } },
    });
    expect((await s3(world, 'GET', '/bkt/a')).text).toBe('hello');
  });

  test.each([
    ['another checksum', whole.replace('NhCmhg==', 'AAAAAA=='), 'BadDigest'],
    ['no end', whole.slice(0, 10), 'IncompleteBody'],
    ['other bytes', whole.replace('hello', 'jello'), 'BadDigest'],
    ['a huge chunk', whole.replace('5', 'FFFFFFFFFFFFFFFF'), 'IncompleteBody'],
  ])('in chunks with %s makes no object', async (_name, body, code) => {
    expect((await s3(world, 'PUT', '/bkt/a', chunked(body, 'x-amz-checksum-crc32'))).code).toBe(code);
    expect((await s3(world, 'HEAD', '/bkt/a')).status).toBe(404);
  });

  test('in chunks has one checksum: another one in a header would go unchecked', async () => {
    const given = chunked(whole, 'x-amz-checksum-crc32');
    const headers = { ...given.headers, 'x-amz-checksum-crc32c': 'AAAAAA==' };
    expect((await s3(world, 'PUT', '/bkt/a', { ...given, headers })).code).toBe('InvalidRequest');
    expect((await s3(world, 'HEAD', '/bkt/a')).status).toBe(404);
  });

  test.each(['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'])(
    'that is not signed comes from this machine only: %s',
    async (payload) => {
      const given = { body: 'x', headers: { 'x-amz-content-sha256': payload }, sourceIp: '192.0.2.1' };
      const refused = await s3(world, 'PUT', '/bkt/a', given);
      expect(refused).toMatchObject({ status: 403, code: 'AccessDenied', bodyRead: false });
      expect(refused.message).toContain('from this machine only');
      expect((await s3(world, 'PUT', '/bkt/a', { body: 'x', sourceIp: '192.0.2.1' })).status).toBe(200);
    },
  );
});

describe('an object that is sent', () => {
  const large = 64 * 1024 * 1024;
  const piece = Buffer.alloc(64 * 1024, 'x');

  /** An object of which the port gives as much as is asked for. */
  const withLargeObject = async () => {
    await s3(world, 'PUT', '/bkt/a', { body: 'hello' });
    const { version } = world.buckets;
    world.buckets.version = async (...args) => ({ ...(await version(...args)), size: large });
    let given = 0;
    let destroyed = false;
    world.buckets.read = async () =>
      new Readable({
        read() {
          given += piece.length;
          this.push(given > large ? null : piece);
        },
        destroy(error, done) {
          destroyed = true;
          done(error);
        },
      });
    return { given: () => given, destroyed: () => destroyed };
  };

  test('goes as fast as the client takes it, and ends with him', async () => {
    const source = await withLargeObject();
    const { socket, saying, closed } = await open(await start());
    socket.write(await signedHead('GET', '/bkt/a'));
    await saying('content-length: 67108864');
    socket.pause();
    let before = -1;
    while (before !== source.given()) {
      before = source.given();
      await delay(100);
    }
    expect(source.given()).toBeLessThan(large);
    socket.destroy();
    await closed;
    while (!source.destroyed()) await delay(5);
  });

  test('comes whole to one who takes it', async () => {
    await withLargeObject();
    const answer = await untilClosed(await start(), await signedHead('GET', '/bkt/a', { headers: last }));
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(large);
  });

  test('with a header that cannot be written is answered with an error of S3, and closed', async () => {
    const source = await withLargeObject();
    const { version } = world.buckets;
    world.buckets.version = async (...args) => ({
      ...(await version(...args)),
      metadata: { 'a\r\nb:': '1' },
    });
    const answer = await untilClosed(await start(), await signedHead('GET', '/bkt/a'));
    expect(answer).toMatch(/^HTTP\/1\.1 500 .*application\/xml.*<Code>InternalError<\/Code>/s);
    expect(source.destroyed()).toBe(true);
  });

  test('is cut off when it cannot be read any more', async () => {
    await withLargeObject();
    world.buckets.read = async () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('begun');
          throw new Error('the disk is gone');
        })(),
      );
    const answer = await untilClosed(await start(), await signedHead('GET', '/bkt/a'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*begun$/s);
  });
});
