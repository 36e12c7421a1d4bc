// Requests to S3: cases A66 to A76 in the words of S3. Bodies are not read here.

import { readFileSync } from 'node:fs';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../contract/errors.ts';
import { Sha256 } from '../../lib/sha256.ts';
import type { ReceivedHead } from './canonical.ts';
import { createS3HeadVerifier } from './verify-s3.ts';

interface S3Case {
  readonly name: string;
  readonly canonicalRequest: string;
  readonly expectedSignature: string;
  readonly signedHeaders: string;
  readonly chunkSignatures?: readonly string[];
}
const vectors = JSON.parse(
  readFileSync(
    new URL('../../../test/conformance/sigv4/s3-documented/vectors.json', import.meta.url),
    'utf8',
  ),
) as {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly scope: string;
  readonly cases: readonly S3Case[];
};
const { accessKeyId, secretAccessKey } = vectors;
const documented = Date.parse('2013-05-24T00:00:00Z');
const principal = {
  ...{ type: 'Root' as const, arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' },
  ...{ iamIdentity: 'root', accessKeyId },
};
const caller = { principal, session: {} };
const expired = new Error('expired');

let now = documented;
beforeEach(() => {
  now = documented;
});
const verify = createS3HeadVerifier({
  region: 'us-east-1',
  clock: { now: () => now },
  lookup: async (id, token) => {
    if (id !== accessKeyId || (token !== undefined && token !== 'old')) return undefined;
    return { secretAccessKey, caller, ...(token === 'old' ? { refused: expired } : {}) };
  },
});

const refusalOf = async (head: ReceivedHead): Promise<AwsError> => {
  const error = await verify(head).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof AwsError)) throw new Error('believed, or failed inside', { cause: error });
  return error;
};
const outcome = async (head: ReceivedHead): Promise<string> => {
  const { httpStatus, code, publicText } = await refusalOf(head);
  return `${httpStatus} ${code}: ${publicText}`;
};

