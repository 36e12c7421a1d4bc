// The door of one running environment, seen by somebody who means no good.
import { request } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { accountOf, isRoot } from '../harness/accounts.ts';
import { assertionFor } from '../harness/assertion.ts';
import { putDag, sayingDag } from '../harness/dags.ts';
import {
  ask,
  cookieOf,
  outputOf,
  postCommand,
  postLogin,
  runCommand,
  type Session,
  signIn,
} from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import { environmentOf, processesOf } from '../harness/processes.ts';
import { environmentIds, type Place, serverLog } from '../harness/server.ts';
import { browserHeaders, revokeSessions } from '../harness/sessions.ts';
import { exchange, exchangePlain, statusOf } from '../harness/socket.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { openSocket } from '../harness/websocket.ts';
import { heard, letSpeak, speakingPath, spoken } from './speaking.ts';

const name = 'three';
let place: Place;
let mint: Minter;
let hostname: string;
let session: Session;

const used = useServer({ airflow: ['3.3.1'] });
beforeAll(async () => {
  ({ place } = used);
  putDag(place, name, 'a.py', sayingDag('a', 'a'));
  const mwaa = new Mwaa(place);
  await mwaa.call('create_environment', newEnvironment(place, name, '3.3.1'));
  const { environment } = await mwaa.wait(name, 'AVAILABLE', 600);
  expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
  mint = new Minter(place);
  session = await signIn(place, mint, name, 3);
  hostname = session.hostname;
}, 700_000);

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(place, hostname, path, { headers });
const navigation = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  accept: 'text/html',
};

/** A browser's cookie, as its own page posts the token. */
const browserCookie = async (): Promise<string> => {
  const token = await mint.webToken(name);
  const answer = await postLogin(place, token, 3, {
    headers: { origin: `https://${hostname}`, 'sec-fetch-site': 'same-origin' },
  });
  expect(answer.status).toBe(200);
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  return cookie;
};

