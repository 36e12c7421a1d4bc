import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { listenOnLoopback } from './loopback.ts';
import { type ApiServer, createApiServer } from './server.ts';
import { createInput, fakeWorld, signedHeaders } from './testing.ts';

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((i) => i?.address === '::1');

let server: ApiServer | undefined;
afterEach(() => server?.close());

const start = async () => {
  const world = fakeWorld();
  server = createApiServer(world.deps);
  const { port } = await server.listen(0);
  return { world, port };
};

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

const http = (
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
  host = '127.0.0.1',
) =>
  new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ host, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });

/** Sends bytes as they are and gives all that comes back. */
const raw = (port: number, bytes: string) =>
  new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    // A server that has read enough resets the connection; what it said before still counts.
    socket.on('error', () => resolve(text));
  });

describe('the server', () => {
  test.each(['localhost', 'api.localhost', 'env.example'])(
    'verifies a signed request for Host %s',
    async (name) => {
      const { port } = await start();
      const host = `${name}:${port}`;
      const body = JSON.stringify(createInput);
      const path = '/environments/demo';
      const made = await http(port, 'PUT', path, await signedHeaders('PUT', path, body, host), body);
      expect(made).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
      expect(made.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
      const list = await http(
        port,
        'GET',
        '/environments',
        await signedHeaders('GET', '/environments', '', host),
      );
      expect(JSON.parse(list.text)).toEqual({ Environments: ['demo'] });
      const elsewhere = { ...(await signedHeaders('GET', '/environments', '', host)), host: 'other' };
      expect((await http(port, 'GET', '/environments', elsewhere)).headers['x-amzn-errortype']).toBe(
        'InvalidSignatureException',
      );
    },
  );

  test('hashes the body of a GET too', async () => {
    const { port } = await start();
    const host = `localhost:${port}`;
    const headers = { ...(await signedHeaders('GET', '/environments', '{}', host)), 'content-length': '2' };
    expect((await http(port, 'GET', '/environments', headers, '{}')).status).toBe(200);
    expect((await http(port, 'GET', '/environments', headers, '[]')).status).toBe(403);
  });

  test.skipIf(!hasIpv6)('answers on ::1 too, and counts a port as taken when either half is', async () => {
    const { port } = await start();
    expect((await http(port, 'GET', '/health', {}, '', '::1')).text).toBe('{"status":"healthy"}');
    for (const taken of ['127.0.0.1', '::1']) {
      const squatter = createServer();
      const there = await new Promise<number>((resolve) => {
        squatter.listen(0, taken, () => resolve((squatter.address() as { port: number }).port));
      });
      await expect(listenOnLoopback(there, () => createHttpServer())).rejects.toMatchObject({
        code: 'PortTaken',
        publicText: expect.stringContaining(`Port ${there} is taken on ${taken}`),
      });
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  test('says what it is, is healthy, and refuses the rest in the shape of AWS', async () => {
    const { port } = await start();
    expect(JSON.parse((await http(port, 'GET', '/', {})).text)).toMatchObject({ service: 'Windsock' });
    expect((await http(port, 'GET', '/health', {})).status).toBe(200);
    for (const path of ['/nowhere', '/%zz', '/a;b', '/environments/x/y']) {
      const answer = await http(port, 'GET', path, {});
      expect(answer).toMatchObject({
        status: 404,
        headers: { 'x-amzn-errortype': 'UnknownOperationException' },
      });
    }
  });

  test('refuses a body beyond a megabyte, stated or not', async () => {
    const { port } = await start();
    const big = 'x'.repeat(1024 * 1024 + 1);
    const stated = await http(
      port,
      'PUT',
      '/environments/demo',
      { 'content-length': String(big.length) },
      big,
    );
    expect(stated).toMatchObject({
      status: 413,
      headers: { 'x-amzn-errortype': 'RequestEntityTooLargeException' },
    });
    const chunked = await http(port, 'PUT', '/environments/demo', { 'transfer-encoding': 'chunked' }, big);
    expect(chunked.status).toBe(413);
  });

  test('InvokeRestApi may carry six megabytes', async () => {
    const { port } = await start();
    const limit = 6 * 1024 * 1024;
    const statusOf = async (bytes: number) => {
      const headers = { 'content-length': String(bytes) };
      return (await http(port, 'POST', '/restapi/demo', headers, 'x'.repeat(bytes))).status;
    };
    // Unsigned: what is small enough is refused for that only.
    expect([await statusOf(limit), await statusOf(limit + 1)]).toEqual([403, 413]);
  });

  test('refuses what two readers could read differently', async () => {
    const { port } = await start();
    const answers = await Promise.all([
      raw(port, 'GET http://evil/environments HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      raw(
        port,
        'GET /environments HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: x\r\nConnection: close\r\n\r\n',
      ),
      raw(
        port,
        'GET /environments HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\nConnection: close\r\n\r\n',
      ),
    ]);
    expect(answers.map((a) => a.split('\r\n')[0])).toEqual([
      'HTTP/1.1 400 Bad Request',
      'HTTP/1.1 400 Bad Request',
      'HTTP/1.1 400 Bad Request',
    ]);
    const huge = await raw(
      port,
      `GET /environments HTTP/1.1\r\nHost: a\r\nAuthorization: ${'x'.repeat(100_000)}\r\n\r\n`,
    );
    expect(huge).toMatch(/^(HTTP\/1.1 431 |$)/);
  });

  test('takes many calls at once on both sides of a close', async () => {
    const { port } = await start();
    const host = `localhost:${port}`;
    const headers = await signedHeaders('GET', '/environments', '', host);
    const calls = Array.from({ length: 50 }, () => http(port, 'GET', '/environments', headers));
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    await server?.close();
    server = undefined;
    await expect(http(port, 'GET', '/health', {})).rejects.toThrow('ECONNREFUSED');
  });
});