/** A documented example as it goes over the wire. */
const received = ({ name, canonicalRequest, expectedSignature, signedHeaders }: S3Case): ReceivedHead => {
  const [method = '', path = '', query = '', ...lines] = canonicalRequest.split('\n');
  const headers = lines.slice(0, lines.indexOf('')).flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  if (name.includes('presigned'))
    return { method, target: `${path}?${query}&X-Amz-Signature=${expectedSignature}`, rawHeaders: headers };
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${vectors.scope},SignedHeaders=${signedHeaders},Signature=${expectedSignature}`;
  const target = query === '' ? path : `${path}?${query}`;
  return { method, target, rawHeaders: [...headers, 'Authorization', authorization] };
};

const mismatch =
  '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';

describe('A66 the documented examples of S3', () => {
  test('are seven', () => expect(vectors.cases).toHaveLength(7));

  test.each(vectors.cases)('$name', async (example) => {
    const head = received(example);
    const { payload, signatureAge, ...who } = await verify(head);
    const stated = example.canonicalRequest.split('\n').at(-1) ?? '';
    const form = example.name.includes('presigned') ? 'query' : 'header';
    expect(who).toEqual({ caller, form, contentSha256: stated });
    expect(signatureAge).toBeGreaterThanOrEqual(0);
    if (payload.kind === 'hashed') expect(payload.sha256).toBe(stated);
    else expect(payload.kind).toBe(stated === 'UNSIGNED-PAYLOAD' ? 'unsigned' : 'chunked');
    expect(await outcome({ ...head, method: 'POST' })).toBe(mismatch);
    expect(await outcome({ ...head, target: head.target.replace('/', '/x') })).toBe(mismatch);
  });

  test('give what the first chunk is verified with', async () => {
    const example = vectors.cases.find(({ name }) => name === 's3-chunked-seed');
    if (!example) throw new Error('no such example');
    const { payload } = await verify(received(example));
    if (payload.kind !== 'chunked' || !payload.chain) throw new Error('no chain');
    const { sign, timestamp, scope, seedSignature } = payload.chain;
    const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const first = 'bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a';
    const text = ['AWS4-HMAC-SHA256-PAYLOAD', timestamp, scope, seedSignature, nothing, first].join('\n');
    expect(sign(text)).toBe(example.chunkSignatures?.[0]);
    expect(JSON.stringify(payload)).not.toContain(secretAccessKey);
  });
});

const host = 'localhost:7400';
const signerOf = (o: { region?: string; service?: string; id?: string; token?: string }) =>
  new SignatureV4({
    ...{ region: o.region ?? 'us-east-1', service: o.service ?? 's3', sha256: Sha256, uriEscapePath: false },
    credentials: {
      ...{ accessKeyId: o.id ?? accessKeyId, secretAccessKey },
      ...(o.token === undefined ? {} : { sessionToken: o.token }),
    },
  });

/** RFC 3986, as botocore and the JavaScript SDK write a path and a query. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const searchOf = (query: Readonly<Record<string, unknown>>): string => {
  const text = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  return text.length === 0 ? '' : `?${text.join('&')}`;
};
const plain = (o: Given) => ({
  ...{ method: o.method ?? 'PUT', protocol: 'http:', hostname: 'localhost', port: 7400 },
  ...{ path: o.path ?? '/bucket/key', query: o.query ?? {}, headers: { host, ...o.headers } },
});
interface Given extends NonNullable<Parameters<typeof signerOf>[0]> {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

const signed = async (o: Given = {}): Promise<ReceivedHead> => {
  const request = plain(o);
  const { headers } = await signerOf(o).sign(request, { signingDate: new Date(now) });
  const target = request.path + searchOf(request.query);
  return { method: request.method, target, rawHeaders: Object.entries(headers).flat() };
};
const presigned = async (o: Given = {}): Promise<ReceivedHead> => {
  const request = plain(o);
  const { query = {}, headers } = await signerOf(o).presign(
    // as the presigner of the JavaScript SDK does
    { ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    { expiresIn: 60, signingDate: new Date(now) },
  );
  const target = request.path + searchOf(query);
  return { method: request.method, target, rawHeaders: Object.entries(headers).flat() };
};

describe('@smithy/signature-v4', () => {
  const segment = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((s) => s !== '.' && s !== '..' && s.isWellFormed());
  const value = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => s.isWellFormed());
  const request = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'POST', 'HEAD', 'DELETE'),
    path: fc
      .array(fc.oneof(segment, fc.constantFrom('', '.', '..')), { minLength: 1, maxLength: 4 })
      .map((some) => `/${some.map(encode).join('/')}`),
    query: fc
      .uniqueArray(fc.tuple(segment, value), { maxLength: 3, selector: ([name]) => name })
      .map((some) => Object.fromEntries(some)),
  });

  test.each([
    ['in headers', signed],
    ['presigned', presigned],
  ])('%s is accepted, and refused after a change', async (_, send) => {
    const property = fc.asyncProperty(request, async (given) => {
      const head = await send(given);
      await expect(verify(head)).resolves.toMatchObject({ caller });
      const other = head.target.includes('?') ? `${head.target}&x` : `${head.target}?x`;
      expect(await outcome({ ...head, target: other })).toBe(mismatch);
      expect(await outcome({ ...head, target: `/x${head.target}` })).toBe(mismatch);
    });
    await fc.assert(property, { seed: 1, numRuns: 100 });
  });
});

describe('the stated payload', () => {
  const stating = (stated: string) => signed({ headers: { 'x-amz-content-sha256': stated } });

  test.each([
    ['UNSIGNED-PAYLOAD', { kind: 'unsigned' }],
    ['a'.repeat(64), { kind: 'hashed', sha256: 'a'.repeat(64) }],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { kind: 'chunked', hasTrailer: true, chain: undefined }],
  ])('%s', async (stated, expected) => {
    expect((await verify(await stating(stated))).payload).toEqual(expected);
  });

  test.each([
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', false],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', true],
  ])('%s', async (stated, hasTrailer) => {
    const { payload } = await verify(await stating(stated));
    const chain = { timestamp: '20130524T000000Z', scope: '20130524/us-east-1/s3/aws4_request' };
    expect(payload).toMatchObject({ kind: 'chunked', hasTrailer, chain });
  });

  test.each(['A'.repeat(64), '', 'toString', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'])(
    '%j is none',
    async (stated) => {
      const head = await stating('UNSIGNED-PAYLOAD');
      const rawHeaders = head.rawHeaders.map((text) => (text === 'UNSIGNED-PAYLOAD' ? stated : text));
      expect(await outcome({ ...head, rawHeaders })).toMatch(
        /^400 InvalidArgument: x-amz-content-sha256 must/,
      );
    },
  );

  test('is required in headers', async () => {
    const head = await signed();
    const at = head.rawHeaders.indexOf('x-amz-content-sha256');
    expect(at).toBeGreaterThanOrEqual(0);
    expect(await outcome({ ...head, rawHeaders: head.rawHeaders.toSpliced(at, 2) })).toBe(
      '400 InvalidRequest: Missing required header for this request: x-amz-content-sha256',
    );
  });

  test('cannot be another one than what was signed', async () => {
    const head = await stating('UNSIGNED-PAYLOAD');
    const rawHeaders = head.rawHeaders.map((text) => (text === 'UNSIGNED-PAYLOAD' ? 'a'.repeat(64) : text));
    expect(await outcome({ ...head, rawHeaders })).toBe(mismatch);
  });

  test('A70 of a presigned request is not taken from headers that are not signed', async () => {
    const head = await presigned();
    for (const value of ['UNSIGNED-PAYLOAD', 'a'.repeat(64), 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']) {
      const rawHeaders = [...head.rawHeaders, 'X-Amz-Content-Sha256', value];
      expect(await outcome({ ...head, rawHeaders })).toMatch(
        /^(400 Invalid|403 AccessDenied: There were headers)/,
      );
    }
  });
});

describe('S3 says', () => {
  test.each([
    ['ahead', 15 * 60_000, true],
    ['old', -15 * 60_000, true],
    ['too far ahead', 15 * 60_000 + 1000, false],
    ['too old', -15 * 60_000 - 1000, false],
  ])('A67 what is %s', async (_, offset, isGood) => {
    now = documented + offset;
    const head = await signed();
    now = documented;
    if (isGood) await expect(verify(head)).resolves.toMatchObject({ caller });
    else
      expect(await refusalOf(head)).toMatchObject({
        httpStatus: 403,
        code: 'RequestTimeTooSkewed',
        members: { ServerTime: '2013-05-24T00:00:00Z', MaxAllowedSkewMilliseconds: '900000' },
      });
  });

  test('A73 when a presigned request is over', async () => {
    const head = await presigned();
    now += 60_000;
    await expect(verify(head)).resolves.toMatchObject({ caller });
    now += 1;
    expect(await refusalOf(head)).toMatchObject({
      code: 'AccessDenied',
      publicText: 'Request has expired',
      members: { 'X-Amz-Expires': '60', Expires: '2013-05-24T00:01:00Z' },
    });
    now = documented - 15 * 60_000 - 1;
    expect(await outcome(head)).toBe('403 AccessDenied: Request is not valid yet');
  });

  test.each([
    ['headers', signed, '400 AuthorizationHeaderMalformed: The authorization header is malformed; '],
    [
      'the query',
      presigned,
      '400 AuthorizationQueryParametersError: Error parsing the X-Amz-Credential parameter; ',
    ],
  ])('A72 what is wrong with the scope in %s', async (_, send, start) => {
    const region = await send({ region: 'eu-west-1' });
    expect(await outcome(region)).toBe(`${start}the region 'eu-west-1' is wrong; expecting 'us-east-1'`);
    expect((await refusalOf(region)).members).toMatchObject({ Region: 'us-east-1' });
    expect(await outcome(await send({ service: 'airflow' }))).toBe(
      `${start}incorrect service "airflow". This endpoint belongs to "s3".`,
    );
  });

  test('A76 that a key or a token is not known, or over', async () => {
    for (const send of [signed, presigned]) {
      expect(await outcome(await send({ id: 'AKIAZZZZZZZZZZZZZZZZ' }))).toBe(
        '403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.',
      );
      expect(await outcome(await send({ token: 'x' }))).toMatch(/^400 InvalidToken: /);
      expect(await outcome(await send({ token: 'old' }))).toBe(
        '400 ExpiredToken: The provided token has expired.',
      );
    }
  });

  test('A69 which headers are not signed', async () => {
    for (const head of [await signed(), await presigned()]) {
      const rawHeaders = [...head.rawHeaders, 'X-Amz-Acl', 'public-read'];
      expect(await refusalOf({ ...head, rawHeaders })).toMatchObject({
        code: 'AccessDenied',
        publicText: 'There were headers present in the request which were not signed',
        members: { HeadersNotSigned: 'x-amz-acl' },
      });
    }
    const head = await signed({ headers: { 'x-amz-meta-a': '1' } });
    const at = head.rawHeaders.indexOf('x-amz-meta-a');
    expect(await outcome({ ...head, rawHeaders: head.rawHeaders.toSpliced(at, 2) })).toMatch(
      /^400 AuthorizationHeaderMalformed: The signed header 'x-amz-meta-a' is not present/,
    );
  });

  test('that nothing is signed', async () => {
    const head = { method: 'GET', target: '/bucket/key', rawHeaders: ['Host', host] };
    expect(await outcome(head)).toBe('403 AccessDenied: Access Denied');
  });

  test.each([
    ['a header', '/bucket/key', ['Authorization', 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=']],
    ['the query', '/bucket/key?AWSAccessKeyId=A&Signature=vjby&Expires=1141889120', []],
    ['a token', '/bucket/key', ['Authorization', 'Bearer abc']],
  ])('that only version 4 is accepted, to another signature in %s', async (_, target, more) => {
    const text = await outcome({ method: 'GET', target, rawHeaders: ['Host', host, ...more] });
    expect(text).toMatch(/^400 InvalidRequest: .*AWS4-HMAC-SHA256.*s3v4/);
    expect(text).not.toMatch(/frJIUN8|vjby|abc/);
  });

  test('A70 that there are two signatures, or one that cannot be read', async () => {
    const [head, query] = [await signed(), await presigned()];
    expect(await outcome({ ...head, target: query.target })).toMatch(/^400 AuthorizationHeaderMalformed: /);
    const doubled = [...head.rawHeaders, 'Authorization', 'AWS4-HMAC-SHA256 x'];
    expect(await outcome({ ...head, rawHeaders: doubled })).toMatch(/^400 AuthorizationHeaderMalformed: /);
    const target = query.target.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801');
    expect(await outcome({ ...query, target })).toMatch(/^400 AuthorizationQueryParametersError: .*604800/);
  });
});
