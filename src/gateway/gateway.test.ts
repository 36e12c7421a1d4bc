import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { get, request } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Got, mintOf, openTestDoor, recordOf, type TestDoor } from './test-door.ts';

const folder = mkdtempSync(join(tmpdir(), 'windsock-door-'));
let t: TestDoor;
let two: Awaited<ReturnType<TestDoor['open']>>;
let three: typeof two;

beforeAll(async () => {
  t = await openTestDoor(folder, 17443);
  two = await t.open(recordOf('aaaaaaaaaaaa', 'demo', '2.7.2'));
  three = await t.open(recordOf('bbbbbbbbbbbb', 'newer', '3.3.1'));
});
afterAll(async () => {
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});
const target = () => ({ host: '127.0.0.1', port: t.airflow.port, startId: '1' });
beforeEach(() => {
  t.world.target = target();
  t.world.roles = ['Admin'];
  t.airflow.state.reply = undefined;
  t.airflow.seen.length = 0;
  t.audit.length = 0;
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const fetchFrom = (origin: string) => ({ origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' });
const navigate = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

const webToken = (door = two, name = 'ann') =>
  t.tokens.webLoginToken(door.record, mintOf(name), `user/${name}`);
const loginPath = (door: typeof two) => (door === two ? '/aws_mwaa/login' : '/pluginsv2/aws_mwaa/login');

const login = (door: typeof two, headers: Record<string, string>, token: string, more = '') =>
  t.ask(door.port, {
    method: 'POST',
    path: loginPath(door),
    headers: { ...form, ...headers },
    body: `token=${token}${more}`,
  });

const cookieOf = (answer: Got): string => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';

const browserCookie = async (door = two, name = 'ann') =>
  cookieOf(await login(door, fetchFrom(door.origin), await webToken(door, name)));
const scriptCookie = async (door = two) => cookieOf(await login(door, {}, await webToken(door)));

describe('signing in', () => {
  it('gives a browser the cookie that no script can plant', async () => {
    const answer = await login(two, fetchFrom(two.origin), await webToken());
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-Http-windsock-aaaaaaaaaaaa=wss_[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200$/,
      ),
    ]);
    expect(t.audit.map((e) => e.eventName)).toEqual(['WebLogin']);
  });

  it('gives a script the cookies that AWS documents', async () => {
    expect(await scriptCookie(two)).toMatch(/^session=wss_/);
    expect(await scriptCookie(three)).toMatch(/^_token=wss_/);
  });

  it('serves the path of the other Airflow version as 404', async () => {
    for (const [door, path] of [
      [two, loginPath(three)],
      [three, loginPath(two)],
    ] as const) {
      expect((await t.ask(door.port, { method: 'POST', path, headers: form, body: 'token=x' })).status).toBe(
        404,
      );
    }
  });

  it('refuses a used token, a CLI token and a token of elsewhere, and keeps a record', async () => {
    const token = await webToken();
    expect((await login(two, {}, token)).status).toBe(200);
    const again = await login(two, {}, token);
    expect(again.status).toBe(403);
    expect(again.headers['set-cookie']).toBeUndefined();
    const cli = await login(two, {}, await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann'));
    expect(JSON.parse(cli.body).message).toMatch(
      /This is a CLI token for environment demo.*CreateWebLoginToken/s,
    );
    const elsewhere = await login(two, {}, await webToken(three));
    expect(JSON.parse(elsewhere.body).message).toMatch(/environment newer, and this is environment demo/);
    await login(two, {}, 'rubbish');
    const refused = t.audit.filter((e) => e.eventName === 'WebLoginRefused').map((e) => e.errorMessage);
    expect(refused).toEqual(['already-used', 'wrong-kind', 'other-environment']);
  });

  it('refuses other origins, other forms and large bodies', async () => {
    const token = await webToken();
    const evil = { 'https://evil.example': 'cross-site', [three.origin]: 'same-site', null: 'same-origin' };
    for (const [origin, site] of Object.entries(evil)) {
      expect((await login(two, { origin, 'sec-fetch-site': site }, token)).status).toBe(403);
    }
    expect((await login(two, { 'content-type': 'text/plain' }, token)).status).toBe(415);
    expect((await login(two, {}, token, '&token=x')).status).toBe(400);
    expect((await login(two, {}, 'x'.repeat(9000))).status).toBe(413);
    expect((await login(two, {}, token)).status).toBe(200);
  });

  it('gives nothing to whom the policies of now give no role', async () => {
    const token = await webToken();
    t.world.roles = [];
    expect((await login(two, {}, token)).status).toBe(403);
    t.world.roles = ['Viewer'];
    expect((await login(two, {}, token)).status).toBe(200);
  });

  it('asks before another principal takes over, and ends the earlier session', async () => {
    const ann = await browserCookie();
    const headers = { ...fetchFrom(two.origin), cookie: ann };
    const bob = await webToken(two, 'bob');
    const asked = await login(two, headers, bob);
    expect([asked.status, JSON.parse(asked.body).current]).toEqual([409, 'user/ann']);
    const agreed = await login(two, headers, bob, '&replace=yes');
    expect(agreed.status).toBe(200);
    expect((await t.ask(two.port, { headers: { 'sec-fetch-site': 'none', cookie: ann } })).status).toBe(401);
    const again = await login(
      two,
      { ...fetchFrom(two.origin), cookie: cookieOf(agreed) },
      await webToken(two, 'bob'),
    );
    expect(again.status).toBe(200);
  });

  it('is refused once the environment is being deleted', async () => {
    t.records.set(two.record.id, { ...two.record, status: 'DELETING' });
    expect((await login(two, {}, await webToken())).status).toBe(404);
    t.records.set(two.record.id, two.record);
  });
});

describe('a session', () => {
  it('opens only in its kind of request and only here', async () => {
    const [browser, script, newer] = [await browserCookie(), await scriptCookie(), await scriptCookie(three)];
    const status = async (port: number, headers: Record<string, string>) =>
      (await t.ask(port, { headers })).status;
    expect(await status(two.port, { cookie: browser, ...navigate })).toBe(200);
    expect(await status(two.port, { cookie: browser })).toBe(401);
    expect(await status(two.port, { cookie: script })).toBe(200);
    expect(await status(two.port, { cookie: script, ...navigate })).toBe(401);
    const secret = newer.replace('_token=', '');
    expect(await status(three.port, { authorization: `Bearer ${secret}` })).toBe(200);
    expect(await status(three.port, { cookie: newer })).toBe(200);
    expect(await status(two.port, { authorization: `Bearer ${secret}` })).toBe(401);
    expect(await status(two.port, { cookie: `session=${secret}` })).toBe(401);
    expect(await status(two.port, { cookie: `${script}; session=planted` })).toBe(401);
    const asOther = browser.replace('aaaaaaaaaaaa', 'bbbbbbbbbbbb');
    expect(await status(three.port, { cookie: asOther, ...navigate })).toBe(401);
  });

  it('is missing: a page for people, JSON for programs, an explanation for tokens in the wrong place', async () => {
    const page = await t.ask(two.port, { headers: navigate });
    expect(page.status).toBe(401);
    expect(page.body).toContain('windsock open demo');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const api = await t.ask(three.port, { headers: { authorization: `Bearer ${await webToken(three)}` } });
    expect(api.status).toBe(401);
    expect(JSON.parse(api.body).detail).toMatch(/This is a web login token.*exchanged for a session/);
  });

  it('ends on a POST of its own page and on nothing else', async () => {
    const cookie = await browserCookie();
    const path = '/aws_mwaa/sign-out';
    const asked = await t.ask(two.port, { path, headers: { cookie, ...navigate } });
    expect(asked.body).toContain('method="post"');
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: three.origin, 'sec-fetch-site': 'same-site' },
    ]) {
      expect((await t.ask(two.port, { method: 'POST', path, headers: { cookie, ...headers } })).status).toBe(
        403,
      );
    }
    expect((await t.ask(two.port, { headers: { cookie, ...navigate } })).status).toBe(200);
    const done = await t.ask(two.port, {
      method: 'POST',
      path,
      headers: { cookie, ...fetchFrom(two.origin) },
    });
    expect(done.headers['set-cookie']).toHaveLength(2);
    expect((await t.ask(two.port, { headers: { cookie, ...navigate } })).status).toBe(401);
  });

  it('cuts what is open within a second when it ends', async () => {
    t.airflow.state.reply = (_req: IncomingMessage, res: ServerResponse) => void res.write('first');
    const cookie = await scriptCookie();
    const cut = new Promise<string>((resolve) => {
      const req = get(
        { host: 'localhost', port: two.port, ca: t.authority.rootPem, agent: false, headers: { cookie } },
        (res) => {
          res.once('data', () => {
            const after = t.stores.inTransaction((tx) => t.tokens.endAll(tx, two.record.id));
            void after.then((announce) => announce());
          });
          res.on('error', () => resolve('cut'));
          res.on('end', () => resolve('end'));
        },
      );
      req.on('error', () => resolve('cut'));
    });
    expect(await Promise.race([cut, sleep(1000, 'open')])).toBe('cut');
  });
});

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

