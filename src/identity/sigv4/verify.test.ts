import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AwsError } from '../../contract/errors.ts';
import { createVerifier } from './verify.ts';

const now = Date.parse('2026-11-23T10:00:00Z');
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const principal = {
  type: 'Root',
  arn: 'arn:aws:iam::123456789012:root',
  accountId: '123456789012',
  iamIdentity: 'root',
  accessKeyId: 'AKIDEXAMPLE',
} as const;
const caller = { principal, session: {} };
const verify = createVerifier({
  region: 'us-east-1',
  service: 'airflow',
  clock: { now: () => now },
  lookup: async (id, token) =>
    id === principal.accessKeyId && token === undefined ? { secretAccessKey: secret, caller } : undefined,
});

interface Options {
  readonly date?: string;
  readonly scope?: string;
  readonly key?: string;
  readonly host?: string;
  readonly signed?: string;
  readonly extra?: readonly string[];
  readonly body?: string;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha = (text: string) => createHash('sha256').update(text).digest('hex');

/** Signs by hand, straight from the documentation, so that faults can be built in. */
const signed = (o: Options = {}) => {
  const date = o.date ?? '20261123T100000Z';
  const scope = o.scope ?? '20261123/us-east-1/airflow/aws4_request';
  const names = (o.signed ?? 'host;x-amz-date').split(';');
  const extra = o.extra ?? [];
  const headers = ['Host', o.host ?? 'localhost:7400', 'X-Amz-Date', date, ...extra];
  const headerValue = (name: string) =>
    headers[headers.findIndex((h, i) => i % 2 === 0 && h.toLowerCase() === name) + 1];
  const canonical = [
    'GET',
    '/environments',
    '',
    ...names.map((n) => `${n}:${headerValue(n)}`),
    '',
    names.join(';'),
    sha(o.body ?? ''),
  ];
  const text = ['AWS4-HMAC-SHA256', date, scope, sha(canonical.join('\n'))].join('\n');
  const [day = '', region = '', service = '', end = ''] = scope.split('/');
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), end);
  const authorization = `AWS4-HMAC-SHA256 Credential=${o.key ?? 'AKIDEXAMPLE'}/${scope}, SignedHeaders=${names.join(';')}, Signature=${hmac(key, text).toString('hex')}`;
  return {
    method: 'GET',
    target: '/environments',
    rawHeaders: [...headers, 'Authorization', authorization],
    body: Buffer.from(o.body ?? ''),
  };
};

const withAuthorization = (authorization: string, ...more: string[]) => ({
  method: 'GET',
  target: '/environments',
  rawHeaders: ['Host', 'localhost:7400', 'Authorization', authorization, ...more],
  body: Buffer.alloc(0),
});

const refusal = async (request: Parameters<typeof verify>[0]): Promise<string> => {
  const error = await verify(request).then(
    () => undefined,
    (e: AwsError) => e,
  );
  return error ? `${error.httpStatus} ${error.code}: ${error.publicText}` : 'accepted';
};

