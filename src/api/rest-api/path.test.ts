import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../../contract/errors.ts';
import { anyText } from '../../lib/test-fuzz.ts';
import { restApiPath, restApiRoot } from './path.ts';

const root = '/api/v2';

/** The path on the wire; undefined when it is refused, which must be with a ValidationException. */
const wire = (path: string): string | undefined => {
  try {
    return restApiPath(root, path);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    expect(error.code).toBe('ValidationException');
    expect(error.publicText).toMatch(/^Invalid request provided: Path is not valid\. ./);
    return undefined;
  }
};

test('the API follows the version', () => {
  expect(['2.7.2', '2.11.2', '3.0.6', '3.3.1'].map(restApiRoot)).toEqual([
    ...['/api/v1', '/api/v1'],
    ...['/api/v2', '/api/v2'],
  ]);
});

test.each([
  ['/dags', '/dags'],
  ['/dags/', '/dags/'],
  ['/', '/'],
  ['/dags/~/dagRuns', '/dags/~/dagRuns'],
  [
    '/dags/a/dagRuns/manual__2026-01-01T00:00:00+00:00',
    '/dags/a/dagRuns/manual__2026-01-01T00%3A00%3A00%2B00%3A00',
  ],
  [
    '/dags/a/dagRuns/manual__2026-01-01T00%3A00%3A00%2b00%3A00',
    '/dags/a/dagRuns/manual__2026-01-01T00%3A00%3A00%2B00%3A00',
  ],
  ['/variables/a b', '/variables/a%20b'],
  ['/variables/ключ', '/variables/%D0%BA%D0%BB%D1%8E%D1%87'],
  ['/variables/100%25', '/variables/100%25'],
  ['/variables/a%3Fb%23c', '/variables/a%3Fb%23c'],
  ['/variables/a;b=c&d', '/variables/a%3Bb%3Dc%26d'],
  ['/variables/...', '/variables/...'],
  ['/variables/a..b', '/variables/a..b'],
  ['/variables/authentication', '/variables/authentication'],
  ['/dags/auth', '/dags/auth'],
])('%s goes as %s', (path, expected) => {
  expect(wire(path)).toBe(root + expected);
});

describe('refused', () => {
  test.each([
    ['', 'dags', '@evil.example/', 'https://evil.example/', '.', '%2fdags', ' /dags', '*'],
    [
      '//evil.example',
      '/dags//x',
      '/%2F/evil',
      '/dags/%2fx',
      '/dags%2F..%2F..',
      '/a/%5cb',
      '/\\evil',
      '\\\\evil',
    ],
    [
      '/..',
      '/../..',
      '/dags/..',
      '/dags/../../x',
      '/./dags',
      '/dags/.',
      '/..;/x',
      '/%2e%2e/x',
      '/.%2E/x',
      '/%2e',
    ],
    ['/%252e%252e/x', '/dags/%2525', '/dags/a%2541', '/%25252f'],
    ['/dags?limit=1', '/dags#x', '/?', '/#'],
    [
      '/dags/%00',
      '/dags/\0',
      '/dags\r\nhost: x',
      '/dags/%0d%0a',
      '/dags/\u0085',
      '/dags/\u2028',
      '/dags/%7f',
      '/\t',
    ],
    ['/dags/%', '/dags/%zz', '/dags/%c0%ae%c0%ae', '/dags/%ff', '/dags/%e2%82', '/dags/\ud800'],
    ['/auth', '/auth/login', '/auth/logout', '/AUTH/login', '/%61uth/login', '/auth/token/cli'],
  ])('%j', (...paths) => {
    for (const path of paths) expect([path, wire(path)]).toEqual([path, undefined]);
  });
});

const nasty = fc.string({
  unit: fc.constantFrom(
    ...[
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '\\',
      '%25',
      '%',
      ';',
      '?',
      '#',
      '@',
      ':',
      '+',
      '~',
      'auth',
    ],
    ...['\0', '%00', '\r\n', '%0a', ' ', 'a', 'é', '💨', '\ud800', '\u2028', '//', 'http://x', 'api', 'v2'],
  ),
  maxLength: 12,
});
const paths = fc.oneof(
  nasty.map((text) => `/${text}`),
  nasty,
  fc.webPath(),
  anyText().map((text) => `/${text}`),
);

describe('whatever is asked for', () => {
  test('a path that is let through stays below the root, for every reader', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const sent = wire(path);
        if (sent === undefined) return;
        expect(sent).toMatch(/^\/api\/v2\/[!-~]*$/);
        expect(sent).not.toMatch(/[?#\\]/);
        // As a browser, a proxy and a WSGI server read it.
        const url = new URL(sent, 'http://airflow.example');
        expect([url.host, url.pathname, url.search, url.hash]).toEqual(['airflow.example', sent, '', '']);
        const decoded = decodeURIComponent(sent);
        expect(decoded.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false);
        expect(decoded.slice(root.length + 1)).not.toMatch(/^auth(\/|$)/i);
        expect(decoded).toBe(`${root}${decodeURIComponent(path)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('what went out once is let through again, unchanged', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const sent = wire(path);
        if (sent !== undefined) expect(wire(sent.slice(root.length))).toBe(sent);
      }),
    );
  });

  test('every id without slashes and control characters can be named, encoded', () => {
    const id = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[/\\%\p{Cc}\u2028\u2029]|^\.{1,2}(;|$)/u.test(text));
    fc.assert(
      fc.property(id, (text) => {
        expect(wire(`/variables/${encodeURIComponent(text)}`)).toBe(
          `${root}/variables/${encodeURIComponent(text)}`,
        );
      }),
    );
  });
});