describe('tokens', () => {
  test('A02: the same token in 20 parallel posts opens exactly one session', async () => {
    const token = await mint.webToken(name);
    const answers = await Promise.all(Array.from({ length: 20 }, () => postLogin(place, token, 3)));
    expect(answers.filter((a) => a.status === 200)).toHaveLength(1);
    expect(answers.filter((a) => a.status === 403)).toHaveLength(19);
  });

  test('A06, A07: a token that is changed in any way is not one of ours', async () => {
    const token = await mint.webToken(name);
    const [head = '', claims = '', signature = ''] = token.WebToken.split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    const body = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const forged = [
      `${encode({ ...header, alg: 'none' })}.${claims}.`,
      `${encode({ ...header, alg: 'HS256' })}.${claims}.${signature}`,
      `${encode({ ...header, kid: '../../../dev/null' })}.${claims}.${signature}`,
      `${encode({ ...header, jku: 'https://evil.example/keys' })}.${claims}.${signature}`,
      `${head}.${encode({ ...body, user: 'other' })}.${signature}`,
      `${head}.${claims}.${flipped}`,
      `${head}.${claims}.${signature.slice(0, -4)}`,
      `${head}.${claims}.${signature}.`,
      `${head}.${claims}`,
      'x',
    ];
    for (const WebToken of forged) {
      const answer = await postLogin(place, { ...token, WebToken }, 3);
      expect([400, 403], WebToken).toContain(answer.status);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await postLogin(place, token, 3)).status).toBe(200);
  });

  test('A08: a token in the query is not taken', async () => {
    const { WebToken } = await mint.webToken(name);
    const path = `/pluginsv2/aws_mwaa/login?token=${WebToken}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await ask(place, hostname, path, { method: 'POST', headers, body: '' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await get(`/aws_mwaa/aws-console-sso?token=${WebToken}`)).headers['set-cookie']).toBeUndefined();
    expect(serverLog(place)).not.toContain(WebToken);
  });

  test('A09, A24: the login page sends no referrer, loads nothing from elsewhere, and is not framed', async () => {
    const page = await get('/aws_mwaa/aws-console-sso?login=true', navigation);
    expect(page.status).toBe(200);
    expect(page.headers['referrer-policy']).toBe('no-referrer');
    expect(page.headers['x-frame-options']).toBe('DENY');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(String(page.headers['content-security-policy'])).toMatch(/default-src 'none'/);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe('sessions', () => {
  test.for([
    ['another site', { origin: 'https://evil.example' }],
    ['another environment', { origin: 'https://localhost:1', 'sec-fetch-site': 'same-site' }],
    ['a page without origin', { origin: 'null' }],
    ['a cross-site form', { 'sec-fetch-site': 'cross-site' }],
  ] as const)('A13: a login posted by %s is refused, and the token stays good', async ([, headers]) => {
    const token = await mint.webToken(name);
    const answer = await postLogin(place, token, 3, { headers });
    expect(answer.status).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await postLogin(place, token, 3)).status).toBe(200);
  });

  test('A15: a cookie that was there before the login is not the session', async () => {
    const chosen = 'chosen-by-somebody-else';
    const answer = await postLogin(place, await mint.webToken(name), 3, {
      headers: { cookie: `_token=${chosen}` },
    });
    expect(cookieOf(answer, '_token')).not.toBe(chosen);
    expect((await get('/api/v2/dags', { authorization: `Bearer ${chosen}` })).status).toBe(401);
  });

  test("A16: a browser's cookie can be set by no script and no other host", async () => {
    const cookie = await browserCookie();
    expect(cookie).toMatch(/^__Host-Http-windsock-[a-z0-9]{12}=/);
    for (const attribute of ['; Secure', '; HttpOnly', '; Path=/', '; SameSite=Lax'])
      expect(cookie).toContain(attribute);
    expect(cookie).not.toMatch(/domain=/i);
  });

  test("a browser may not use a script's session, nor a script a browser's", async () => {
    const cookie = (await browserCookie()).split(';')[0] ?? '';
    expect((await get('/api/v2/dags', { ...navigation, cookie })).status).toBe(200);
    expect((await get('/api/v2/dags', { cookie })).status).toBe(401);
    expect((await get('/api/v2/dags', { ...navigation, ...session.headers })).status).toBe(401);
  });

  test('requests of other pages get nothing done with the session', async () => {
    const cookie = (await browserCookie()).split(';')[0] ?? '';
    for (const site of ['cross-site', 'same-site']) {
      const headers = { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
      expect((await get('/api/v2/dags', headers)).status).not.toBe(200);
      const unsafe = { ...headers, 'content-type': 'application/json' };
      const answer = await ask(place, hostname, '/api/v2/pools', {
        method: 'POST',
        headers: unsafe,
        body: '{"name":"x","slots":1}',
      });
      expect([401, 403]).toContain(answer.status);
    }
    expect((await session.get('/api/v2/pools/x')).status).toBe(404);
  });

  test('A26: an image cannot sign anybody out; a POST of the own page does', async () => {
    const cookie = (await browserCookie()).split(';')[0] ?? '';
    const signedIn = async () => (await get('/api/v2/dags', { ...navigation, cookie })).status === 200;
    const image = {
      cookie,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'no-cors',
      'sec-fetch-dest': 'image',
    };
    await get('/aws_mwaa/sign-out', image);
    await get('/aws_mwaa/sign-out', { ...navigation, cookie });
    await get('/auth/logout', image);
    expect(await signedIn()).toBe(true);
    const post = {
      cookie,
      origin: `https://${hostname}`,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'navigate',
    };
    const out = await ask(place, hostname, '/aws_mwaa/sign-out', { method: 'POST', headers: post });
    expect(out.status).toBe(200);
    expect(await signedIn()).toBe(false);
  });

  test("a script's session ends by a POST", async () => {
    const other = await signIn(place, mint, name, 3);
    expect((await other.get('/api/v2/dags')).status).toBe(200);
    await ask(place, hostname, '/aws_mwaa/sign-out', { method: 'POST', headers: other.headers });
    expect((await other.get('/api/v2/dags')).status).toBe(401);
  });
});

