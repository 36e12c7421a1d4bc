import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { browserCookie, t, three, two, useDoors } from './test-clients.ts';

useDoors();

describe('a WebSocket', () => {
  const opening = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'abc',
    'sec-websocket-version': '13',
  };
  const open = (
    headers: Record<string, string>,
  ): Promise<{ status: number; headers?: Record<string, unknown>; socket?: import('node:stream').Duplex }> =>
    new Promise((resolve, reject) => {
      const req = request({
        host: 'localhost',
        port: two.port,
        ca: t.authority.rootPem,
        agent: false,
        path: '/ws',
        headers: { ...opening, ...headers },
      });
      req.on('upgrade', (res, socket) => resolve({ status: 101, headers: res.headers, socket }));
      req.on('response', (res) => resolve({ status: res.statusCode ?? 0 }));
      req.on('error', reject);
      req.end();
    });

  it('reaches Airflow with the assertion, carries bytes both ways and ends with the session', async () => {
    t.airflow.state.upgrade = (socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: yes\r\nSet-Cookie: a=b\r\n\r\n',
      );
      socket.pipe(socket).on('error', () => {});
    };
    const cookie = await browserCookie();
    const { status, headers, socket } = await open({
      cookie,
      origin: two.origin,
      'sec-fetch-site': 'same-origin',
    });
    expect([status, headers?.['sec-websocket-accept'], headers?.['set-cookie']]).toEqual([
      101,
      'yes',
      undefined,
    ]);
    expect(t.airflow.state.upgraded.at(-1)?.authorization).toMatch(/^Bearer ey/);
    socket?.write('ping');
    expect(await new Promise((resolve) => socket?.once('data', (d: Buffer) => resolve(d.toString())))).toBe(
      'ping',
    );
    const closed = new Promise((resolve) => socket?.once('close', () => resolve('closed')));
    (await t.stores.inTransaction((tx) => t.tokens.endAll(tx, two.record.id)))();
    expect(await Promise.race([closed, sleep(1000, 'open')])).toBe('closed');
  });

  it('needs a session and its own origin', async () => {
    expect((await open({ origin: two.origin })).status).toBe(401);
    const cookie = await browserCookie();
    expect((await open({ cookie, origin: three.origin, 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await open({ cookie, origin: two.origin, upgrade: 'h2c' })).status).toBe(400);
  });
});
