import { once } from 'node:events';
import { type ClientRequest, createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { afterEach, expect, it } from 'vitest';
import { relay } from './relay.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A client's request, passed on to that upstream, and how that ended: with a status or a text. */
const pass = async (
  upstream: RequestListener | number,
  body: Readable | null = null,
  clientMethod = 'GET',
) => {
  const port = typeof upstream === 'number' ? upstream : await serve(upstream);
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1, pipelining: 1 });
  closing.push(() => pool.destroy());
  const ended = Promise.withResolvers<number | string>();
  const door = await serve((_req, res) => {
    const request = { path: '/', method: body === null ? 'GET' : 'POST', body } as const;
    void relay(pool, request, res, ({ etag }) => ({ 'x-passed': String(etag) }))
      .catch((error: Error) => {
        res.destroy();
        return error.message;
      })
      .then(ended.resolve);
  });
  const client: ClientRequest = get({
    host: '127.0.0.1',
    port: door,
    agent: false,
    method: clientMethod,
  });
  client.on('error', () => {});
  const answer = async (): Promise<IncomingMessage> => (await once(client, 'response'))[0];
  return { client, answer, ended: ended.promise };
};

const textOf = async (answer: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const piece of answer) text += piece;
  return text;
};

it('hands the whole answer on, with the headers that it is given', async () => {
  const { answer, ended } = await pass((_req, res) => void res.writeHead(203, { etag: 'e' }).end('whole'));
  const got = await answer();
  expect([got.statusCode, got.headers['x-passed'], got.headers['etag']]).toEqual([203, 'e', undefined]);
  expect(await textOf(got)).toBe('whole');
  expect(await ended).toBe(203);
});

it('hands only the head on to HEAD, also of an answer that never ends', async () => {
  const gone = Promise.withResolvers<string>();
  const endless: RequestListener = (_req, res) => {
    res.writeHead(200, { etag: 'e' }).write('first');
    res.once('close', () => gone.resolve('given up'));
  };
  const short: RequestListener = (_req, res) => void res.writeHead(203, { etag: 'e' }).end('whole');
  for (const [upstream, status] of [
    [endless, 200],
    [short, 203],
  ] as const) {
    const { answer, ended } = await pass(upstream, null, 'HEAD');
    const got = await answer();
    expect([got.statusCode, got.headers['x-passed'], await textOf(got)]).toEqual([status, 'e', '']);
    expect(await ended).toBe(status);
  }
  expect(await gone.promise).toBe('given up');
});

it('ends with the upstream when that breaks off, and the client learns it', async () => {
  const { answer, ended } = await pass((_req, res) => {
    res.writeHead(200, { 'content-length': 10 }).write('half');
    setTimeout(() => res.destroy(), 50);
  });
  await expect(textOf(await answer())).rejects.toThrow();
  expect(await ended).toMatch(/closed/);
});

it('ends the request when the client goes', async () => {
  const gone = Promise.withResolvers<string>();
  const { client, answer, ended } = await pass((_req, res) => {
    res.write('first');
    res.once('close', () => gone.resolve('gone'));
  });
  await answer();
  client.destroy();
  expect(await ended).toBe('the client went away');
  expect(await gone.promise).toBe('gone');
});

it('takes no more from the upstream than a slow client can have', async () => {
  let sent = 0;
  const piece = Buffer.alloc(64 * 1024);
  const { answer } = await pass((_req, res) => {
    const more = (): void => {
      do sent += piece.length;
      while (res.write(piece) && sent < 256 * 1024 ** 2);
      res.once('drain', more);
    };
    more();
  });
  const slow = await answer();
  slow.pause();
  await sleep(500);
  const before = sent;
  await sleep(500);
  expect(sent).toBe(before);
  slow.resume();
  await sleep(500);
  expect(sent).toBeGreaterThan(before);
});

it('leaves no body behind that fails later when the upstream is not there', async () => {
  const unused = await serve(() => {});
  await closing.splice(0)[0]?.();
  await sleep(20);
  const body = new Readable({ read() {} });
  const { ended } = await pass(unused, body);
  expect(await ended).toMatch(/ECONNREFUSED/);
  expect(body.destroyed).toBe(true);
  body.emit('error', new Error('the client is gone too'));
});
