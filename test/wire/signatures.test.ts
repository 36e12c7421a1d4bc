// Signatures over a socket, where no client tidies the bytes: cases A67 to A73 and A77 of the attacks that the API
// stands.
import { beforeAll, expect, test } from 'vitest';
import { rootKey } from '../harness/mwaa.ts';
import type { Place } from '../harness/server.ts';
import { amzDate, type SignedBytes, signedBytes } from '../harness/sign.ts';
import { exchangePlain, statusOf } from '../harness/socket.ts';
import { useServer } from '../harness/use-server.ts';

let place: Place;

const used = useServer();
beforeAll(async () => {
  ({ place } = used);
});

const hostOf = () => `localhost:${place.ports.api}`;

/** Status, code and text of the answer. */
const answerTo = async (bytes: string): Promise<string> => {
  const answer = await exchangePlain(`127.0.0.1:${place.ports.api}`, bytes, 20);
  const code = /^x-amzn-errortype: (.*?)\r$/im.exec(answer)?.[1];
  const text = /"[mM]essage":"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1];
  return [statusOf(answer), code, text].filter((part) => part !== undefined).join(' ');
};

type Given = Omit<SignedBytes, 'host' | 'key'>;
const ask = (o: Given = {}, edit?: Parameters<typeof signedBytes>[1]) =>
  answerTo(signedBytes({ host: hostOf(), key: rootKey(place), ...o }, edit));

const replace = (name: string, by: (line: string) => string[]) => (lines: string[]) =>
  lines.flatMap((line) => (line.toLowerCase().startsWith(`${name.toLowerCase()}:`) ? by(line) : [line]));
const also = (line: string) => (lines: string[]) => [...lines, line];

test('what is signed by hand is believed', async () => {
  expect(await ask()).toBe('200');
  expect(
    await ask({ headers: [['X-Amz-Target', '  a   b  ']], signed: ['host', 'x-amz-date', 'x-amz-target'] }),
  ).toMatch(/^403 InvalidSignatureException/);
});

const mismatch = /^403 InvalidSignatureException The request signature we calculated does not match/;
const incomplete = /^400 IncompleteSignatureException /;

