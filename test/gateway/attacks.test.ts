// Attacks on the tokens and sessions of two environments, and on the bytes of a request. Airflow is trivial here: it tells
// what reached it.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditEvents } from '../harness/audit.ts';
import { ask, cookieOf, postCommand, postLogin, type Session, signIn } from '../harness/door.ts';
import { machineOf } from '../harness/environments.ts';
import { Iam } from '../harness/iam.ts';
import { Minter } from '../harness/minter.ts';
import { Rig } from '../harness/rig.ts';
import { browserHeaders } from '../harness/sessions.ts';
import { exchange, statusOf } from '../harness/socket.ts';
import { until } from '../harness/until.ts';
import { openSocket } from '../harness/websocket.ts';

let rig: Rig;
let iam: Iam;
let one: Session;
let two: Session;
/** Where the trivial Airflow of `one` writes the first line of every request that reaches it. */
let requests: string;

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('one', '3.3.1');
  await rig.create('two', '2.7.2');
  await rig.available('one');
  await rig.available('two');
  iam = new Iam(rig.place);
  one = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
  two = await until('a session', 60, () => signIn(rig.place, rig.mint, 'two', 2));
  requests = join((await machineOf(rig.place, 'one')).home, 'requests');
  writeFileSync(requests, '');
  chmodSync(requests, 0o666);
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

/** What reached Airflow since the last question, but for the looks at its health. */
const reached = (): readonly string[] => {
  const lines = readFileSync(requests, 'utf8').split('\n');
  writeFileSync(requests, '');
  return lines.filter((line) => line !== '' && !line.includes('/health'));
};

const raw = (bytes: string): string => `/api/v2/raw/${Buffer.from(bytes, 'latin1').toString('base64url')}`;
const dags = { 3: '/api/v2/dags', 2: '/api/v1/dags' } as const;

describe('a token', () => {
  test('A01, A10: works once; the second try is refused and recorded, and no token is', async () => {
    const token = await rig.mint.webToken('one');
    expect((await postLogin(rig.place, token, 3)).status).toBe(200);
    const again = await postLogin(rig.place, token, 3);
    expect([again.status, again.headers['set-cookie']]).toEqual([403, undefined]);
    const events = await auditEvents(rig.place, ['--by', 'EventName=WebLoginRefused']);
    expect(events.at(-1)).toMatchObject({ errorCode: 'AccessDenied', errorMessage: 'already-used' });
    expect(JSON.stringify(await auditEvents(rig.place))).not.toMatch(/eyJ[\w-]{10,}\.|wss_/);
  });

  test('a hundred at the same moment let a hundred in', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => rig.mint.webToken('one')));
    const answers = await Promise.all(tokens.map((token) => postLogin(rig.place, token, 3)));
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    expect(new Set(answers.map((answer) => cookieOf(answer, '_token'))).size).toBe(100);
  });

  test('A04: of one kind is nothing at the place of the other, and stays good', async () => {
    const web = await rig.mint.webToken('one');
    const cli = await rig.mint.cliToken('one');
    const host = web.WebServerHostname;
    const asLogin = { WebToken: cli.CliToken, WebServerHostname: host };
    const asCommand = { CliToken: web.WebToken, WebServerHostname: host };
    expect((await postLogin(rig.place, asLogin, 3)).status).toBe(403);
    expect((await postCommand(rig.place, asCommand, 'version')).status).toBe(403);
    for (const token of [web.WebToken, cli.CliToken]) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await ask(rig.place, host, dags[3], { headers })).status).toBe(401);
    }
    expect((await postLogin(rig.place, web, 3)).status).toBe(200);
    expect((await postCommand(rig.place, cli, 'version')).status).toBe(200);
  });

  test('A05: of one environment is nothing at another', async () => {
    const web = await rig.mint.webToken('one');
    const cli = await rig.mint.cliToken('one');
    expect((await postLogin(rig.place, web, 2, { at: two.hostname })).status).toBe(403);
    const there = { ...cli, WebServerHostname: two.hostname };
    expect((await postCommand(rig.place, there, 'version')).status).toBe(403);
  });

  test('A11: is worth what the policies say when it is used, and nothing without its environment', async () => {
    const key = await iam.user('ann', { attached: ['AmazonMWAAFullApiAccess'] });
    const ann = new Minter(rig.place, key);
    const [web, cli] = [await ann.webToken('one'), await ann.cliToken('one')];
    expect((await postCommand(rig.place, cli, 'version')).status).toBe(200);
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonMWAAFullApiAccess';
    await iam.call('DetachUserPolicy', { UserName: 'ann', PolicyArn });
    expect((await postLogin(rig.place, web, 3)).status).toBe(403);
    expect((await postCommand(rig.place, cli, 'version')).status).toBe(403);

    await rig.create('gone', '3.3.1');
    await rig.available('gone');
    const late = await until('a token', 60, () => rig.mint.webToken('gone'));
    const command = await rig.mint.cliToken('gone');
    await until(
      'a command',
      20,
      async () => (await postCommand(rig.place, command, 'version')).status === 200,
    );
    await rig.api.delete('gone');
    const answer = await postLogin(rig.place, late, 3).then(
      ({ status }) => status,
      () => 'no door',
    );
    expect([403, 404, 503, 'no door']).toContain(answer);
    await rig.gone('gone');
    await expect(postLogin(rig.place, late, 3)).rejects.toThrow();

    await rig.create('gone', '3.3.1');
    const { WebServerHostname } = await until('the new one', 60, async () => {
      const token = await rig.mint.cliToken('gone');
      return (await postCommand(rig.place, token, 'version')).status === 200 && token;
    });
    const again = await postCommand(rig.place, { ...command, WebServerHostname }, 'version');
    expect([again.status, again.text]).toEqual([
      403,
      expect.stringMatching(/CLI token for environment gone/),
    ]);
    await rig.api.delete('gone');
    await rig.gone('gone');
  });
});

