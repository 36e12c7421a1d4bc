// Presigned requests, session tokens and keys that nobody has: cases A70, A73, A75 and A76.

import { SignatureV4 } from '@smithy/signature-v4';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AwsError } from '../../contract/errors.ts';
import { Sha256 } from '../../lib/sha256.ts';
import { accessKeyLookup } from '../access-keys.ts';
import { directoryOf, type IamRole } from '../directory.ts';
import { identityBoxes } from '../identity-key.ts';
import { issueCredentials, type TemporaryCredentials } from '../session-token.ts';
import { createVerifier } from './verify.ts';

const root = {
  accountId: '123456789012',
  accessKeyId: 'AKIAABCDEFGHIJKLMNOP',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const boxes = identityBoxes(Buffer.alloc(32, 1));
const ci: IamRole = {
  ...{ kind: 'role', name: 'ci', path: '/', id: 'AROAX', createdAt: 0, tags: {} },
  ...{ inline: {}, attached: [], trust: '', maxSessionDuration: 3_600 },
};
const region = 'us-east-1';
let now = Date.parse('2026-11-23T10:00:00Z');
beforeEach(() => {
  now = Date.parse('2026-11-23T10:00:00Z');
});
const clock = { now: () => now };
const verify = createVerifier({
  ...{ region, service: 'airflow', clock },
  lookup: accessKeyLookup({ root, boxes, clock, directory: () => directoryOf([ci]) }),
});
type Received = Parameters<typeof verify>[0];

const outcome = async (request: Received): Promise<string> =>
  verify(request).then(
    ({ principal }) => `accepted as ${principal.arn}`,
    (e: AwsError) => `${e.httpStatus} ${e.code}: ${e.publicText}`,
  );

interface Given {
  readonly credentials?: Pick<TemporaryCredentials, 'accessKeyId' | 'secretAccessKey'> & {
    readonly sessionToken?: string;
  };
  readonly query?: Record<string, string>;
}
const signerOf = ({ credentials = root }: Given) =>
  new SignatureV4({ service: 'airflow', region, credentials, sha256: Sha256 });
const plain = (query: Record<string, string> = {}) => ({
  ...{ method: 'GET', protocol: 'http:', hostname: 'localhost', path: '/environments', query },
  headers: { host: 'localhost' },
});
const targetOf = (query: Readonly<Record<string, unknown>>): string =>
  `/environments?${Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&')}`;

const presigned = async (given: Given = {}): Promise<Received> => {
  const o = { expiresIn: 60, signingDate: new Date(now) };
  const { query = {} } = await signerOf(given).presign(plain(given.query), o);
  return { method: 'GET', target: targetOf(query), rawHeaders: ['Host', 'localhost'], body: Buffer.alloc(0) };
};
const signed = async (given: Given = {}): Promise<Received> => {
  const { headers } = await signerOf(given).sign(plain(), { signingDate: new Date(now) });
  return {
    method: 'GET',
    target: '/environments',
    rawHeaders: Object.entries(headers).flat(),
    body: Buffer.alloc(0),
  };
};

const rootUser = 'accepted as arn:aws:iam::123456789012:root';
const mismatch = /^403 InvalidSignatureException: The request signature we calculated does not match/;

describe('A73 a presigned request', () => {
  test('is good for as long as it says, in any order of its parameters', async () => {
    const request = await presigned({ query: { MaxResults: '5' } });
    expect(await outcome(request)).toBe(rootUser);
    const [path, query = ''] = request.target.split('?');
    expect(await outcome({ ...request, target: `${path}?${query.split('&').reverse().join('&')}` })).toBe(
      rootUser,
    );
    now += 60_000;
    expect(await outcome(request)).toBe(rootUser);
    now += 1_000;
    expect(await outcome(request)).toBe(
      '403 InvalidSignatureException: Signature expired: 20261123T100000Z is now earlier than 20261123T100001Z (20261123T100101Z - 60 sec.)',
    );
  });

  test.each<[string, (target: string) => string, RegExp]>([
    ['one parameter more', (t) => `${t}&NextToken=x`, mismatch],
    ['one that is empty', (t) => `${t}&x`, mismatch],
    ['one less', (t) => t.replace('MaxResults=5&', ''), mismatch],
    ['another value', (t) => t.replace('MaxResults=5', 'MaxResults=6'), mismatch],
    ['another spelling of a name', (t) => t.replace('MaxResults', 'maxResults'), mismatch],
    ['a longer life', (t) => t.replace('Expires=60', 'Expires=61'), mismatch],
    [
      'no life',
      (t) => t.replace('&X-Amz-Expires=60', ''),
      /^400 IncompleteSignatureException: .*'X-Amz-Expires'/,
    ],
    ['two lives', (t) => `${t}&X-Amz-Expires=600`, /^400 IncompleteSignatureException: .*more than once/],
    [
      'no signature',
      (t) => t.replace(/&X-Amz-Signature=\w+/, ''),
      /^400 IncompleteSignatureException: .*'X-Amz-Signature'/,
    ],
    [
      'no headers that are signed',
      (t) => t.replace('SignedHeaders=host', 'SignedHeaders='),
      /^400 Incomplete/,
    ],
    ['another algorithm', (t) => t.replace('HMAC-SHA256', 'HMAC-SHA1'), /^400 .*Unsupported AWS 'algorithm'/],
  ])('with %s is refused', async (_, change, expected) => {
    const request = await presigned({ query: { MaxResults: '5' } });
    const target = change(request.target);
    expect(target).not.toBe(request.target);
    expect(await outcome({ ...request, target })).toMatch(expected);
  });

  test('A70 may not say in a header how its body is hashed: unsigned headers of x-amz are refused', async () => {
    const request = await presigned();
    for (const value of ['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']) {
      const rawHeaders = [...request.rawHeaders, 'x-amz-content-sha256', value];
      const body = Buffer.from('{}');
      expect(await outcome({ ...request, rawHeaders, body })).toBe(
        "403 InvalidSignatureException: 'x-amz-content-sha256' must be a 'SignedHeader' in the AWS Authorization.",
      );
      expect(await outcome({ ...request, body })).toMatch(mismatch);
    }
  });
});

describe('A75 a session token', () => {
  const principal = {
    type: 'AssumedRole' as const,
    ...{ arn: 'arn:aws:sts::123456789012:assumed-role/ci/run', accountId: root.accountId },
    ...{ iamIdentity: 'assumed-role/ci/run', id: 'AROAX', sessionName: 'run' },
  };
  const issue = () =>
    issueCredentials(
      boxes.sessionTokens,
      { principal, session: { credentialsIssuedAt: now } },
      now + 3_600_000,
    );
  const unknown = '403 UnrecognizedClientException: The security token included in the request is invalid.';

  test.each([
    ['in a header', signed],
    ['in the query', presigned],
  ])('%s is believed until its end, with its own key only', async (_, send) => {
    const credentials = issue();
    const who = (change: object = {}) => send({ credentials: { ...credentials, ...change } }).then(outcome);
    expect(await who()).toBe(`accepted as ${principal.arn}`);
    expect(await who({ secretAccessKey: root.secretAccessKey })).toMatch(mismatch);
    expect(await who({ sessionToken: issue().sessionToken })).toBe(unknown);
    expect(await who({ sessionToken: undefined })).toBe(unknown);
    expect(await who({ sessionToken: 'x' })).toBe(unknown);
    now += 3_600_000;
    expect(await who()).toBe(
      '403 ExpiredTokenException: The security token included in the request is expired',
    );
  });

  test('that is altered anywhere is none', async () => {
    const credentials = issue();
    const { sessionToken } = credentials;
    for (let at = 0; at < sessionToken.length; at += 7) {
      const other = sessionToken[at] === 'A' ? 'B' : 'A';
      const altered = sessionToken.slice(0, at) + other + sessionToken.slice(at + 1);
      expect(
        await outcome(await signed({ credentials: { ...credentials, sessionToken: altered } })),
        `${at}`,
      ).toBe(unknown);
    }
  });

  test('beside a key that lasts is refused', async () => {
    const { sessionToken } = issue();
    expect(await outcome(await signed({ credentials: { ...root, sessionToken } }))).toBe(unknown);
  });
});

test('A76 a key that nobody has is answered in the same words, and takes as long, as one whose secret is wrong', async () => {
  const nobody = await signed({ credentials: { ...root, accessKeyId: 'AKIAZZZZZZZZZZZZZZZZ' } });
  const wrong = await signed({ credentials: { ...root, secretAccessKey: 'x' } });
  expect(await outcome(nobody)).toBe(
    '403 UnrecognizedClientException: The security token included in the request is invalid.',
  );
  expect(await outcome(wrong)).toMatch(mismatch);
  const times = new Map([nobody, wrong].map((request) => [request, [] as number[]]));
  for (let i = 0; i < 400; i += 1)
    for (const [request, all] of times) {
      const begun = performance.now();
      await outcome(request);
      all.push(performance.now() - begun);
    }
  const [a = 0, b = 0] = [...times.values()].map((all) => all.sort((x, y) => x - y)[200]);
  expect(Math.max(a, b) / Math.min(a, b)).toBeLessThan(2);
});