test.each<[string, () => Promise<string>, RegExp]>([
  [
    'A67 5 min 2 s old',
    () => ask({ date: amzDate(Date.now() - 302_000) }),
    /^403 InvalidSignatureException Signature expired: /,
  ],
  [
    'A67 5 min 10 s ahead',
    () => ask({ date: amzDate(Date.now() + 310_000) }),
    /^403 InvalidSignatureException Signature not yet current: /,
  ],
  [
    'A67 no date',
    () =>
      ask(
        {},
        replace('x-amz-date', () => []),
      ),
    incomplete,
  ],
  [
    'A67 a date in a Date header only',
    () =>
      ask(
        {},
        replace('x-amz-date', () => [`Date: ${new Date().toUTCString()}`]),
      ),
    incomplete,
  ],

  [
    'A69 Host is not signed',
    () => ask({ signed: ['x-amz-date'] }),
    /'Host' or ':authority' must be a 'SignedHeader'/,
  ],
  [
    'A69 an x-amz header is not signed',
    () => ask({}, also('X-Amz-Target: x')),
    /'x-amz-target' must be a 'SignedHeader'/,
  ],
  [
    'A69 the same in another spelling',
    () => ask({}, also('x-AMZ-tArGeT: x')),
    /'x-amz-target' must be a 'SignedHeader'/,
  ],
  [
    'A69 a signed header is not sent',
    () =>
      ask(
        { headers: [['X-Own', 'a']], signed: ['host', 'x-amz-date', 'x-own'] },
        replace('x-own', () => []),
      ),
    /The signed header 'x-own' is not present/,
  ],
  [
    'A69 it stands in the query instead',
    () =>
      ask(
        {
          headers: [['X-Own', 'a']],
          signed: ['host', 'x-amz-date', 'x-own'],
          target: '/environments?x-own=a',
        },
        replace('x-own', () => []),
      ),
    /The signed header 'x-own' is not present/,
  ],
  [
    'A69 a signed header twice',
    () => ask({ headers: [['X-Own', 'a']], signed: ['host', 'x-amz-date', 'x-own'] }, also('X-Own: b')),
    mismatch,
  ],
  [
    'A69 a signed header in two lines',
    () =>
      ask(
        { headers: [['X-Own', 'a,b']], signed: ['host', 'x-amz-date', 'x-own'] },
        replace('x-own', () => ['X-Own: a', ' ,b']),
      ),
    /^400/,
  ],

  [
    'A70 two Authorization headers, the same',
    () =>
      ask(
        {},
        replace('authorization', (line) => [line, line]),
      ),
    /'authorization' is given more than once/,
  ],
  [
    'A70 two in one',
    () =>
      ask(
        {},
        replace('authorization', (line) => [`${line}, ${line.slice(15)}`]),
      ),
    incomplete,
  ],
  [
    'A70 an empty one first',
    () =>
      ask(
        {},
        replace('authorization', (line) => ['Authorization:', line]),
      ),
    /'authorization' is given more than once/,
  ],
  [
    'A70 two Host headers',
    () =>
      ask(
        {},
        replace('host', (line) => [line, 'Host: other']),
      ),
    /^400/,
  ],
  [
    'A70 two dates',
    () =>
      ask(
        {},
        replace('x-amz-date', (line) => [line, line]),
      ),
    /'x-amz-date' is given more than once/,
  ],
  [
    'A70 header and query together',
    () => ask({ target: '/environments?X-Amz-Signature=0' }),
    /Only one way to authenticate/,
  ],
  [
    'A70 header and query in another spelling',
    () => ask({ target: '/environments?x-amz-credential=a' }),
    /Only one way to authenticate/,
  ],

  [
    'A71 the hash of nothing, and a body',
    () =>
      ask({
        method: 'POST',
        target: '/tags/x',
        headers: [
          ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
        ],
        body: '{}',
      }),
    /x-amz-content-sha256 is not the SHA-256/,
  ],
  [
    'A71 a body that is not signed',
    () => ask({ headers: [['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']] }),
    /x-amz-content-sha256 is not the SHA-256/,
  ],
  [
    'A71 a stream',
    () => ask({ headers: [['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']] }),
    /x-amz-content-sha256 is not the SHA-256/,
  ],
  [
    'A71 another body',
    () => {
      const o = { method: 'PUT', target: '/environments/x', body: '{"a":1}' };
      return answerTo(signedBytes({ host: hostOf(), key: rootKey(place), ...o }).replace(/1\}$/, '2}'));
    },
    mismatch,
  ],

  [
    'A72 another Region',
    () => ask({ scope: `${amzDate().slice(0, 8)}/eu-west-1/airflow/aws4_request` }),
    /valid region, not 'eu-west-1'/,
  ],
  [
    'A72 another service',
    () => ask({ scope: `${amzDate().slice(0, 8)}/us-east-1/ec2/aws4_request` }),
    /correct service: 'airflow'/,
  ],
  [
    'A72 another end',
    () => ask({ scope: `${amzDate().slice(0, 8)}/us-east-1/airflow/aws5_request` }),
    /valid terminator: 'aws4_request', not 'aws5_request'/,
  ],
  [
    'A72 another day',
    () => ask({ scope: '20150830/us-east-1/airflow/aws4_request' }),
    /Date in Credential scope does not match/,
  ],
  [
    'A72 no end',
    () => ask({ scope: `${amzDate().slice(0, 8)}/us-east-1/airflow` }),
    /exactly 5 slash-delimited elements/,
  ],
  [
    'A72 six slashes',
    () => ask({ scope: `${amzDate().slice(0, 8)}/us-east-1/air/flow/aws4_request` }),
    /exactly 5 slash-delimited elements/,
  ],

  [
    'a line feed alone in the head',
    () => ask({}, (lines) => [`${lines[0]}\nX-Amz-Own: a`, ...lines.slice(1)]),
    /^400/,
  ],
  ['a blank before the colon', () => ask({}, also('X-Amz-Own : a')), /^400/],
  ['a header without a name', () => ask({}, also(': a')), /^400/],
  ['a NUL in a header', () => ask({}, also('X-Own: a\0b')), /^400/],
  [
    'a length and chunks',
    () => ask({ method: 'POST', target: '/tags/x', body: '0\r\n\r\n' }, also('Transfer-Encoding: chunked')),
    /^400/,
  ],
  [
    'two lengths',
    () => ask({ method: 'POST', target: '/tags/x', body: '{}' }, also('Content-Length: 3')),
    /^400/,
  ],
  [
    'a target that is a URL',
    () => ask({ target: 'http://localhost/environments', canonical: { path: '/environments' } }),
    /^400 MalformedHttpRequestException/,
  ],
  [
    'a target with a fragment',
    () => ask({ target: '/environments#/x', canonical: { path: '/environments' } }),
    /^400/,
  ],
  [
    'another method',
    () => ask({}, (lines) => [String(lines[0]).replace('GET', 'DELETE'), ...lines.slice(1)]),
    /^40[34]/,
  ],
  [
    'a signature in capitals',
    () =>
      ask(
        {},
        replace('authorization', (line) => [line.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase())]),
      ),
    incomplete,
  ],
])('%s is refused', async (_, send, expected) => {
  expect(await send()).toMatch(expected);
});

