import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createUpstreamPools } from './pool.ts';
import { callRestApi, NoRestAnswer, type RestLimits } from './rest-call.ts';

const servers: Server[] = [];
const pools = createUpstreamPools();
afterEach(() => {
  pools.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const ask = async (listener: RequestListener, limits: Partial<RestLimits> = {}) => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port, startId: String(port) };
  const call = { method: 'POST', path: '/api/v2/dags?limit=1', headers: { 'x-a': 'b' }, body: '{"a":1}' };
  return callRestApi(pools.of('a', target), call, { milliseconds: 2000, bytes: 10, ...limits });
};
const why = (error: unknown) => (error instanceof NoRestAnswer ? error.why : error);

test('sends what it was given and gives what came', async () => {
  const seen: unknown[] = [];
  const answer = await ask((req, res) => {
    req.on('data', (body: Buffer) => seen.push(req.method, req.url, req.headers['x-a'], body.toString()));
    req.on('end', () => res.writeHead(404, { location: '/x' }).end('nothing'));
  });
  expect(seen).toEqual(['POST', '/api/v2/dags?limit=1', 'b', '{"a":1}']);
  expect({ ...answer, body: answer.body.toString() }).toEqual({
    status: 404,
    location: '/x',
    body: 'nothing',
  });
});

test('follows no redirect', async () => {
  let requests = 0;
  const answer = await ask((_req, res) => {
    requests += 1;
    res.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect([answer.status, requests]).toEqual([307, 1]);
});

test('ten bytes may come, and not one more', async () => {
  expect((await ask((_req, res) => res.end('x'.repeat(10)))).body).toHaveLength(10);
  expect(await ask((_req, res) => res.end('x'.repeat(11))).catch(why)).toBe('too-large');
  const chunked: RequestListener = (_req, res) => {
    res.write('x'.repeat(6));
    setTimeout(() => res.end('x'.repeat(6)), 20);
  };
  expect(await ask(chunked).catch(why)).toBe('too-large');
});

test('an answer that does not begin, or does not end, in time is given up', async () => {
  const limits = { milliseconds: 100 };
  expect(await ask(() => {}, limits).catch(why)).toBe('timed-out');
  expect(await ask((_req, res) => void res.write('x'), limits).catch(why)).toBe('timed-out');
});

test('a connection that breaks is told apart from one that is slow, and nothing is tried twice', async () => {
  let requests = 0;
  const breaking: RequestListener = (req) => {
    requests += 1;
    req.socket.destroy();
  };
  expect(await ask(breaking).catch(why)).toBe('failed');
  expect(requests).toBe(1);
  const half: RequestListener = (req, res) => {
    res.writeHead(200, { 'content-length': 8 }).write('half');
    setTimeout(() => req.socket.destroy(), 20);
  };
  expect(await ask(half).catch(why)).toBe('failed');
});