describe('requests', () => {
  test('without a session: a page for browsers, 401 for programs', async () => {
    const page = await get('/', navigation);
    expect(page.status).toBe(401);
    expect(page.text).toContain('create-web-login-token');
    expect((await get('/api/v2/dags')).status).toBe(401);
    expect((await get('/api/v2/dags', { authorization: 'Bearer x' })).status).toBe(401);
  });

  test('A25: another Host, or a forwarded one, never comes back in an answer', async () => {
    const other = await exchange(
      place,
      hostname,
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(statusOf(other)).toBe(421);
    expect(other).not.toContain('evil.example');
    const forwarded = await get('/dags', {
      ...session.headers,
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
    });
    expect(JSON.stringify(forwarded.headers) + forwarded.text).not.toContain('evil.example');
  });

  test.for([
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n'],
    ['length and chunks', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'],
    ['unknown coding', 'Transfer-Encoding: xchunked\r\n'],
    ['blank before the colon', 'X-A : b\r\n'],
    ['folded header', 'X-A: b\r\n c\r\n'],
    ['two hosts', 'Host: evil.example\r\n'],
    ['two authorizations', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'],
    ['a NUL', 'X-A: \0\r\n'],
  ] as const)('A28: ambiguous requests are refused: %s', async ([, lines]) => {
    const bytes = `GET /api/v2/version HTTP/1.1\r\nHost: ${hostname}\r\n${lines}Connection: close\r\n\r\n`;
    expect([400, 431]).toContain(statusOf(await exchange(place, hostname, bytes)));
  });

  test('A29, A30: headers that claim an identity give none', async () => {
    const claims = {
      'x-mwaa-assertion': 'a.b.c',
      'x-windsock-assertion': 'a.b.c',
      x_windsock_assertion: 'a.b.c',
      'remote-user': 'root',
      'x-forwarded-user': 'root',
      'x-original-url': '/api/v2/version',
      'script-name': '/x',
      connection: 'authorization, x-windsock-assertion',
    };
    expect((await get('/api/v2/dags', claims)).status).toBe(401);
    const mine = await get('/api/v2/dags', { ...claims, ...session.headers });
    expect(mine.status).toBe(200);
  });

  test.for([
    '/execution',
    '/execution/health',
    '/execution/task-instances/x/state',
    '/auth/token',
    '/auth/token/cli',
    '/ui/auth/token',
    '/%65xecution/health',
    '/health/../execution/health',
    '/ui/../auth/token',
    '//execution/health',
    '/./auth/token',
    '/auth%2ftoken',
    '/auth/./token',
    '/auth//token',
    '/AUTH/token',
    '/execution;x=1/health',
    '/auth/token;x',
    '\\auth\\token',
  ])('A31: closed with a session too: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const lines = Object.entries(session.headers).map(([key, value]) => `${key}: ${value}\r\n`);
      const bytes = `${method} ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${lines.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`;
      const answer = await exchange(place, hostname, bytes);
      // Airflow answers any other path with its page; what counts is that the closed API does not answer.
      if (statusOf(answer) === 200) expect(answer).toMatch(/content-type: text\/html[\s\S]*<!doctype html>/i);
      else expect([400, 401, 403, 404, 405, 421], answer.slice(0, 300)).toContain(statusOf(answer));
      expect(answer).not.toMatch(/access_token|eyJ[\w-]{10,}\./);
    }
  });

  test.for([
    '/health/../api/v2/dags',
    '/static/..%2fapi%2fv2%2fdags',
    '//api/v2/dags',
    '/api/v2/dags;x=1',
    '/aws_mwaa/login/../../api/v2/dags',
    '/%252e%252e/api/v2/dags',
  ])('A31: no way round the session: %s', async (path) => {
    const bytes = `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`;
    expect([400, 401, 403, 404]).toContain(statusOf(await exchange(place, hostname, bytes)));
  });

  test('A32: no method and no user agent gets round the session', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await ask(place, hostname, '/api/v2/dags', { method })).status, method).toBe(401);
    expect((await ask(place, hostname, '/api/v2/dags', { method: 'TRACE' })).status).toBe(405);
    expect((await get('/api/v2/dags', { 'user-agent': 'ELB-HealthChecker/2.0' })).status).toBe(401);
  });

  test('A33: no upgrade without a session, none for another origin', async () => {
    const upgrade = (more: string) =>
      exchange(
        place,
        hostname,
        `GET /ws HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`,
      );
    expect([401, 403]).toContain(statusOf(await upgrade('')));
    const cookie = (await browserCookie()).split(';')[0];
    expect([401, 403]).toContain(
      statusOf(await upgrade(`Origin: https://evil.example\r\nCookie: ${cookie}\r\n`)),
    );
  });

  test('plain HTTP on the TLS port is told to use https', async () => {
    const answer = await exchangePlain(hostname, `GET / HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('https://');
  });
});

describe('behind the door', () => {
  const environmentProcesses = () => {
    const [id] = environmentIds(place);
    return processesOf(
      `${place.data}/environments/${id}`,
      isRoot ? [accountOf(`windsock-${id}`)?.uid ?? -1] : [],
    );
  };

  const direct = (
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, agent: false, timeout: 10_000 }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });

  test("A39: Airflow's own port refuses whoever has no assertion", async () => {
    const commands = environmentProcesses().map((p) => p.command);
    const port = Number(/(?:port:|--port )(\d+)/.exec(commands.find((c) => /api.server/.test(c)) ?? '')?.[1]);
    expect(port).toBeGreaterThan(0);
    for (const path of [
      '/',
      '/api/v2/dags',
      '/api/v2/version',
      '/ui/config',
      '/auth/token',
      '/docs',
      '/openapi.json',
    ])
      expect(await direct(port, path), path).toBe(401);
    // Tasks call this one, each with a token of its own.
    expect([401, 403]).toContain(await direct(port, '/execution/variables/odd'));
    const headers = { 'remote-user': 'root', authorization: 'Bearer x', 'x-forwarded-for': '127.0.0.1' };
    expect(await direct(port, '/api/v2/dags', headers)).toBe(401);
    expect(await direct(port, '/api/v2/dags', { ...session.headers })).toBe(401);
  });

  test('A54: no process of the environment has a secret of the server in its environment', () => {
    const processes = environmentProcesses();
    expect(processes.length).toBeGreaterThan(2);
    for (const p of processes) {
      const variables = environmentOf(p.pid);
      expect(variables).not.toMatch(
        /AWS_SECRET|WINDSOCK_DATABASE_URL|secrets\/(root-access-key|signing-keys)/,
      );
    }
  });
});

describe('commands', () => {
  test.for([
    'dags list; id',
    'dags list && id',
    'dags list | cat',
    'dags list > /tmp/x',
    'dags list $(id)',
    'dags list `id`',
    'dags list --subdir /etc',
    'dags list -S/etc',
    'dags list --sub=/etc',
    'dags list -vS /etc',
    'variables export /tmp/x',
    'variables import /etc/passwd',
    'connections export /tmp/x',
    'connections list',
    'pools export /tmp/x',
    'users list',
    'dags show a --save /tmp/x',
    'tasks test a speak 2024-01-01 --post-mortem',
    'tasks test a speak 2024-01-01 --env-vars {}',
    'scheduler',
    'api-server',
    'standalone',
    'shell',
    'db reset -y',
    'db shell',
    'config list',
    'config get-value core fernet_key',
    'info --file-io',
  ])('A43 to A50: refused without being run: %s', async (words) => {
    const output = await runCommand(place, mint, name, words);
    expect(output.status).toBe(500);
    expect(output.stdout).toBe('');
    expect(output.stderr.length).toBeGreaterThan(10);
  });

  test('unbalanced quotes and an empty body: 400 with a reason', async () => {
    for (const words of ['dags list "', "variables get 'a", '', '   ']) {
      const answer = await postCommand(place, await mint.cliToken(name), words);
      expect(answer.status, words).toBe(400);
      expect(answer.text).toMatch(/"message":"[^"]{10,}/);
    }
  });

  test('quoted words reach Airflow as they are', async () => {
    const value = 'a b; $(id) `id` "quoted" \\ ü';
    const quoted = `'${value}'`;
    expect((await runCommand(place, mint, name, `variables set odd ${quoted}`)).status).toBe(200);
    const back = await runCommand(place, mint, name, 'variables get odd');
    expect(back.stdout.trim().split('\n').at(-1)).toBe(value);
  });

  test("a command's failure is an answer: 200 with its streams", async () => {
    const output = await runCommand(place, mint, name, 'variables get there-is-none');
    expect(output.status).toBe(200);
    expect(output.stderr + output.stdout).toContain('there-is-none');
  });

  test('five at once: four run, the fifth waits or is told to try again', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => postCommand(place, await mint.cliToken(name), 'version')),
    );
    const ran = answers.filter((answer) => answer.status === 200);
    expect(ran.length).toBeGreaterThanOrEqual(4);
    for (const answer of ran) expect(outputOf(answer).stdout).toContain('3.3.1');
    for (const answer of answers.filter((a) => a.status !== 200)) {
      expect(answer.status).toBe(429);
      expect(answer.text).toMatch(/Try again/);
    }
  });

  test('a page in a browser cannot run a command', async () => {
    const { CliToken } = await mint.cliToken(name);
    const headers = {
      authorization: `Bearer ${CliToken}`,
      origin: `https://${hostname}`,
      'content-type': 'text/plain',
    };
    expect(
      (await ask(place, hostname, '/aws_mwaa/cli', { method: 'POST', headers, body: 'version' })).status,
    ).toBe(403);
    expect((await ask(place, hostname, '/aws_mwaa/cli', { method: 'POST', body: 'version' })).status).toBe(
      401,
    );
  });
});

