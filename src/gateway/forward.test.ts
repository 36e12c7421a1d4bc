import type { IncomingMessage, ServerResponse } from 'node:http';
import { get, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { browserCookie, fetchFrom, navigate, scriptCookie, t, three, two, useDoors } from './test-clients.ts';

useDoors();

describe('what goes to Airflow', () => {
  it('is built anew: one assertion, no identity of the client, no cookie but its own', async () => {
    const cookie = `${await browserCookie()}; session=s; _token=t; remember_token=r; airflow_aaaaaaaaaaaa=own; airflow_bbbbbbbbbbbb=x`;
    const client = {
      ...{ cookie, authorization: 'Bearer stolen', 'remote-user': 'admin', 'x-forwarded-user': 'admin' },
      ...{
        'x-forwarded-for': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-original-url': '/admin',
        script_name: '/x',
      },
      ...{
        x_forwarded_proto: 'http',
        connection: 'x-csrftoken, keep-alive',
        'x-csrftoken': 'c',
        'x-windsock': '1',
      },
      ...{ accept: 'text/html', referer: `${two.origin}/home`, ...fetchFrom(two.origin) },
    };
    const answer = await t.ask(two.port, {
      method: 'POST',
      path: '/paused?x=%2F1',
      headers: client,
      body: 'a=b',
    });
    expect([answer.status, answer.body]).toEqual([200, 'from airflow']);
    const [seen] = t.airflow.seen;
    expect([seen?.method, seen?.url, seen?.body]).toEqual(['POST', '/paused?x=%2F1', 'a=b']);
    const { authorization, connection, ...rest } = seen?.headers ?? {};
    expect(authorization).toMatch(/^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(connection).toBe('keep-alive');
    expect(rest).toEqual({
      ...{
        accept: 'text/html',
        cookie: 'airflow_aaaaaaaaaaaa=own',
        'content-length': '3',
        host: two.hostname,
      },
      ...{ origin: two.origin, referer: `${two.origin}/home`, 'x-csrftoken': 'c' },
      ...{ 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
      ...{
        'x-forwarded-for': expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
        'x-forwarded-host': two.hostname,
      },
      ...{ 'x-forwarded-port': String(two.port), 'x-forwarded-proto': 'https' },
    });
  });

  it('never holds the body {} of a GET', async () => {
    const cookie = await scriptCookie();
    const headers = { cookie, 'content-type': 'application/json', 'content-length': '2' };
    expect((await t.ask(two.port, { path: '/api/v1/dags', headers, body: '{}' })).status).toBe(200);
    expect(t.airflow.seen[0]?.body).toBe('');
    expect(t.airflow.seen[0]?.headers['content-type']).toBeUndefined();
    expect((await t.ask(two.port, { headers, body: '[]' })).status).toBe(400);
  });

  it('is not sent for other sites', async () => {
    const cookie = await browserCookie();
    const status = async (o: { method?: string; path?: string; headers: Record<string, string> }) =>
      (await t.ask(two.port, { ...o, headers: { cookie, ...o.headers } })).status;
    const own = fetchFrom(two.origin);
    const sibling = { origin: three.origin, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' };
    expect(await status({ method: 'POST', headers: own })).toBe(200);
    expect(await status({ method: 'POST', headers: sibling })).toBe(403);
    expect(await status({ method: 'DELETE', headers: { 'sec-fetch-site': 'none' } })).toBe(403);
    expect(await status({ headers: { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' } })).toBe(
      403,
    );
    expect(
      await status({ headers: { ...navigate, 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'iframe' } }),
    ).toBe(403);
    expect(await status({ headers: { ...navigate, 'sec-fetch-site': 'same-site' } })).toBe(200);
    for (const path of ['/dags/d/trigger', '/trigger?dag_id=d', '/dags/%64/trigger']) {
      expect(await status({ path, headers: { ...navigate, 'sec-fetch-site': 'cross-site' } }), path).toBe(
        403,
      );
      expect(await status({ path, headers: { ...navigate, 'sec-fetch-site': 'same-origin' } }), path).toBe(
        200,
      );
    }
  });

  it('never reaches the closed paths, however they are spelled', async () => {
    const headers = { cookie: await scriptCookie(three) };
    const closed = [
      '/execution/x',
      '/%65xecution/x',
      '/execution%2fx',
      '/auth/token',
      '/auth/token/cli',
      '/ui/auth/token',
    ];
    for (const path of closed) expect((await t.ask(three.port, { path, headers })).status, path).toBe(403);
    for (const path of [
      '/x/../execution/x',
      '/x/%2e%2e/execution',
      '//execution/x',
      '/x/%252e%252e/y',
      '/a\\b',
      '/a%5cb',
      '/%c0%af',
      '/a%00b',
    ]) {
      expect((await t.ask(three.port, { path, headers })).status, path).toBe(400);
    }
    expect((await t.ask(three.port, { path: '/aws_mwaa%2fcli', method: 'POST', headers })).status).toBe(404);
    expect((await t.ask(three.port, { path: '/api/v2/auth/login', headers: { ...navigate } })).status).toBe(
      401,
    );
    expect(t.airflow.seen).toEqual([]);
  });

  it('stops when the client goes', async () => {
    const gone = new Promise<string>((resolve) => {
      t.airflow.state.reply = (req: IncomingMessage, res: ServerResponse) => {
        res.write('first');
        req.once('close', () => resolve('gone'));
      };
    });
    const headers = { cookie: await scriptCookie() };
    const req = get(
      { host: 'localhost', port: two.port, ca: t.authority.rootPem, agent: false, headers },
      (res) => {
        res.on('error', () => {});
        res.once('data', () => req.destroy());
      },
    );
    expect(await Promise.race([gone, sleep(2000, 'still there')])).toBe('gone');
  });

  it('streams up and down without collecting', async () => {
    t.airflow.state.reply = (req: IncomingMessage, res: ServerResponse) => void req.pipe(res);
    const headers = { cookie: await scriptCookie(), 'content-type': 'text/plain' };
    const pieces: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const req = request(
        { host: 'localhost', port: two.port, ca: t.authority.rootPem, method: 'POST', agent: false, headers },
        (res) => {
          res.on('data', (c: Buffer) => {
            pieces.push(c.toString());
            if (pieces.length === 3) req.end();
            else req.write(`piece ${pieces.length}`);
          });
          res.on('end', resolve);
        },
      );
      req.on('error', reject);
      req.write('piece 0');
    });
    expect(pieces).toEqual(['piece 0', 'piece 1', 'piece 2']);
  });

  it('is sent once more when a kept connection broke before an answer, unless it may change something', async () => {
    let asked = 0;
    t.airflow.state.reply = (req: IncomingMessage, res: ServerResponse) => {
      asked += 1;
      if (asked === 1) req.socket.destroy();
      else res.end(`answer ${asked}`);
    };
    const headers = { cookie: await scriptCookie() };
    expect(await t.ask(two.port, { headers })).toMatchObject({ status: 200, body: 'answer 2' });
    for (const o of [{ method: 'POST' }, { path: '/dags/a/trigger' }]) {
      asked = 0;
      expect((await t.ask(two.port, { headers, ...o })).status).toBe(502);
      expect(asked).toBe(1);
    }
  });

  it('has a bounded body', async () => {
    const headers = { cookie: await scriptCookie(), 'content-length': String(10 * 1024 ** 3) };
    const req = request({
      host: 'localhost',
      port: two.port,
      ca: t.authority.rootPem,
      method: 'POST',
      agent: false,
      headers,
    });
    const status = new Promise<number>((resolve, reject) => {
      req.on('response', (res) => resolve(res.statusCode ?? 0));
      req.on('error', reject);
    });
    req.flushHeaders();
    expect(await status).toBe(413);
    req.destroy();
  });
});