test.each([
  ['dots', '/x/../environments'],
  ['an empty segment', '//environments'],
  ['an encoded slash', '/environments%2f'],
  ['a longer path', '/environments/x'],
  ['more of a query', '/environments?MaxResults=1'],
])('a target with %s, signed as it should be without, is not what was signed', async (_, target) => {
  const said = await ask({ target, canonical: { path: '/environments', query: '' } });
  expect(said).toMatch(/^40[0-4] /);
  expect(said).not.toMatch(/^200/);
});

const plain = { path: '/environments', query: '' };

test.each([
  ['as it is', () => `http://${hostOf()}/environments`],
  ['with scheme and host in capitals', () => `HTTP://LOCALHOST:${place.ports.api}/environments`],
])('a target in absolute form, %s, is signed by its path', async (_, target) => {
  expect(await ask({ target: target(), canonical: plain })).toBe('200');
  expect(
    await ask({ target: `${target()}?MaxResults=1`, canonical: { ...plain, query: 'MaxResults=1' } }),
  ).toBe('200');
  expect(await ask({ target: target(), canonical: { path: target(), query: '' } })).toMatch(mismatch);
});

test.each([
  ['of another host', () => `http://evil.example:${place.ports.api}/environments`],
  ['of another port', () => 'http://localhost:1/environments'],
  ['without the port', () => 'http://localhost/environments'],
  ['of another name of this machine', () => `http://127.0.0.1:${place.ports.api}/environments`],
  ['with a user', () => `http://x@${hostOf()}/environments`],
  ['with a user and a host', () => `http://${hostOf()}@evil.example/environments`],
  ['of another scheme', () => `https://${hostOf()}/environments`],
  ['without a host', () => 'http:///environments'],
  ['with a fragment', () => `http://${hostOf()}/environments#x`],
  ['with a fragment only', () => `http://${hostOf()}#x`],
  ['with a backslash', () => `http://${hostOf()}\\environments`],
  ['as an authority', () => hostOf()],
  ['as an asterisk', () => '*'],
])('a target in absolute form %s is refused', async (_, target) => {
  expect(await ask({ target: target(), canonical: plain })).toMatch(/^400\b/);
});

test('a target in absolute form reaches what needs no signature too, and with two hosts nothing', async () => {
  const get = (target: string, host = `Host: ${hostOf()}`) =>
    answerTo(`GET ${target} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`);
  expect(await get(`http://${hostOf()}/health`)).toBe('200');
  expect(await get(`http://${hostOf()}`)).toBe('200');
  expect(await get(`http://evil.example/health`)).toMatch(/^400 /);
  const second = (lines: string[]) => [...lines, 'Host: evil.example'];
  expect(await ask({ target: `http://${hostOf()}/environments`, canonical: plain }, second)).toMatch(
    /^400 IncompleteSignatureException/,
  );
});

test('A68 an identical request in the window: reading is answered again, as on AWS', async () => {
  const bytes = signedBytes({ host: hostOf(), key: rootKey(place) });
  expect([await answerTo(bytes), await answerTo(bytes)]).toEqual(['200', '200']);
});

test('A77 ten megabytes of Authorization and 500 signed headers end fast', async () => {
  const begun = performance.now();
  const long = replace('authorization', () => [
    `Authorization: AWS4-HMAC-SHA256 ${'a=b,'.repeat(2_500_000)}`,
  ]);
  expect(await ask({}, long)).toMatch(/^(431|0)/);
  const names = Array.from({ length: 500 }, (_, i) => `h${i}`);
  const headers = names.map((name) => [name, 'x'] as const);
  expect(await ask({ headers, signed: ['host', 'x-amz-date', ...names] })).toMatch(
    /SignedHeaders names 502 headers/,
  );
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(await ask()).toBe('200');
});