describe('the CLI endpoint', () => {
  const call = async (body: string | Buffer, token?: string) =>
    t.ask(two.port, {
      ...{ method: 'POST', path: '/aws_mwaa/cli', body },
      headers: {
        authorization: `Bearer ${token ?? (await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann'))}`,
        'content-type': 'text/plain',
      },
    });

  it('runs words, answers base64 and records the first two words only', async () => {
    const answer = await call(`connections add x --conn-password 'a secret'`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ stdout: Buffer.from('out\n').toString('base64'), stderr: '' });
    expect(t.world.words.at(-1)).toEqual(['connections', 'add', 'x', '--conn-password', 'a secret']);
    expect(t.audit.map((e) => e.eventName)).toEqual(['UseCliToken', 'RunCliCommand']);
    expect(JSON.stringify(t.audit)).not.toContain('secret');
  });

  it('maps what the driver answers', async () => {
    t.world.cli = { kind: 'refused', reason: 'no such command' };
    const refused = await call('users list');
    expect(refused.status).toBe(500);
    expect(Buffer.from(JSON.parse(refused.body).stderr, 'base64').toString()).toBe('no such command\n');
    t.world.cli = { kind: 'busy' };
    expect((await call('dags list')).status).toBe(429);
    t.world.cli = { kind: 'timed-out' };
    expect((await call('dags list')).status).toBe(504);
  });

  it('refuses what is no fresh CLI token of this environment, and bodies that are no command', async () => {
    const web = await call('dags list', await webToken());
    expect([web.status, JSON.parse(web.body).message]).toEqual([
      403,
      expect.stringMatching(/web login token.*CreateCliToken/s),
    ]);
    expect((await call('dags list', 'x')).status).toBe(403);
    expect((await t.ask(two.port, { method: 'POST', path: '/aws_mwaa/cli', body: 'version' })).status).toBe(
      401,
    );
    for (const body of [`a 'b`, Buffer.from([0xff]), '  ']) expect((await call(body)).status).toBe(400);
    expect((await call('x'.repeat(65 * 1024))).status).toBe(413);
    expect((await t.ask(two.port, { path: '/aws_mwaa/cli' })).status).toBe(405);
  });
});

