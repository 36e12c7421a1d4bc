// Whatever stands in the headers and the query of a request, the verifiers refuse it with an error of its own, at once.
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { AwsError } from '../../contract/errors.ts';
import { fuzzer, takesLong } from '../../lib/test-fuzz.ts';
import { createVerifier } from './verify.ts';
import { createS3HeadVerifier } from './verify-s3.ts';

const { fuzz, deadline } = fuzzer(inject('fuzzSeconds'));
const now = Date.parse('2026-11-23T10:00:00Z');
const verify = createVerifier({
  ...{ region: 'us-east-1', service: 'airflow', clock: { now: () => now } },
  lookup: async () => undefined,
});
type Request = Parameters<typeof verify>[0];

const verifyS3 = createS3HeadVerifier({
  ...{ region: 'us-east-1', clock: { now: () => now } },
  lookup: async () => undefined,
});
const asS3 = (text: string): string => text.replaceAll('airflow', 's3');
const verifyAsS3 = ({ method, target, rawHeaders }: Request): Promise<unknown> =>
  verifyS3({ method, target: asS3(target), rawHeaders: rawHeaders.map(asS3) });

const codes = new Set([
  ...['InvalidSignatureException', 'IncompleteSignatureException', 'UnrecognizedClientException'],
  'MissingAuthenticationTokenException',
]);

const codesOfS3 = new Set([
  ...['AccessDenied', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
  ...['InvalidAccessKeyId', 'InvalidArgument', 'InvalidRequest', 'InvalidToken', 'RequestTimeTooSkewed'],
]);

/** Never believed; refused with one of those codes, in a moment. */
const refusedBy = async (
  verifier: (request: Request) => Promise<unknown>,
  request: Request,
  known: ReadonlySet<string>,
): Promise<void> => {
  const outcome = () =>
    verifier(request).then(
      () => undefined,
      (e: unknown) => e,
    );
  expect(await takesLong(outcome, 1_000)).toBe(false);
  const error = await outcome();
  if (!(error instanceof AwsError)) throw new Error('believed, or failed inside', { cause: error });
  expect(known).toContain(error.code);
  expect(error.publicText.length).toBeLessThan(2_000);
  expect(JSON.stringify(error.members).length).toBeLessThan(4_000);
};

const refused = async (request: Request): Promise<void> => {
  await refusedBy(verify, request, codes);
  await refusedBy(verifyAsS3, request, codesOfS3);
};

const latin = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 12,
});
const pieces = [
  ...['AWS4-HMAC-SHA256', ' ', ',', ', ', '=', ';', '/', 'Credential=', 'SignedHeaders=', 'Signature='],
  ...[
    'AKIDEXAMPLE/20261123/us-east-1/airflow/aws4_request',
    'host;x-amz-date',
    'host',
    '0'.repeat(64),
    'f',
    '%2F',
    '+',
  ],
];
const words = fc
  .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, latin), { maxLength: 14 })
  .map((some) => some.join(''));
const good =
  'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/airflow/aws4_request, SignedHeaders=host;x-amz-date, Signature=';
const authorization = fc.oneof(
  words,
  words.map((tail) => good + tail),
  fc.constant(good + '0'.repeat(64)),
);
const date = fc.oneof({ weight: 4, arbitrary: fc.constant('20261123T100000Z') }, latin);
const names = [
  'Host',
  'X-Amz-Date',
  'x-amz-content-sha256',
  'X-Amz-Security-Token',
  'X-Amz-Target',
  'Date',
  '__proto__',
  '',
];
const others = fc.array(fc.tuple(fc.constantFrom(...names), fc.oneof(words, latin)), { maxLength: 4 });

test('headers', deadline, async () => {
  const value = fc.record({
    authorization,
    date,
    others,
    target: fc.oneof(fc.constant('/environments'), words),
  });
  await fuzz(value, async ({ authorization: header, date: when, others: more, target }) => {
    const rawHeaders = ['Host', 'x', 'X-Amz-Date', when, 'Authorization', header, ...more.flat()];
    await refused({ method: 'GET', target, rawHeaders, body: Buffer.alloc(0) });
  });
});

const parameters = [
  ...[
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ],
  ...['X-Amz-Security-Token', 'x-amz-signature', 'a', '%58-Amz-Date', '__proto__', ''],
];
const usual: Readonly<Record<string, string>> = {
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': 'AKIDEXAMPLE%2F20261123%2Fus-east-1%2Fairflow%2Faws4_request',
  'X-Amz-Date': '20261123T100000Z',
  'X-Amz-Expires': '60',
  'X-Amz-SignedHeaders': 'host',
  'X-Amz-Signature': '0'.repeat(64),
};

test('presigned queries', deadline, async () => {
  const parameter = fc.tuple(fc.constantFrom(...parameters), fc.oneof(words, latin));
  const value = fc.record({
    left: fc.subarray(Object.keys(usual), { minLength: 4 }),
    more: fc.array(parameter, { maxLength: 3 }),
  });
  await fuzz(value, async ({ left, more }) => {
    const query = [
      ...left.map((name) => `${name}=${usual[name]}`),
      ...more.map(([name, v]) => `${name}=${v}`),
    ];
    const target = `/environments?${query.join('&')}`;
    await refused({ method: 'GET', target, rawHeaders: ['Host', 'x'], body: Buffer.alloc(0) });
  });
});

test('what is repeated until it is as long as a head may be', deadline, async () => {
  const value = fc.record({
    piece: fc.oneof(
      fc.constantFrom(...pieces, 'a=', '%', '%4', '%41', '/..', '//', '&', '?', ' ', '\t', ';a'),
      latin,
    ),
    where: fc.constantFrom('authorization', 'signed', 'target', 'query', 'header', 'headers'),
  });
  await fuzz(value, async ({ piece, where }) => {
    const long = piece.repeat(Math.floor(16_000 / Math.max(1, piece.length)));
    const header = where === 'authorization' ? `AWS4-HMAC-SHA256 ${long}` : `${good}${'0'.repeat(64)}`;
    const signed = where === 'signed' ? header.replace('host;x-amz-date', () => long) : header;
    const more = where === 'header' ? ['x-own', long] : where === 'headers' ? Array(4_000).fill(piece) : [];
    const target =
      where === 'target' ? `/${long}` : where === 'query' ? `/environments?${long}` : '/environments';
    const rawHeaders = ['Host', 'x', 'X-Amz-Date', '20261123T100000Z', 'Authorization', signed, ...more];
    await refused({ method: 'GET', target, rawHeaders, body: Buffer.alloc(0) });
  });
});
