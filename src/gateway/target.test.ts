import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cookieValues, readCookies, upstreamCookie } from './cookies.ts';
import type { DoorFacts } from './door-facts.ts';
import { rewriteLocation } from './location.ts';
import { page } from './page.ts';
import { readTarget } from './target.ts';
import { recordOf } from './test-door.ts';

const payloads = readFileSync(new URL('../../test/conformance/openredirects.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '');

const origin = 'https://localhost:7443';
const door: DoorFacts = {
  id: 'a',
  name: 'a',
  hostname: 'localhost:7443',
  hostnames: () => ['localhost:7443'],
  origin,
  isOwnName: false,
  airflow: 3,
  way: 'both',
  record: recordOf('a', 'a', '3.3.1'),
};
const upstream = { host: '127.0.0.1', port: 9000, startId: '1' };

describe('open redirects', () => {
  it('has all the payloads', () => expect(payloads.length).toBe(558));

  it('no target that is accepted leads a browser to another host', () => {
    for (const payload of payloads) {
      const target = readTarget(payload);
      if ('refused' in target) continue;
      for (const text of [target.raw, target.path])
        expect(new URL(text, origin).origin, payload).toBe(origin);
    }
  });

  it('no Location but a plain absolute address leads away', () => {
    for (const payload of payloads) {
      const url = new URL(rewriteLocation(payload, '/home', door, upstream), origin);
      if (/^https?:\/\/[^/\\]/i.test(payload)) expect(['http:', 'https:'], payload).toContain(url.protocol);
      else expect(url.origin, payload).toBe(origin);
    }
  });

  it.each([
    ['/home?a=1', '/home?a=1'],
    ['next', '/dags/next'],
    ['http://localhost:9000/x#y', '/x#y'],
    ['http://localhost:7443/x', '/x'],
    ['https://localhost:7443/x', '/x'],
    ['https://docs.example/x', 'https://docs.example/x'],
    ['https://localhost:7443//evil.example', '/'],
    ['https://user:pw@docs.example/', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['javascript:alert(1)', '/'],
  ])('%s becomes %s', (location, expected) => {
    expect(rewriteLocation(location, '/dags/here', door, upstream)).toBe(expected);
  });
});

describe('a request target', () => {
  it.each([
    '/',
    '/a%20b',
    '/dagRuns/manual__2024-01-01T00%3A00%3A00%2B00%3A00',
    '/v/a%2Fb',
    '/%C3%BC?x=%2e%2e',
    '/a;x=1',
  ])('accepts %s', (raw) => expect(readTarget(raw)).toMatchObject({ raw }));
  it.each([
    ...[
      '*',
      'http://x/',
      'x',
      '//x',
      '/a//b',
      '/.',
      '/a/..',
      '/a/%2e./b',
      '/a/..;/b',
      '/%2f',
      '/a%2f..%2fb',
      '/a%5cb',
    ],
    ...[
      '/a\\b',
      '/#',
      '/%',
      '/%zz',
      '/%00',
      '/%0d%0a',
      '/%7f',
      '/%c0%af',
      '/%ed%a0%80',
      '/%252e',
      '/ü',
      '/a b',
      '/?a b',
    ],
  ])('refuses %s', (raw) => expect(readTarget(raw)).toHaveProperty('refused'));
});

describe('cookies', () => {
  it("are read with any blanks, each value once; of Airflow's own, two that differ count for nothing", () => {
    const cookies = readCookies('a=1;b=2 ;  c=x=y; a=1; b=3; d; airflow_e=1; airflow_f=1; airflow_f=2');
    expect(['a', 'b', 'c', 'd'].map((name) => cookieValues(cookies, name))).toEqual([
      ['1'],
      ['2', '3'],
      ['x=y'],
      [],
    ]);
    expect(['e', 'f'].map((id) => upstreamCookie(cookies, id))).toEqual(['airflow_e=1', undefined]);
  });
});

describe('a page', () => {
  it('runs its own script only, and data cannot end it', () => {
    const { headers, body } = page({
      status: 200,
      title: '<b>',
      body: '',
      script: 'x',
      data: { a: '</script><script>' },
    });
    const nonce = /<script nonce="([^"]+)">x/.exec(body)?.[1];
    expect(headers?.['content-security-policy']).toContain(`script-src 'nonce-${nonce}'`);
    expect(headers?.['content-security-policy']).toContain("default-src 'none'");
    expect(body.match(/<script/g)).toHaveLength(2);
    expect(body).toContain('<title>&lt;b&gt;');
  });
});
