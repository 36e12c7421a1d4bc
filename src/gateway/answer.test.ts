import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { browserCookie, navigate, scriptCookie, t, target, three, two, useDoors } from './test-clients.ts';

useDoors();

describe('what comes from Airflow', () => {
  it('passes without its other cookies, its server headers and its loopback address', async () => {
    const own = 'airflow_aaaaaaaaaaaa';
    t.airflow.state.reply = (_req: IncomingMessage, res: ServerResponse) => {
      res.setHeader('set-cookie', [
        `${own}=v; Domain=evil.example; Path=/x; Max-Age=5`,
        'session=s; Path=/',
        '_token=t',
      ]);
      res.writeHead(302, {
        ...{ location: `http://127.0.0.1:${t.airflow.port}/home?a=1`, server: 'gunicorn', 'x-thing': 'kept' },
        ...{ 'strict-transport-security': 'max-age=1', 'clear-site-data': '"cookies"' },
      });
      res.end();
    };
    const { status, headers } = await t.ask(two.port, { headers: { cookie: await scriptCookie() } });
    expect([status, headers.location, headers['x-thing']]).toEqual([302, '/home?a=1', 'kept']);
    expect(headers['set-cookie']).toEqual([`${own}=v; Max-Age=5; Path=/; Secure; HttpOnly; SameSite=Lax`]);
    for (const name of ['server', 'strict-transport-security', 'clear-site-data'])
      expect(headers[name]).toBeUndefined();
  });

  it('is a 503 page that reloads until this start was checked, and 502 when it does not answer', async () => {
    const cookie = await browserCookie();
    t.world.target = undefined;
    const page = await t.ask(two.port, { headers: { cookie, ...navigate } });
    expect([page.status, page.headers['retry-after']]).toEqual([503, '2']);
    expect(page.body).toContain('http-equiv="refresh"');
    const api = await t.ask(two.port, { path: '/api/v1/dags' });
    expect([api.status, JSON.parse(api.body).status]).toEqual([503, 503]);
    t.world.target = { host: '127.0.0.1', port: 1, startId: '2' };
    expect((await t.ask(two.port, { headers: { cookie, ...navigate } })).status).toBe(502);
  });

  it('comes only from the account that the environment runs under', async () => {
    const cookie = await scriptCookie();
    const uid = process.getuid?.() ?? 0;
    t.world.target = { ...target(), startId: 'own', uid };
    expect((await t.ask(two.port, { headers: { cookie } })).status).toBe(200);
    t.world.target = { ...target(), startId: 'strange', uid: uid + 1 };
    expect((await t.ask(two.port, { headers: { cookie } })).status).toBe(502);
    expect(t.airflow.seen).toHaveLength(1);
  });
});

describe('what the door refuses', () => {
  it('is a page for people and JSON for programs, with the same words', async () => {
    const path = '/auth/token';
    const page = await t.ask(three.port, { path, headers: navigate });
    expect([page.status, page.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8']);
    expect(page.body).toContain('This path is not served');
    const api = await t.ask(three.port, { path });
    expect([api.status, JSON.parse(api.body).message]).toEqual([
      403,
      expect.stringContaining('This path is not served'),
    ]);
  });
});
