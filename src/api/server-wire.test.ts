// What raw sockets see of the API's server: what a client library hides, or would repair.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '../lib/log.ts';
import type { ApiDeps } from './deps.ts';
import { type ApiServer, createApiServer } from './server.ts';
import { fakeWorld, signedHeaders } from './testing.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

const start = async (change: Partial<ApiDeps> = {}): Promise<number> => {
  server = createApiServer({ ...fakeWorld().deps, ...change }, 1_500);
  return (await server.listen(0)).port;
};

/** A connection, with all that has come over it so far; `closed` resolves when the server has ended it. */
const open = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  // A reset ends the connection as well; what came before it still counts.
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed]);
  const saying = async (part: string): Promise<string> => {
    while (!text.includes(part) && !socket.destroyed) await delay(5);
    return text;
  };
  return { socket, closed, saying, soFar: () => text };
};

/** Sends bytes as they are and gives all that comes until the server ends the connection. */
const untilClosed = async (port: number, ...parts: readonly (string | Buffer)[]): Promise<string> => {
  const { socket, closed } = await open(port);
  for (const part of parts) socket.write(part);
  return closed;
};

const head = (line: string, ...headers: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
const last = 'Connection: close';

/** Without what differs every time. */
const plain = (answer: string): readonly string[] =>
  answer
    .replace(/^Date: .*$/m, 'Date: now')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .split('\r\n');

const statuses = (answer: string): readonly string[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);

const healthy = '{"status":"healthy"}';

const signedHead = async (line: string): Promise<string> => {
  const [method = '', target = ''] = line.split(' ');
  const headers = Object.entries(await signedHeaders(method, target, ''));
  return `${line} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
};

/** A verifier that waits until it is let go: its call is at work for as long. */
const heldVerifier = () => {
  const { verify } = fakeWorld().deps;
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let asked = 0;
  const held: ApiDeps['verify'] = async (request, service) => {
    asked += 1;
    await gate;
    return verify(request, service);
  };
  return { verify: held, letGo, asked: () => asked };
};

describe('an answer to the byte', () => {
  test('of /health', async () => {
    expect(plain(await untilClosed(await start(), head('GET /health', last)))).toEqual([
      'HTTP/1.1 200 OK',
      'content-type: application/json; charset=utf-8',
      'content-length: 20',
      'Date: now',
      'Connection: close',
      '',
      healthy,
    ]);
  });

  test('of a call', async () => {
    const body = '{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}';
    expect(plain(await untilClosed(await start(), head('GET /environments', last)))).toEqual([
      'HTTP/1.1 403 Forbidden',
      'content-type: application/json',
      'x-amzn-requestid: ID',
      'cache-control: no-store',
      'x-amzn-errortype: MissingAuthenticationTokenException',
      `content-length: ${body.length}`,
      'Date: now',
      'Connection: close',
      '',
      body,
    ]);
  });

  test('HEAD has headers and no body', async () => {
    const port = await start();
    for (const path of ['/', '/health', '/environments']) {
      const answer = await untilClosed(port, head(`HEAD ${path}`, last));
      expect(answer).toMatch(/^HTTP\/1\.1 404 .*\r\n\r\n$/s);
      expect(answer).toMatch(/content-length: [1-9]\d*\r\n/);
    }
  });

  test('HTTP/1.0 gets one answer', async () => {
    const answer = await untilClosed(await start(), 'GET /health HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*Connection: close\r\n\r\n\{"status":"healthy"\}$/s);
  });
});

describe('only / and /health are not calls', () => {
  const own = [
    '/',
    '/?',
    '/?a=b',
    '/health',
    '/health?x',
    'http://localhost/health',
    'http://LOCALHOST:80?x',
  ];
  test.each(own)('GET %s', async (target) => {
    expect(statuses(await untilClosed(await start(), head(`GET ${target}`, last)))).toEqual(['200']);
  });

  const calls = [
    'GET /health/',
    'GET /Health',
    'GET //',
    'GET //health',
    'GET /health;x',
    'GET /%zz',
    'GET /a/../health',
  ];
  test.each([...calls, 'POST /health', 'OPTIONS /', 'TRACE /', 'PROPFIND /health'])('%s', async (line) => {
    const answer = await untilClosed(await start(), head(line, last));
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*x-amzn-errortype: UnknownOperationException/s);
  });

  test.each([
    '*',
    'http://other/health',
    'https://localhost/health',
    'http://user@localhost/',
    'http:///health',
  ])('no target %s, which also ends the connection', async (target) => {
    const answer = await untilClosed(await start(), head(`GET ${target}`));
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*x-amzn-errortype: MalformedHttpRequestException/s);
  });
});

describe('what comes out of a call has the shape of AWS', () => {
  test.each(['', '/', 'a, b', 'application/json, application/json'])(
    'for any content type: %s',
    async (type) => {
      const request = head('POST /nowhere', `Content-Type: ${type}`, 'Content-Length: 2', last);
      const answer = await untilClosed(await start(), `${request}{}`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 .*x-amzn-errortype: UnknownOperationException/s);
    },
  );

  test('for a method with a body and no content type', async () => {
    const answer = await untilClosed(await start(), head('QUERY /nowhere', last));
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*x-amzn-errortype: UnknownOperationException/s);
  });

  test('for a fault that nobody foresaw, which is logged and not told', async () => {
    const faults: unknown[] = [];
    const broken = () => {
      throw new Error('a secret of the machine');
    };
    const log = { ...silentLog, info: broken, error: (...line: unknown[]) => void faults.push(line) };
    const answer = await untilClosed(await start({ log }), head('GET /environments'));
    expect(answer).toMatch(/^HTTP\/1\.1 500 .*x-amzn-errortype: InternalServerException/s);
    expect(answer).not.toContain('secret');
    expect(JSON.stringify(faults)).toContain('a secret of the machine');
  });
});

describe('one connection, several requests', () => {
  test('is kept for 60 s of rest, until one asks to close it', async () => {
    const { socket, closed, saying } = await open(await start());
    socket.write(head('GET /health'));
    expect(await saying(healthy)).toContain('Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n');
    socket.write(head('GET /environments'));
    await saying('Missing Authentication Token');
    socket.write(head('GET /health', last));
    expect(statuses(await closed)).toEqual(['200', '403', '200']);
  });

  test('sent at once are answered in their order', async () => {
    const verifier = heldVerifier();
    const { socket, closed, soFar } = await open(await start({ verify: verifier.verify }));
    socket.write((await signedHead('GET /environments')) + head('GET /health') + head('GET /nowhere', last));
    while (verifier.asked() === 0) await delay(5);
    expect(soFar()).toBe('');
    verifier.letGo();
    const answers = await closed;
    expect(statuses(answers)).toEqual(['200', '200', '404']);
    expect(answers.indexOf('{"Environments":[]}')).toBeLessThan(answers.indexOf(healthy));
  });

  test('a body that nobody asked for does not become the next request', async () => {
    const inner = head('GET /nowhere');
    const answer = await untilClosed(
      await start(),
      head('GET /health', `Content-Length: ${inner.length}`) + inner,
      head('POST /health', 'Transfer-Encoding: chunked') +
        `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      head('GET /health', last),
    );
    expect(statuses(answer)).toEqual(['200', '404', '200']);
    expect(answer).not.toContain('/nowhere');
  });

  test('more than a thousand headers are all read', async () => {
    const many = Array.from({ length: 1_200 }, (_, i) => `A${i}: 1`);
    const answer = await untilClosed(
      await start(),
      head('GET /environments', ...many, 'Authorization: x', last),
    );
    expect(answer).not.toContain('MissingAuthenticationTokenException');
  });
});

