import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTo, StrangeServer } from './connector.ts';
import { passedResponseHeaders, upstreamHeaders } from './headers.ts';
import { healthPage } from './health-page.ts';
import { acceptingUid, procAddress, uidIn } from './peer.ts';
import { createUpstreamPools } from './pool.ts';
import { checkStart } from './start-check.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const serve = async (listener: RequestListener) => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, startId: '1' };
};

const me = process.getuid?.() ?? 0;

describe('the accepting account', () => {
  it('is read from the line of exactly this connection, once it was accepted', () => {
    const line = (ends: string, uid: number, inode: number) =>
      `   1: ${ends} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 0 10 -1`;
    const ends = '0100007F:1F90 0100007F:ABCD';
    const table = `header\n${line('0100007F:ABCD 0100007F:1F90', 7, 5)}\n${line(ends, 1001, 9)}\n`;
    expect(uidIn(table, '0100007F:1F90', '0100007F:ABCD')).toBe(1001);
    expect(uidIn(`header\n${line(ends, 0, 0)}\n`, '0100007F:1F90', '0100007F:ABCD')).toBeUndefined();
    expect(procAddress('127.0.0.1', 8080)).toBe('0100007F:1F90');
    expect(procAddress('::1', 8080)).toBe('00000000000000000000000001000000:1F90');
  });

  it('is ours for our own server', async () => {
    const socket = await connectTo({ ...(await serve((_q, res) => res.end())), uid: me });
    expect(await acceptingUid(socket, 1000)).toBe(me);
    socket.destroy();
  });

  it('of another refuses the connection before a byte is sent', async () => {
    let bytes = 0;
    const tcp = createTcp((socket) => socket.on('data', (d) => (bytes += d.length)).on('error', () => {}));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const target = {
      host: '127.0.0.1',
      port: (tcp.address() as AddressInfo).port,
      startId: '1',
      uid: me + 1,
    };
    await expect(connectTo(target)).rejects.toThrow(StrangeServer);
    const pools = createUpstreamPools();
    await expect(pools.of('a', target).request({ path: '/', method: 'GET' })).rejects.toThrow(StrangeServer);
    expect(bytes).toBe(0);
    pools.close();
    await new Promise((resolve) => tcp.close(resolve));
  });
});

it('a pool lives as long as one start', async () => {
  const target = await serve((_q, res) => res.end('ok'));
  const pools = createUpstreamPools();
  const first = pools.of('a', target);
  expect(pools.of('a', target)).toBe(first);
  expect(pools.of('b', target)).not.toBe(first);
  const second = pools.of('a', { ...target, startId: '2' });
  expect(second).not.toBe(first);
  await expect(first.request({ path: '/', method: 'GET' })).rejects.toThrow();
  const answer = await second.request({ path: '/', method: 'GET' });
  expect(await answer.body.text()).toBe('ok');
  pools.close();
});

describe('checkStart', () => {
  const gate =
    (health: string, open: readonly string[] = []): RequestListener =>
    (req, res) => {
      res.statusCode = req.url === health || open.includes(req.url ?? '') ? 200 : 401;
      res.end();
    };

  it('is ready when it is healthy and refuses strangers', async () => {
    expect(await checkStart(await serve(gate('/health')), '2.7.2')).toBe('ready');
    expect(await checkStart(await serve(gate('/api/v2/monitor/health')), '3.3.1')).toBe('ready');
  });

  it('notices every page that is open', async () => {
    for (const page of ['/home', '/login/', '/api/v1/dags']) {
      expect(await checkStart(await serve(gate('/health', [page])), '2.10.3'), page).toBe(
        'open-to-strangers',
      );
    }
    for (const page of ['/', '/auth/login/', '/api/v2/version', '/openapi.json']) {
      const target = await serve(gate('/api/v2/monitor/health', [page]));
      expect(await checkStart(target, '3.0.6'), page).toBe('open-to-strangers');
    }
    const redirecting: RequestListener = (req, res) => {
      res.writeHead(req.url === '/health' ? 200 : 302, { location: '/login/' });
      res.end();
    };
    expect(await checkStart(await serve(redirecting), '2.7.2')).toBe('open-to-strangers');
  });

  it('waits for what is not there, not healthy or not its own', async () => {
    expect(await checkStart({ host: '127.0.0.1', port: 1, startId: '1' }, '3.3.1')).toBe('starting');
    const failing = await serve((req, res) => {
      res.statusCode = req.url === '/health' ? 200 : 500;
      res.end();
    });
    expect(await checkStart(failing, '2.7.2')).toBe('starting');
    expect(await checkStart({ ...(await serve(gate('/health'))), uid: me + 1 }, '2.7.2')).toBe('starting');
  });
});

describe('headers', () => {
  const facts = { hostname: 'localhost:7443', clientIp: '127.0.0.1', assertion: 'a', cookie: undefined };

  it('of a foreign page do not pass', () => {
    const client = new Map([
      ['referer', 'https://localhost:7443.evil.example/'],
      ['origin', 'https://localhost:7444'],
      ['sec-websocket-key', 'k'],
      ['transfer-encoding', 'chunked'],
    ]);
    expect(upstreamHeaders(client, facts)).toEqual({
      authorization: 'Bearer a',
      host: 'localhost:7443',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'localhost:7443',
      'x-forwarded-port': '7443',
      'x-forwarded-proto': 'https',
    });
    expect(upstreamHeaders(client, facts, 'upgrade')['sec-websocket-key']).toBe('k');
  });

  it('that an answer names as hop-by-hop do not pass', () => {
    const upstream = {
      connection: 'X-Hop, close',
      'x-hop': '1',
      etag: 'e',
      te: 'x',
      'content-encoding': 'gzip',
    };
    expect(passedResponseHeaders(upstream)).toEqual({ etag: 'e', 'content-encoding': 'gzip' });
  });
});

describe('the health page', () => {
  it('is what the web server gives', async () => {
    const target = await serve((_q, res) => res.end('{"metadatabase":{"status":"healthy"}}'));
    expect(await healthPage({ ...target, uid: me }, '/health')).toEqual({
      metadatabase: { status: 'healthy' },
    });
  });

  it('is not asked of a program of another account', async () => {
    let asked = 0;
    const target = await serve((_q, res) => {
      asked += 1;
      res.end('{}');
    });
    expect(await healthPage({ ...target, uid: me + 1 }, '/health')).toBeUndefined();
    expect(asked).toBe(0);
  });

  it('of a program that is suspended is not waited for longer than was said', async () => {
    const program = `const s = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = await once(child.stdout, 'data');
      child.kill('SIGSTOP');
      const target = { host: '127.0.0.1', port: Number(port), startId: '1', uid: me };
      expect(await healthPage(target, '/health', 200)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('that has no end is not read to it, and what is no JSON is none', async () => {
    const endless = await serve((_q, res) => {
      const more = () => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
      };
      res.on('drain', more);
      more();
    });
    expect(await healthPage(endless, '/health')).toBeUndefined();
    expect(await healthPage(await serve((_q, res) => res.end('<p>')), '/health')).toBeUndefined();
  });
});
