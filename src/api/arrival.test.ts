import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { boundArrival, streamedBody } from './arrival.ts';
import { drained } from './read-body.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const listen = async (handle: Handle): Promise<number> => {
  const made = createServer(handle);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
};

const untilClosed = (port: number, sent: string): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(sent);
  return text(socket);
};

const post = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n';

test('a request that does not come whole in time ends with 408', async () => {
  const port = await listen((r, response) => void boundArrival(r, response, 50));
  expect(await untilClosed(port, `${post}half`)).toMatch(/^HTTP\/1\.1 408 .*Connection: close/s);
});

test('one that has come whole may be answered later', async () => {
  const port = await listen(async (r, response) => {
    boundArrival(r, response, 50);
    await delay(150);
    response.writeHead(200, { connection: 'close', 'content-length': 2 }).end('ok');
  });
  expect(await untilClosed(port, `${post}whole`)).toMatch(/ok$/);
});

test('one that may take longer is not ended', async () => {
  const port = await listen(async (r, response) => {
    boundArrival(r, response, 50)();
    response.writeHead(200, { connection: 'close' }).end(await text(r));
  });
  const client = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': 4 } });
  const answered = new Promise<string>((resolve) => client.once('response', (r) => resolve(text(r))));
  client.write('ab');
  await delay(150);
  client.end('cd');
  expect(await answered).toBe('abcd');
});

/** Lets what is written reach its reader. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Reads a body with a patience of 100 ms, and answers with it or with the code of what was thrown. */
const readingServer = (least = 1) =>
  listen(async (r, response) => {
    const read = async () => {
      let all = '';
      for await (const chunk of streamedBody(r, 100, least)) all += Buffer.from(chunk).toString();
      return all;
    };
    const answer = await read().catch((error: { code: string }) => error.code);
    if (!response.destroyed) response.writeHead(200, { connection: 'close' }).end(answer);
  });

test('a streamed body may take long, as long as something comes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const body = new PassThrough();
    const read = text(streamedBody(body as unknown as IncomingMessage, 100, 1));
    for (const letter of 'abcd') {
      await vi.advanceTimersByTimeAsync(60);
      body.write(letter);
      await turns();
    }
    body.end();
    expect(await read).toBe('abcd');
  } finally {
    vi.useRealTimers();
  }
});

test('a byte now and then does not keep one alive', async () => {
  const socket = connect({ port: await readingServer(100), host: '127.0.0.1' });
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n');
  const dripping = setInterval(() => socket.write('x'), 20);
  socket.once('end', () => clearInterval(dripping));
  expect(await text(socket)).toMatch(/RequestTimeout/);
});

test('what is left of a body that was not read to its end can be drained', async () => {
  const size = 8 * 2 ** 20;
  const port = await listen(async (r, response) => {
    for await (const _ of streamedBody(r)) break;
    await drained(r);
    response.writeHead(403, { connection: 'close' }).end(`refused, all read: ${r.complete}`);
  });
  const headers = { 'content-length': size };
  const client = request({ port, host: '127.0.0.1', method: 'POST', headers });
  const answered = new Promise<string>((resolve, reject) => {
    client.once('response', (r) => resolve(text(r)));
    client.once('error', reject);
  });
  client.end(Buffer.alloc(size));
  expect(await answered).toBe('refused, all read: true');
});

test('silence ends a streamed body, and the client is told', async () => {
  expect(await untilClosed(await readingServer(), `${post}half`)).toMatch(/RequestTimeout/);
});

test('a client that goes away ends it as incomplete', async () => {
  const codes: string[] = [];
  const port = await listen(async (r) => {
    const chunks = streamedBody(r, 10_000);
    await (async () => {
      for await (const _ of chunks);
    })().catch((error: { code: string }) => codes.push(error.code));
  });
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`${post}half`);
  await delay(50);
  socket.destroy();
  while (codes.length === 0) await delay(5);
  expect(codes).toEqual(['IncompleteBody']);
});
