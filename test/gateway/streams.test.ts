// What passes the door piece by piece: WebSockets, large bodies both ways, slow ones. Airflow is trivial here, so that it
// sends and takes exactly what a test says.
import { readFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Session, signIn } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { Rig } from '../harness/rig.ts';
import { browserHeaders, revokeSessions } from '../harness/sessions.ts';
import { exchange, statusOf } from '../harness/socket.ts';
import { until } from '../harness/until.ts';
import { openSocket } from '../harness/websocket.ts';
import { residentMbOf } from '../harness/weight.ts';

const MiB = 1024 * 1024;
let rig: Rig;
let session: Session;
let machine: Machine;

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('one', '3.3.1');
  await rig.available('one');
  session = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
  machine = await machineOf(rig.place, 'one');
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

/** The path at which Airflow answers with exactly these bytes. */
const raw = (bytes: string | Buffer): string => `/api/v2/raw/${Buffer.from(bytes).toString('base64url')}`;

/** The last line of a file in the home of the environment. */
const noted = (file: string): string => {
  try {
    return readFileSync(join(machine.home, file), 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
};

/** A request whose answer and body are left to the caller; `answer` is refused when the connection breaks before. */
const begin = (
  path: string,
  o: { method?: string; headers?: Record<string, string> } = {},
): { readonly sent: ClientRequest; readonly answer: Promise<IncomingMessage> } => {
  const [host, port] = session.hostname.split(':');
  const sent = request({
    ...{ host, port: Number(port), path, method: o.method ?? 'GET', agent: false },
    ca: readFileSync(join(rig.place.data, 'ca.pem')),
    headers: { ...session.headers, ...o.headers },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
  return { sent, answer };
};

const residentMb = (): number => residentMbOf(rig.server.pid);

/** MB: far less than what passes, and more than what the collector of Node lets lie about on a fast machine. */
const mostGrown = 256;

/** By how many MB the server grows at most while that is done. */
const growth = async (what: () => Promise<void>): Promise<number> => {
  const before = residentMb();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentMb());
  }, 50);
  try {
    await what();
    return most - before;
  } finally {
    clearInterval(timer);
  }
};

const sizeOf = async (answer: IncomingMessage): Promise<number> => {
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) size += chunk.length;
  return size;
};