describe('a WebSocket of Airflow itself', () => {
  let machine: Machine;

  beforeAll(async () => {
    machine = await machineOf(place, name);
    await letSpeak(machine);
    await until('Airflow', 120, async () => (await session.get('/api/v2/dags')).status === 200);
  }, 200_000);

  const say = async (headers: Readonly<Record<string, string>>) => {
    const socket = openSocket(place, hostname, speakingPath, headers);
    return { socket, status: (await socket.handshake()).status };
  };

  test('speaks with a session, both ways, and is closed within a second when the session is revoked', async () => {
    const browser = await browserHeaders(place, mint, name, 3);
    const open = [await say(session.headers), await say(browser)];
    for (const { socket, status } of open) {
      expect(status).toBe(101);
      for (const text of ['one', 'two']) {
        socket.send(spoken(text));
        expect(await socket.receive(text.length + 8)).toEqual(heard(`said: ${text}`));
      }
    }
    const begun = performance.now();
    expect((await revokeSessions(place, { EnvironmentName: name })).status).toBe(200);
    await Promise.all(open.map(({ socket }) => socket.closed));
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect((await say(session.headers)).status).toBe(401);
    expect((await say(browser)).status).toBe(401);
  });

  test('is not opened for others, nor past the door by Airflow itself', async () => {
    const browser = await browserHeaders(place, mint, name, 3);
    expect((await say({})).status).toBe(401);
    expect((await say({ ...browser, origin: 'https://evil.example' })).status).toBe(403);
    const host = `127.0.0.1:${machine.facts().webPort}`;
    const direct = (more: string) =>
      exchangePlain(
        host,
        `GET ${speakingPath} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`,
        2,
      );
    const assertion = assertionFor(place, machine.id, { user: 'somebody', roles: ['Viewer'] });
    expect(statusOf(await direct(`Authorization: Bearer ${assertion}\r\n`))).toBe(101);
    const refused = ['', 'Authorization: Bearer x\r\n', `Cookie: _token=${assertion}\r\n`];
    for (const more of refused) expect(statusOf(await direct(more)), more).toBe(403);
  });
});

test('A10: no token is in the log', () => {
  expect(serverLog(place)).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
});