describe('the verifier', () => {
  test('accepts what is signed by the documentation', async () => {
    await expect(verify(signed())).resolves.toEqual(caller);
  });

  test.each([
    ['5 minutes old', '20261123T095500Z', 'accepted'],
    ['5 minutes ahead', '20261123T100500Z', 'accepted'],
    [
      '5 minutes and a second old',
      '20261123T095459Z',
      '403 InvalidSignatureException: Signature expired: 20261123T095459Z is now earlier than 20261123T095500Z (20261123T100000Z - 5 min.)',
    ],
    [
      '5 minutes and a second ahead',
      '20261123T100501Z',
      '403 InvalidSignatureException: Signature not yet current: 20261123T100501Z is still later than 20261123T100500Z (20261123T100000Z + 5 min.)',
    ],
  ])('A67 looks at the clock: %s', async (_, date, expected) => {
    expect(await refusal(signed({ date }))).toBe(expected);
  });

  test.each([
    [
      '20261123/eu-west-1/airflow/aws4_request',
      "Credential should be scoped to a valid region, not 'eu-west-1'.",
    ],
    ['20261123/us-east-1/s3/aws4_request', "Credential should be scoped to correct service: 'airflow'."],
    [
      '20261123/us-east-1/airflow/aws4',
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'.",
    ],
    [
      '20261122/us-east-1/airflow/aws4_request',
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T100000Z'.",
    ],
  ])('A72 names what is wrong with the scope %s', async (scope, text) => {
    expect(await refusal(signed({ scope }))).toBe(`403 InvalidSignatureException: ${text}`);
  });

  test('A72 wants five parts in the credential', async () => {
    expect(await refusal(signed({ scope: '20261123/us-east-1/air/flow/aws4_request' }))).toMatch(
      /^400 IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements/,
    );
  });

  test('A69 wants host and every x-amz header signed, and every signed header sent', async () => {
    expect(await refusal(signed({ signed: 'x-amz-date' }))).toBe(
      "403 InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
    expect(await refusal(signed({ extra: ['X-Amz-Target', 'x'] }))).toBe(
      "403 InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    );
    expect(await refusal(signed({ signed: 'host;x-absent;x-amz-date' }))).toBe(
      "403 InvalidSignatureException: The signed header 'x-absent' is not present in the request.",
    );
  });

  test('A71 computes the hash of the body itself', async () => {
    const empty = sha('');
    const all = 'host;x-amz-content-sha256;x-amz-date';
    const stated = (value: string, body = '') =>
      refusal(signed({ signed: all, extra: ['x-amz-content-sha256', value], body }));
    expect(await stated(empty)).toBe('accepted');
    expect(await stated(empty, '{}')).toMatch(
      /^403 InvalidSignatureException: The header x-amz-content-sha256/,
    );
    expect(await stated(empty.toUpperCase())).toMatch(/^403 InvalidSignatureException/);
    expect(await stated('UNSIGNED-PAYLOAD')).toMatch(/^403 InvalidSignatureException/);
  });

  test('A75 does not know an unknown key or a session token that is not its own', async () => {
    const text = '403 UnrecognizedClientException: The security token included in the request is invalid.';
    expect(await refusal(signed({ key: 'AKIDUNKNOWN' }))).toBe(text);
    const token = { signed: 'host;x-amz-date;x-amz-security-token', extra: ['X-Amz-Security-Token', 'abc'] };
    expect(await refusal(signed(token))).toBe(text);
  });

  test('says what is missing, without showing the header', async () => {
    expect(await refusal({ ...signed(), rawHeaders: ['Host', 'localhost'] })).toBe(
      '403 MissingAuthenticationTokenException: Missing Authentication Token',
    );
    const bearer = await refusal(withAuthorization('Bearer very-secret'));
    expect(bearer).toMatch(
      /^400 IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter./,
    );
    expect(bearer).not.toContain('very-secret');
  });

  test.each(['authorization', 'host', 'x-amz-date'])('A70 refuses two headers %s', async (name) => {
    const request = signed();
    const at = request.rawHeaders.findIndex((h) => h.toLowerCase() === name);
    const rawHeaders = [...request.rawHeaders, name, request.rawHeaders[at + 1] ?? ''];
    expect(await refusal({ ...request, rawHeaders })).toBe(
      `400 IncompleteSignatureException: The header '${name}' is given more than once.`,
    );
  });

  test('A70 refuses header and query authentication together', async () => {
    const request = signed();
    expect(await refusal({ ...request, target: `${request.target}?x-amz-SIGNATURE=1` })).toMatch(
      /^400 IncompleteSignatureException: Only one way to authenticate/,
    );
  });

  test('refuses a session token in a header of a presigned request', async () => {
    const request = signed({ extra: ['X-Amz-Security-Token', 'abc'] });
    const rawHeaders = request.rawHeaders.slice(0, -2);
    expect(await refusal({ ...request, rawHeaders, target: '/environments?X-Amz-Signature=1' })).toMatch(
      /^400 IncompleteSignatureException: Only one way to authenticate/,
    );
  });

  test('refuses dates that are none', async () => {
    for (const date of ['20261323T100000Z', '20260230T100000Z', '2026-11-23T10:00:00Z', 'now', '']) {
      expect(await refusal(signed({ date }))).toMatch(/^400 IncompleteSignatureException: /);
    }
  });

  test('A77 ends fast on huge input', async () => {
    const started = performance.now();
    expect(await refusal(withAuthorization(`AWS4-HMAC-SHA256 ${'a=b,'.repeat(2_500_000)}`))).toMatch(
      /^400 IncompleteSignatureException: The Authorization header is longer than/,
    );
    const names = Array.from({ length: 500 }, (_, i) => `h${i}`).join(';');
    const many = `AWS4-HMAC-SHA256 Credential=a/20261123/us-east-1/airflow/aws4_request, SignedHeaders=${names}, Signature=${'0'.repeat(64)}`;
    expect(await refusal(withAuthorization(many, 'X-Amz-Date', '20261123T100000Z'))).toMatch(
      /^400 IncompleteSignatureException: SignedHeaders names 500 headers/,
    );
    expect(performance.now() - started).toBeLessThan(500);
  });

  test.each(['0', '-1', '604801', '', '1e3', 'x'])('A73 refuses X-Amz-Expires=%s', async (expires) => {
    const target = `/environments?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fus-east-1%2Fairflow%2Faws4_request&X-Amz-Date=20261123T100000Z&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`;
    const request = { method: 'GET', target, rawHeaders: ['Host', 'x'], body: Buffer.alloc(0) };
    expect(await refusal(request)).toMatch(/^400 IncompleteSignatureException: .*X-Amz-Expires/);
  });
});
