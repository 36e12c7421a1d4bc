// Which connections make room for others while a body of S3 comes.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeRoom } from '../lib/make-room.ts';
import { answerStreamed } from './answer-call.ts';
import { BodyRoom } from './body-room.ts';
import { allow, type S3World, s3, s3World, signed, userWith } from './s3/test-client.ts';
import type { Credentials } from './test-query.ts';
import { root } from './testing.ts';

let world: S3World;
let server: Server;
let sockets: Set<Socket>;
/** Requests that are told that they may take long. */
let long: number;

beforeEach(async () => {
  world = s3World();
  await s3(world, 'PUT', '/bkt');
  [sockets, long] = [new Set(), 0];
  const room = new BodyRoom({ most: 1e6, free: 0 });
  server = createServer((incoming, response) => {
    const mayTakeLong = () => {
      long += 1;
    };
    const exchange = { request: incoming, response, requestId: 'id', waits: false, mayTakeLong };
    void answerStreamed(exchange, { deps: world.deps, room });
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A request that has begun, and goes no further than the first byte of its body. */
const begin = async (method: string, target: string, credentials: Credentials = root) => {
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '1000' };
  const given = { headers, credentials };
  const { target: path, headers: all } = await signed(method, target, given);
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: '127.0.0.1', method, path, headers: all });
  client.on('error', () => {});
  client.write('<');
  await delay(100);
  return client;
};

test('one of which a whole body has yet to come does', async () => {
  const credentials = await userWith(world, [allow('s3:DeleteObject', '*')]);
  await begin('POST', '/bkt?delete', credentials);
  expect(sockets.size).toBe(1);
  expect([makeRoom(sockets), long]).toEqual([true, 0]);
});

test('one over which an object comes does not', async () => {
  const client = await begin('PUT', '/bkt/a');
  await vi.waitFor(() => expect(long).toBe(1), { timeout: 8_000 });
  expect(makeRoom(sockets)).toBe(false);
  client.destroy();
});

test('one over which nothing is to come does not, while it is answered', async () => {
  let answer: (() => void) | undefined;
  const { find } = world.buckets;
  world.buckets.find = async (name) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return find(name);
  };
  const { target: path, headers } = await signed('GET', '/bkt?location');
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: '127.0.0.1', path, headers });
  const status = new Promise((resolve) => client.once('response', (r) => resolve(r.statusCode)));
  client.end();
  await vi.waitFor(() => expect(answer).toBeDefined(), { timeout: 8_000 });
  expect(makeRoom(sockets)).toBe(false);
  answer?.();
  expect(await status).toBe(200);
});