describe('a session', () => {
  test('A17: of one environment is nothing at another, under any name', async () => {
    const browser = await browserHeaders(rig.place, rig.mint, 'one', 3);
    const secrets = [
      one.headers['authorization']?.split(' ')[1] ?? '',
      browser['cookie']?.split('=')[1] ?? '',
    ];
    const { 'sec-fetch-site': site } = browser;
    const own = /^[^=]+/.exec((await browserHeaders(rig.place, rig.mint, 'two', 2))['cookie'] ?? '')?.[0];
    for (const secret of secrets)
      for (const headers of [
        { cookie: `session=${secret}` },
        { cookie: `_token=${secret}` },
        { authorization: `Bearer ${secret}` },
        { cookie: `${own}=${secret}`, 'sec-fetch-site': site ?? '' },
      ])
        expect((await ask(rig.place, two.hostname, dags[2], { headers })).status).toBe(401);
  });

  test('A16: a second cookie of the same name keeps nobody out, and one of somebody else lets nobody in', async () => {
    const right = two.headers['cookie'] ?? '';
    const [, foreign] = (one.headers['authorization'] ?? '').split(' ');
    const status = async (cookie: string, at = two.hostname, path: string = dags[2]) =>
      (await ask(rig.place, at, path, { headers: { cookie } })).status;
    for (const other of ['session=wss_planted', `session=${foreign}`, `session=${foreign}; session=x`])
      for (const cookie of [`${right}; ${other}`, `${other}; ${right}`])
        expect(await status(cookie), other).toBe(200);
    const both = `_token=${right.split('=')[1]}; _token=${foreign}; ${right}`;
    expect(await status(both, one.hostname, dags[3])).toBe(200);
    const key = await iam.user('planter', { attached: ['AmazonMWAAFullApiAccess'] });
    const planted = (await signIn(rig.place, new Minter(rig.place, key), 'two', 2)).headers['cookie'] ?? '';
    expect(await status(planted)).toBe(200);
    expect(await status(`${planted}; ${right}`)).toBe(401);
    expect((await two.get(dags[2])).status).toBe(200);
  });

  test('a wrong path of the login, or a wrong method, is answered with the right one', async () => {
    const cases = [
      [two.hostname, 'POST', '/pluginsv2/aws_mwaa/login', 404, /Airflow 2, where it is \/aws_mwaa\/login"/],
      [two.hostname, 'POST', '/aws_mwaa/login/', 404, /path: it is \/aws_mwaa\/login"/],
      [two.hostname, 'POST', '/pluginsv2/aws_mwaa/cli', 404, /path: it is \/aws_mwaa\/cli"/],
      [two.hostname, 'GET', '/pluginsv2/aws_mwaa/aws-console-sso', 404, /\/aws_mwaa\/aws-console-sso"/],
      [one.hostname, 'POST', '/aws_mwaa/login', 404, /Airflow 3, where it is \/pluginsv2\/aws_mwaa\/login"/],
      [one.hostname, 'POST', '/pluginsv2/aws_mwaa/login/', 404, /\/pluginsv2\/aws_mwaa\/login"/],
      [one.hostname, 'POST', '/aws_mwaa/cli/', 404, /path: it is \/aws_mwaa\/cli"/],
      [one.hostname, 'GET', '/pluginsv2/aws_mwaa/login', 405, /POST only/],
      [two.hostname, 'GET', '/aws_mwaa/login', 405, /POST only/],
    ] as const;
    for (const [at, method, path, status, text] of cases) {
      const answer = await ask(rig.place, at, path, { method });
      expect([answer.status, answer.headers.allow], path).toEqual([
        status,
        status === 405 ? 'POST' : undefined,
      ]);
      expect(answer.text).toMatch(text);
    }
  });

  test('A14: wherever a login says that it wants to go, the answer leads nowhere', async () => {
    const file = new URL('../conformance/openredirects.txt', import.meta.url);
    const payloads = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const some = payloads.filter((_, i) => i % 40 === 0);
    expect(some.length).toBeGreaterThan(10);
    for (const payload of some) {
      const next = new URLSearchParams({ next: payload, rd: payload, RelayState: payload });
      const token = await rig.mint.webToken('one');
      const answer = await ask(rig.place, one.hostname, '/pluginsv2/aws_mwaa/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${token.WebToken}&${next}`,
      });
      expect([answer.status, answer.headers.location, answer.headers['refresh']], payload).toEqual([
        200,
        undefined,
        undefined,
      ]);
      expect(cookieOf(answer, '_token')).toBeDefined();
      const page = await ask(rig.place, one.hostname, `/aws_mwaa/aws-console-sso?login=true&${next}`);
      expect([page.status, page.headers.location]).toEqual([200, undefined]);
      expect(page.text).not.toContain('evil');
    }
  });
});

const request = (line: string, lines: readonly string[] = [], host = `Host: ${one.hostname}`): string =>
  [line, ...(host === '' ? [] : [host]), ...lines, 'Connection: close', '', ''].join('\r\n');
const authorization = () => `Authorization: ${one.headers['authorization']}`;
const portOf = (hostname: string) => hostname.split(':')[1];
const many = (count: number) => Array.from({ length: count }, (_, i) => `X-A${i}: b`);

describe('bytes that two programs could read differently', () => {
  const get = 'GET /api/v2/dags HTTP/1.1';

  test('a plain request reaches Airflow, and is seen here', async () => {
    reached();
    expect(statusOf(await exchange(rig.place, one.hostname, request(get, [authorization()])))).toBe(200);
    expect(reached()).toEqual([get]);
  });

  test('a target in absolute form reaches Airflow as a path, by a WebSocket too', async () => {
    for (const [target, arrives] of [
      [`https://${one.hostname}/api/v2/dags?limit=1`, '/api/v2/dags?limit=1'],
      [`HTTPS://${one.hostname.toUpperCase()}/api/v2/dags`, '/api/v2/dags'],
      [`https://${one.hostname}`, '/'],
      [`https://${one.hostname}?x=https://evil.example`, '/?x=https://evil.example'],
    ] as const) {
      reached();
      const bytes = request(`GET ${target} HTTP/1.1`, [authorization()]);
      expect(statusOf(await exchange(rig.place, one.hostname, bytes)), target).toBe(200);
      expect(reached()).toEqual([`GET ${arrives} HTTP/1.1`]);
    }
    for (const [host, status] of [
      [one.hostname, 101],
      ['evil.example', 421],
    ] as const) {
      const socket = openSocket(rig.place, one.hostname, `https://${host}/api/v2/ws`, one.headers);
      expect((await socket.handshake()).status).toBe(status);
      socket.end();
    }
    const token = await rig.mint.webToken('one');
    const login = await ask(rig.place, one.hostname, `https://${one.hostname}/pluginsv2/aws_mwaa/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${token.WebToken}`,
    });
    expect(login.status).toBe(200);
  });

  test('A58: HEAD reaches Airflow as GET, so that its pages guard it as such', async () => {
    reached();
    const answer = await exchange(
      rig.place,
      one.hostname,
      request('HEAD /api/v2/dags HTTP/1.1', [authorization()]),
    );
    expect([statusOf(answer), answer.split('\r\n\r\n')[1]]).toEqual([200, '']);
    expect(reached()).toEqual([get]);
  });

  test.for<[what: string, bytes: () => string]>([
    ['no Host', () => request('GET /api/v2/dags HTTP/1.1', [authorization()], '')],
    ['no Host, HTTP/1.0', () => request('GET /api/v2/dags HTTP/1.0', [authorization()], '')],
    ['two Hosts, the same', () => request(get, [authorization(), `Host: ${one.hostname}`])],
    ['Host with a user', () => request(get, [authorization()], `Host: x@${one.hostname}`)],
    ...[
      () => 'https://evil.example/api/v2/dags',
      () => `https://evil.example:${portOf(one.hostname)}/api/v2/dags`,
      () => `https://${two.hostname}/api/v2/dags`,
      () => `https://localhost/api/v2/dags`,
      () => `https://127.0.0.1:${portOf(one.hostname)}/api/v2/dags`,
      () => `https://x@${one.hostname}/api/v2/dags`,
      () => `https://${one.hostname}@evil.example/api/v2/dags`,
      () => `http://${one.hostname}/api/v2/dags`,
      () => `wss://${one.hostname}/api/v2/dags`,
      () => 'https:///api/v2/dags',
      () => `https:/${one.hostname}/api/v2/dags`,
      () => `https://${one.hostname}/api/v2/dags#x`,
      () => `https://${one.hostname}#x`,
      () => `https://${one.hostname}//evil.example`,
      () => `https://${one.hostname}/a/../api/v2/dags`,
      () => `https://${one.hostname}\\evil.example`,
      () => one.hostname,
    ].map((target): [string, () => string] => [
      `a target like ${String(target).slice(6)}`,
      () => request(`GET ${target()} HTTP/1.1`, [authorization()]),
    ]),
    [
      'an absolute target of another Host',
      () => request(`GET https://${one.hostname}/ HTTP/1.1`, [authorization()], 'Host: evil.example'),
    ],
    [
      'an absolute target without a Host',
      () => request(`GET https://${one.hostname}/ HTTP/1.1`, [authorization()], ''),
    ],
    ['an authority', () => request('CONNECT evil.example:443 HTTP/1.1', [authorization()])],
    ['an asterisk', () => request('OPTIONS * HTTP/1.1', [authorization()])],
    ['two Authorizations, the same', () => request(get, [authorization(), authorization()])],
    ['two Content-Types', () => request(get, [authorization(), 'Content-Type: a/b', 'Content-Type: a/c'])],
    ['two Origins', () => request(get, [authorization(), 'Origin: null', `Origin: https://${one.hostname}`])],
    ['1,200 headers', () => request(get, [authorization(), ...many(1200)])],
    ['chunks and identity', () => request(get, [authorization(), 'Transfer-Encoding: chunked, identity'])],
    ['a length with a sign', () => request(get, [authorization(), 'Content-Length: +0'])],
    ['a bare line feed', () => request(get, [`${authorization()}\nX-A: b`])],
    ['a bare carriage return', () => request(get, [authorization(), 'X-A: b\rX-B: c'])],
    ['a tab in a name', () => request(get, [authorization(), 'X\tA: b'])],
    ['a method in lower case', () => request('get /api/v2/dags HTTP/1.1', [authorization()])],
    ['TRACE', () => request('TRACE /api/v2/dags HTTP/1.1', [authorization()])],
    ['an unknown method', () => request('PURGE /api/v2/dags HTTP/1.1', [authorization()])],
    ['HTTP/2 in plain words', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ...[
      '/static/..%2fapi/v2/dags',
      '/a/../api/v2/dags',
      '/a/%2e%2e/api/v2/dags',
      '/a/..;/api/v2/dags',
      '//evil.example/x',
      '/\\evil.example/x',
      '/a%5c..%5cb',
      '/%252e%252e/api/v2/dags',
      '/%c0%ae%c0%ae/api/v2/dags',
      '/%e0%80%af',
      '/api/v2/dags#/x',
      '/api/v2/dags%00',
      '/api/v2/dags%0d%0aX-A:%20b',
      '/\xfc',
    ].map((path): [string, () => string] => [path, () => request(`GET ${path} HTTP/1.1`, [authorization()])]),
  ])('A28, A31, A32: are refused and reach nobody: %s', async ([, bytes]) => {
    reached();
    const answer = await exchange(rig.place, one.hostname, bytes());
    expect([400, 405, 421, 431], answer.slice(0, 200)).toContain(statusOf(answer));
    expect(reached()).toEqual([]);
  });

  test('A28: 100 KiB of headers are too many, told or not', async () => {
    reached();
    const answer = await exchange(
      rig.place,
      one.hostname,
      request(get, [authorization(), `X-A: ${'a'.repeat(100 * 1024)}`]),
    );
    // The answer may be lost: the connection ends while the client still sends.
    expect([0, 431]).toContain(statusOf(answer));
    expect(reached()).toEqual([]);
  });

  test('A31, A32: nothing of Airflow is open to those without a session, its health and its files neither', async () => {
    reached();
    for (const path of [
      '/health',
      '/api/v2/monitor/health',
      '/static/pin_32.png',
      '/robots.txt',
      '/favicon.ico',
    ])
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
        const bytes = request(`${method} ${path} HTTP/1.1`, ['User-Agent: ELB-HealthChecker/2.0']);
        expect(statusOf(await exchange(rig.place, one.hostname, bytes)), `${method} ${path}`).toBe(401);
      }
    expect(reached()).toEqual([]);
  });

  test('a second request hidden in the body of the first reaches nobody', async () => {
    reached();
    const hidden = request('GET /api/v2/hidden HTTP/1.1', [authorization()]);
    const chunked = `0\r\n\r\n${hidden}`;
    const smuggled = [
      request('POST /api/v2/dags HTTP/1.1', [
        authorization(),
        'Transfer-Encoding: chunked',
        'Content-Length: 5',
      ]) + chunked,
      request('POST /api/v2/dags HTTP/1.1', [authorization(), 'Transfer-Encoding : chunked']) + chunked,
      request('POST /api/v2/dags HTTP/1.1', [authorization(), 'Transfer_Encoding: chunked']) + chunked,
      request('POST /api/v2/dags HTTP/1.1', [authorization(), 'Content-Length: 5, 5']) + chunked,
      request('GET /api/v2/dags HTTP/1.1', [authorization(), `Content-Length: ${hidden.length}`]) + hidden,
    ];
    for (const bytes of smuggled) await exchange(rig.place, one.hostname, bytes, 3);
    expect(reached().filter((line) => line.includes('hidden'))).toEqual([]);
  });
});

describe('what reaches Airflow', () => {
  const headOf = async (lines: readonly string[]): Promise<readonly string[]> => {
    const answer = await exchange(
      rig.place,
      one.hostname,
      request('GET /api/v2/head HTTP/1.1', [authorization(), ...lines]),
    );
    expect(statusOf(answer), answer).toBe(200);
    return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as string[];
  };

  test('A29: no header by which a client could claim to be somebody, in any spelling', async () => {
    const names = [
      ...['X-Mwaa-Assertion', 'X_Mwaa_Assertion', 'x-MWAA_assertion', 'X-Windsock-Assertion'],
      ...[
        'Remote-User',
        'Remote_User',
        'REMOTE-USER',
        'X-Remote-User',
        'X-Forwarded-User',
        'X-Auth-Request-User',
      ],
      ...['Forwarded', 'X-Forwarded-Prefix', 'X-Forwarded-Uri', 'X_Forwarded_For', 'X-Real-Ip', 'Via'],
      ...[
        'X-Original-URL',
        'X-Rewrite-URL',
        'X-HTTP-Method-Override',
        'script_name',
        'Script-Name',
        'Path-Info',
      ],
      ...[
        'Proxy',
        'Proxy-Authorization',
        'Ssl-Client-Verify',
        'X-Client-Cert',
        'wsgi.input',
        'TE',
        'Expect-CT',
      ],
    ];
    const head = await headOf([
      ...names.map((name) => `${name}: planted`),
      ...['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: gopher'],
      `Cookie: session=planted; _token=planted; remember_token=planted; evil=planted`,
    ]);
    expect(head.join('\n')).not.toMatch(/planted|6\.6\.6\.6|evil|gopher/);
    expect(head).toContain('x-forwarded-for: 127.0.0.1');
    expect(head).toContain(`host: ${one.hostname}`);
    expect(head.filter((line) => /^authorization:/i.test(line))).toHaveLength(1);
    expect(head.join('\n')).not.toContain(one.headers['authorization']);
  });

  test('A30: what a client calls hop-by-hop does not take our own away', async () => {
    const head = await headOf(['Connection: authorization, host, x-forwarded-for, x-forwarded-proto']);
    for (const name of ['authorization', 'host', 'x-forwarded-for', 'x-forwarded-proto'])
      expect(head.filter((line) => line.startsWith(`${name}: `))).toHaveLength(1);
  });
});

describe('what comes back from Airflow', () => {
  const answerTo = (bytes: string) => one.get(raw(bytes));

  test('A34: neither cookies of its own making nor addresses of its own', async () => {
    const port = (await machineOf(rig.place, 'one')).facts().webPort;
    const moved = await answerTo(
      `HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:${port}/home?a=1\r\nset-cookie: session=x; Domain=example.com\r\n` +
        'set-cookie: __Host-Http-windsock-x=x\r\nset-cookie: _token=x\r\ncontent-length: 0\r\n\r\n',
    );
    expect([moved.status, moved.headers.location, moved.headers['set-cookie']]).toEqual([
      302,
      '/home?a=1',
      undefined,
    ]);
    for (const location of [
      '//evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      'https:evil.example',
    ]) {
      const answer = await answerTo(
        `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`,
      );
      expect(answer.headers.location, location).toMatch(/^\/(?![/\\])/);
    }
  });

  test('A35: no hop-by-hop headers, none that speak for the whole host name', async () => {
    const { headers, text } = await answerTo(
      'HTTP/1.1 200 OK\r\nconnection: x-a, close\r\nx-a: b\r\nkeep-alive: timeout=9\r\nupgrade: h2c\r\nserver: gunicorn\r\n' +
        'alt-svc: h3=":1"\r\nclear-site-data: "*"\r\nstrict-transport-security: max-age=1\r\nx-b: c\r\ncontent-length: 2\r\n\r\nok',
    );
    expect(text).toBe('ok');
    expect(headers['x-b']).toBe('c');
    for (const name of [
      'x-a',
      'upgrade',
      'server',
      'alt-svc',
      'clear-site-data',
      'strict-transport-security',
    ])
      expect(headers[name], name).toBeUndefined();
    expect(headers['keep-alive']).not.toBe('timeout=9');
  });

  test.for([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
    ['a bare line feed', 'HTTP/1.1 200 OK\r\nx-a: b\nset-cookie: session=x\r\ncontent-length: 0\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nx-a: \0\r\ncontent-length: 0\r\n\r\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(20_00)}`],
  ] as const)('A35: an answer with %s is none', async ([, bytes]) => {
    const answer = await answerTo(bytes);
    expect(answer.status).toBe(502);
    expect(JSON.stringify(answer.headers)).not.toContain('session=x');
  });

  test('A35: a second answer behind the first is given to nobody', async () => {
    await answerTo(
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret',
    );
    for (let i = 0; i < 5; i += 1) expect((await one.get(dags[3])).text).not.toContain('secret');
  });
});

test('A36: more connections that say nothing than there may be keep nobody out', {
  timeout: 60_000,
}, async () => {
  const [host = '', port] = one.hostname.split(':');
  const idle = Array.from({ length: 1_500 }, () => connect(Number(port), host).on('error', () => {}));
  const begun = performance.now();
  expect((await one.get(dags[3])).status).toBe(200);
  expect(performance.now() - begun).toBeLessThan(5_000);
  await Promise.all(idle.map((s) => s.closed || new Promise((resolve) => s.once('close', resolve))));
  expect(performance.now() - begun).toBeLessThan(20_000);
});
