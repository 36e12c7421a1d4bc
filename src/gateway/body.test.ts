import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Refusal } from './answer.ts';
import { readBody } from './body.ts';

const server = createServer((req, res) => {
  readBody(req, 10, 200).then(
    (body) => res.end(body),
    (error) => res.writeHead(error instanceof Refusal ? error.status : 500, { connection: 'close' }).end(),
  );
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const post = (length: number, bytes: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const headers = { 'content-length': length };
    const sent = request({ port, method: 'POST', headers, agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.write(bytes);
  });

it('whoever sends too slowly or too much is told so before the connection ends', async () => {
  await new Promise<void>((resolve) => server.listen(0, resolve));
  expect(await post(5, 'whole')).toBe(200);
  expect(await post(9, 'half')).toBe(408);
  expect(await post(11, 'x')).toBe(413);
});
