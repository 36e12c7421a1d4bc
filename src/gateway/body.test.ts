import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Refusal } from './answer.ts';
import { limitedBody, readBody } from './body.ts';

/** By this pace, at most 200 ms are silent, and 2,000 bytes a second come after the first 200 ms. */
const pace = { silentMs: 200, bytesPerSecond: 2_000 };

const passed = async (req: IncomingMessage): Promise<string> => {
  let size = 0;
  for await (const chunk of limitedBody(req, 10_000, pace)) size += chunk.length;
  return String(size);
};

const server = createServer((req, res) => {
  (req.url === '/passed' ? passed(req) : readBody(req, 10, 200)).then(
    (body) => res.end(body),
    (error) => res.writeHead(error instanceof Refusal ? error.status : 500, { connection: 'close' }).end(),
  );
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Pieces {
  /** Milliseconds until the same bytes are sent once more. */
  readonly every?: number;
}

const post = (length: number, bytes: string, more: Pieces = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const headers = { 'content-length': length };
    const path = more.every === undefined ? '/' : '/passed';
    const sent = request({ port, path, method: 'POST', headers, agent: false }, (res) => {
      res.resume();
      clearInterval(timer);
      resolve(res.statusCode ?? 0);
    });
    const timer = setInterval(() => sent.write(bytes), more.every ?? 1_000_000);
    sent.on('error', reject);
    sent.write(bytes);
  });

it('whoever sends too slowly or too much is told so before the connection ends', async () => {
  expect(await post(5, 'whole')).toBe(200);
  expect(await post(9, 'half')).toBe(408);
  expect(await post(11, 'x')).toBe(413);
});

it('a body that goes on is let through however long it takes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const body = Object.assign(new PassThrough(), { headers: {} });
    const read = passed(body as unknown as IncomingMessage);
    for (let piece = 0; piece < 10; piece += 1) {
      await vi.advanceTimersByTimeAsync(100);
      body.write('x'.repeat(500));
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    body.end();
    expect(await read).toBe('5000');
  } finally {
    vi.useRealTimers();
  }
});

it('one that stops or trickles is not', async () => {
  expect(await post(5_000, 'x'.repeat(500), { every: 1_000 })).toBe(408);
  expect(await post(500, 'x', { every: 20 })).toBe(408);
  expect(await post(10_001, 'x', { every: 20 })).toBe(413);
});