describe('what is no HTTP gets a bare answer, and the connection ends', () => {
  const post = (...headers: readonly string[]) => head('POST /environments', ...headers);
  test.each<[string, string, string]>([
    ['a length and chunks', '400', `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['two lengths', '400', `${post('Content-Length: 2', 'Content-Length: 3')}{}`],
    ['a chunk without a length', '400', `${post('Transfer-Encoding: chunked')}zz\r\n`],
    ['another transfer encoding', '400', post('Transfer-Encoding: gzip')],
    ['a folded header', '400', head('GET /health', 'A: b', ' c')],
    ['a method in lower case', '400', head('get /health')],
    ['HTTP/2', '400', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', '400', '\x16\x03\x01\x02\x00'],
    ['long headers', '431', head('GET /health', `A: ${'x'.repeat(20_000)}`)],
  ])('%s', async (_name, status, bytes) => {
    const answer = await untilClosed(await start(), bytes);
    expect(statuses(answer)).toEqual([status]);
    expect(answer).toMatch(/Connection: close\r\n\r\n$/);
  });

  test('no host: 400', async () => {
    expect(statuses(await untilClosed(await start(), 'GET /health HTTP/1.1\r\n\r\n'))).toEqual(['400']);
  });

  test('CONNECT gets none', async () => {
    expect(await untilClosed(await start(), head('CONNECT localhost:80'))).toBe('');
  });

  test('an expectation that is not known: 417', async () => {
    const answer = await untilClosed(await start(), head('GET /health', 'Expect: miracles', last));
    expect(statuses(answer)).toEqual(['417']);
  });
});

describe('bodies', () => {
  test('who asks whether to go on is told to, before anything is looked at', async () => {
    const { socket, closed, saying } = await open(await start());
    socket.write(head('PUT /environments/a', 'Expect: 100-continue', 'Content-Length: 2', last));
    expect(await saying('100 Continue')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    expect(statuses(await closed)).toEqual(['100', '403']);
  });

  test('one that is too long is refused after what was sent is read, and the connection ends', async () => {
    const port = await start();
    const size = 1024 * 1024 + 1;
    const body = Buffer.alloc(size, 'x');
    const answers = await Promise.all([
      untilClosed(port, head('PUT /environments/a', `Content-Length: ${size}`), body),
      untilClosed(port, head('PUT /environments/a', `Content-Length: ${size}`)),
      untilClosed(
        port,
        `${head('PUT /environments/a', 'Transfer-Encoding: chunked')}${size.toString(16)}\r\n`,
        body,
        '\r\n0\r\n\r\n',
      ),
    ]);
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 413 .*x-amzn-errortype: RequestEntityTooLargeException/s);
      expect(answer).toContain('connection: close\r\n');
    }
  });

  test('who goes away in the middle of a body or of a call disturbs nobody', async () => {
    const verifier = heldVerifier();
    const port = await start({ verify: verifier.verify });
    const cut = await open(port);
    cut.socket.write(`${head('PUT /environments/a', 'Content-Length: 10')}{}`);
    const reset = await open(port);
    reset.socket.write(`${head('PUT /environments/a', 'Transfer-Encoding: chunked')}2\r\n{}\r\n`);
    const gone = await open(port);
    gone.socket.write(await signedHead('GET /environments'));
    while (verifier.asked() === 0) await delay(5);
    cut.socket.destroy();
    reset.socket.resetAndDestroy();
    gone.socket.destroy();
    await Promise.all([cut.closed, reset.closed, gone.closed]);
    verifier.letGo();
    expect(statuses(await untilClosed(port, head('GET /health', last)))).toEqual(['200']);
  });
});

describe('closing', () => {
  test('ends idle connections, answers what is at work and what comes after it, and lets nobody in', async () => {
    const verifier = heldVerifier();
    const port = await start({ verify: verifier.verify });
    const idle = await open(port);
    idle.socket.write(head('GET /health'));
    await idle.saying(healthy);
    const working = await open(port);
    working.socket.write(await signedHead('GET /environments'));
    while (verifier.asked() === 0) await delay(5);
    const closed = server?.close();
    await idle.closed;
    expect(statuses(await untilClosed(port, head('GET /health')))).toEqual([]);
    verifier.letGo();
    await working.saying('{"Environments":[]}');
    working.socket.write(head('GET /health', last));
    expect(statuses(await working.closed)).toEqual(['200', '200']);
    await closed;
  });

  test('waits for a request that comes whole in time, and not for ever for one that does not', async () => {
    const port = await start();
    const begin = async () => {
      const begun = await open(port);
      begun.socket.write(head('PUT /environments/a', 'Expect: 100-continue', 'Content-Length: 2', last));
      await begun.saying('100 Continue');
      return begun;
    };
    const [late, never] = [await begin(), await begin()];
    const closed = server?.close();
    await delay(300);
    late.socket.write('{}');
    expect(statuses(await late.closed)).toEqual(['100', '403']);
    await closed;
    expect(statuses(await never.closed)).toEqual(['100']);
  });
});