const textOf = async (answer: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

describe('a WebSocket', () => {
  const path = '/api/v2/ws';

  test.for(['a script', 'a browser'] as const)('carries bytes both ways for %s', async (who) => {
    const headers =
      who === 'a script' ? session.headers : await browserHeaders(rig.place, rig.mint, 'one', 3);
    const socket = openSocket(rig.place, session.hostname, path, headers);
    const { status, text } = await socket.handshake();
    expect(status, text).toBe(101);
    // The answer to the key of RFC 6455, 1.3: it comes from Airflow.
    expect(text.toLowerCase()).toContain('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=');
    const block = Buffer.alloc(3 * MiB, 'ab');
    socket.send('first');
    expect((await socket.receive(5)).toString()).toBe('first');
    socket.send(block);
    expect((await socket.receive(block.length)).equals(block)).toBe(true);
    socket.end();
    await until('the end at Airflow', 2, () => noted('hung-up') === '1');
  });

  test('A33: needs a session, of this environment, and an origin that is its own', async () => {
    const browser = await browserHeaders(rig.place, rig.mint, 'one', 3);
    const refused: Record<string, Readonly<Record<string, string>>> = {
      'no session': {},
      'a made-up one': { authorization: 'Bearer wss_x' },
      'another site': { ...browser, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      'another environment': { ...browser, origin: 'https://localhost:1', 'sec-fetch-site': 'same-site' },
      'no origin at all': { cookie: browser['cookie'] ?? '', 'sec-fetch-site': 'none' },
      'another protocol': { ...session.headers, upgrade: 'h2c' },
    };
    for (const [what, headers] of Object.entries(refused)) {
      const socket = openSocket(rig.place, session.hostname, path, headers);
      expect([400, 401, 403], what).toContain((await socket.handshake()).status);
      await socket.closed;
    }
  });

  test('is closed within a second when its session is revoked, and with it every stream', async () => {
    const own = await signIn(rig.place, rig.mint, 'one', 3);
    const socket = openSocket(rig.place, own.hostname, path, own.headers);
    expect((await socket.handshake()).status).toBe(101);
    const { sent, answer } = begin('/api/v2/pieces/5', { headers: { ...own.headers } });
    sent.end();
    const stream = textOf(await answer).catch(() => 'cut');
    const begun = performance.now();
    expect((await revokeSessions(rig.place, { EnvironmentName: 'one' })).status).toBe(200);
    await socket.closed;
    expect(await stream).toBe('cut');
    expect(performance.now() - begun).toBeLessThan(1_000);
    session = await signIn(rig.place, rig.mint, 'one', 3);
  });

  test('A35: where nobody asked for one, or Airflow says no, there is none', async () => {
    const { sent, answer } = begin(
      raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nsecret'),
    );
    sent.end();
    expect((await answer).statusCode).toBe(502);
    const socket = openSocket(rig.place, session.hostname, '/api/v2/dags', session.headers);
    expect((await socket.handshake()).status).toBe(502);
    await socket.closed;
  });
});

describe('one GiB', () => {
  test('comes down in constant memory, and no faster than it is taken', async () => {
    const grown = await growth(async () => {
      const { sent, answer } = begin('/api/v2/down/1024');
      sent.end();
      const response = await answer;
      await delay(1_500);
      const ahead = Number(noted('sent'));
      await delay(1_000);
      expect(Number(noted('sent')), 'sent while nobody reads').toBe(ahead);
      expect(ahead).toBeLessThan(64);
      expect(await sizeOf(response)).toBe(1024 * MiB);
    });
    process.stdout.write(`gateway/streams: 1 GiB down, the server grew by ${grown.toFixed(0)} MB\n`);
    expect(grown).toBeLessThan(mostGrown);
  });

  test('goes up in constant memory, and no faster than Airflow takes it', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const pieces = (1024 * MiB) / chunk.length;
    let written = 0;
    const grown = await growth(async () => {
      const headers = { 'content-length': String(1024 * MiB), 'content-type': 'application/octet-stream' };
      const { sent, answer } = begin('/api/v2/up/2.5', { method: 'POST', headers });
      const writing = (async () => {
        for (; written < pieces; written += 1)
          if (!sent.write(chunk)) await new Promise((resolve) => sent.once('drain', resolve));
        sent.end();
      })();
      await delay(2_000);
      expect((written * chunk.length) / MiB, 'MiB taken while Airflow waits').toBeLessThan(64);
      const response = await answer;
      expect(response.statusCode).toBe(200);
      await writing;
      expect([response.statusCode, await textOf(response)]).toEqual([200, String(1024 * MiB)]);
    });
    process.stdout.write(`gateway/streams: 1 GiB up, the server grew by ${grown.toFixed(0)} MB\n`);
    expect(grown).toBeLessThan(mostGrown);
  });

  test('A37: ten are refused before a byte of them is taken', async () => {
    const headers = { 'content-length': String(10 * 1024 * MiB) };
    const { sent, answer } = begin('/api/v2/up/0', { method: 'POST', headers });
    sent.flushHeaders();
    expect((await answer).statusCode).toBe(413);
    sent.destroy();
  });
});

describe('an answer', () => {
  test('A38: that is compressed passes as it is, whatever it holds', async () => {
    const zipped = gzipSync(Buffer.alloc(20 * MiB));
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`;
    const { sent, answer } = begin(raw(Buffer.concat([Buffer.from(head), zipped])));
    sent.end();
    const response = await answer;
    expect(response.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': `${zipped.length}`,
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(zipped)).toBe(true);
    expect(gunzipSync(zipped).length).toBe(20 * MiB);
  });

  test('a part that was asked for stays a part; the question arrives with its conditions', async () => {
    const asked = { range: 'bytes=2-4', 'if-range': '"v1"', 'if-none-match': '"v0"' };
    const part = 'HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-4/9\r\ncontent-length: 3\r\n';
    const { sent, answer } = begin(raw(`${part}etag: "v1"\r\naccept-ranges: bytes\r\n\r\ncde`));
    sent.end();
    const response = await answer;
    expect([response.statusCode, await textOf(response)]).toEqual([206, 'cde']);
    expect(response.headers).toMatchObject({ 'content-range': 'bytes 2-4/9', etag: '"v1"' });
    const seen = begin('/api/v2/head', { headers: asked });
    seen.sent.end();
    const head = JSON.parse(await textOf(await seen.answer)) as string[];
    for (const [name, value] of Object.entries(asked)) expect(head).toContain(`${name}: ${value}`);
  });

  test('to HEAD has the headers and no body', async () => {
    const body = 'x'.repeat(1_234);
    const { sent, answer } = begin(
      raw(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\netag: "v1"\r\n\r\n${body}`),
      { method: 'HEAD' },
    );
    sent.end();
    const response = await answer;
    expect(response.headers).toMatchObject({ 'content-length': '1234', etag: '"v1"' });
    expect(await textOf(response)).toBe('');
  });

  test('to HEAD comes of a GET without ranges, and ends at its head when the body would not', async () => {
    const { sent, answer } = begin('/api/v2/pieces/60', { method: 'HEAD' });
    sent.end();
    expect([(await answer).statusCode, await textOf(await answer)]).toEqual([200, '']);
    // answered with the head that arrived
    const lengthOf = async (headers: Record<string, string>) => {
      const asked = begin('/api/v2/head', { method: 'HEAD', headers });
      asked.sent.end();
      return Number((await asked.answer).headers['content-length']);
    };
    expect(await lengthOf({ range: 'bytes=0-0', 'if-range': '"v1"' })).toBe(await lengthOf({}));
  });

  test('that is streamed arrives piece by piece', async () => {
    const begun = performance.now();
    const { sent, answer } = begin('/api/v2/pieces/0.4');
    sent.end();
    const at: number[] = [];
    let text = '';
    for await (const chunk of (await answer) as AsyncIterable<Buffer>) {
      at.push(performance.now() - begun);
      text += chunk.toString();
    }
    expect(text).toBe('line0line1line2line3');
    expect(at).toHaveLength(4);
    expect((at[3] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(1_000);
  });

  test('that breaks off breaks off at the client too', async () => {
    const { sent, answer } = begin(raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
    sent.end();
    await expect(answer.then(textOf)).rejects.toThrow();
  });
});

describe('A36: who is slow', () => {
  const head = (more: string) => `${more}Host: ${session.hostname}\r\n`;
  const login = 'POST /pluginsv2/aws_mwaa/login HTTP/1.1\r\n';
  const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntoken=';

  test('is told that the time is over, and sent away', { timeout: 60_000 }, async () => {
    const cases = [
      { what: 'nothing', bytes: '', seconds: 30 },
      { what: 'half of the headers', bytes: head('GET / HTTP/1.1\r\n'), seconds: 30 },
      { what: 'half of a login', bytes: `${head(login)}${form}`, seconds: 15 },
    ];
    const begun = performance.now();
    const ends = cases.map(async ({ bytes, seconds }) => {
      const text = await exchange(rig.place, session.hostname, bytes, seconds + 5);
      return { status: statusOf(text), seconds: (performance.now() - begun) / 1000 };
    });
    // Meanwhile others are served.
    expect((await session.get('/api/v2/dags')).status).toBe(200);
    for (const [i, { what, seconds }] of cases.entries()) {
      const end = await ends[i];
      expect(end?.seconds, what).toBeLessThan(seconds);
      expect(end?.status, what).toBe(408);
    }
  });

  test('and leaves during an upload leaves nothing open', async () => {
    const headers = { 'content-length': String(64 * MiB) };
    const { sent, answer } = begin('/api/v2/up/0', { method: 'POST', headers });
    answer.catch(() => {});
    sent.write(Buffer.alloc(MiB));
    await delay(500);
    sent.destroy();
    await until('the end at Airflow', 3, () => Number(noted('broken')) > 0);
  });
});