describe('the listener', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = tlsConnect({ host: 'localhost', port: two.port, ca: t.authority.rootPem }, () =>
        socket.write(text),
      );
      let got = '';
      socket.on('data', (d: Buffer) => {
        got += d.toString();
      });
      socket.on('close', () => resolve(got));
      socket.on('error', () => resolve(got));
      setTimeout(() => socket.destroy(), 1500);
    });
  const statusOf = async (text: string) => (await raw(text)).split(' ')[1];
  const host = () => `Host: ${two.hostname}\r\n`;

  it('refuses what parsers may read differently', async () => {
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}Host: evil\r\nConnection: close\r\n\r\n`)).toBe('400');
    expect(
      await statusOf(
        `GET / HTTP/1.1\r\n${host()}Authorization: a\r\nAuthorization: b\r\nConnection: close\r\n\r\n`,
      ),
    ).toBe('400');
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`)).toBe(
      '400',
    );
    expect(await statusOf(`GET https://evil/x HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('400');
    expect(await statusOf(`GET /x#y HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('400');
    expect(await statusOf(`GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)).toBe('421');
    expect(await statusOf('GET / HTTP/1.0\r\n\r\n')).toBe('400');
    expect(await statusOf(`TRACE / HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('405');
    expect(await statusOf(`CONNECT x:1 HTTP/1.1\r\n${host()}\r\n`)).toBe('405');
    const many = 'A: b\r\n'.repeat(1001);
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}${many}Connection: close\r\n\r\n`)).toBe('431');
  });

  it('tells plain HTTP to use https', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: two.port }, () =>
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      socket.once('data', (d) => resolve(d.toString()));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*https:\/\//);
  });

  it('answers on both loopback families, and counts a port that lacks one as taken', async () => {
    for (const address of ['127.0.0.1', '::1']) {
      const answer = await t.ask(two.port, {
        host: address,
        servername: 'localhost',
        headers: { host: two.hostname },
      });
      expect(answer.status).toBe(401);
    }
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(three.port + 1, '::1', resolve));
    const next = await t.open(recordOf('cccccccccccc', 'third', '3.3.1'));
    expect(next.port).toBe(three.port + 2);
    const known = {
      ...recordOf('dddddddddddd', 'fourth', '3.3.1'),
      webserverHostname: `localhost:${three.port + 1}`,
    };
    await expect(t.open(known)).rejects.toThrow(/Port \d+ .* environment fourth, is taken/);
    await new Promise((resolve) => squatter.close(resolve));
    expect((await t.open(known)).hostname).toBe(known.webserverHostname);
    await t.gateway.door.close('cccccccccccc');
    expect([t.gateway.door.isOpen('cccccccccccc'), t.gateway.door.isOpen('dddddddddddd')]).toEqual([
      false,
      true,
    ]);
    await expect(t.ask(next.port)).rejects.toThrow(/ECONNREFUSED/);
  });
});
