import { SignatureV4 } from '@smithy/signature-v4';
import { sign } from 'aws4';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { Sha256 } from '../../lib/sha256.ts';
import { createVerifier } from './verify.ts';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const principal = {
  type: 'Root',
  arn: 'arn:aws:iam::123456789012:root',
  accountId: '123456789012',
  iamIdentity: 'root',
  accessKeyId: credentials.accessKeyId,
} as const;
const caller = { principal, session: {} };
const region = 'us-east-1';
const service = 'airflow';
const verify = createVerifier({
  region,
  service,
  clock: systemClock,
  lookup: async () => ({ secretAccessKey: credentials.secretAccessKey, caller }),
});
const smithy = new SignatureV4({ service, region, credentials, sha256: Sha256 });

const host = 'api.localhost:7400';
const segment = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((s) => s !== '.' && s !== '..' && s.isWellFormed());
const value = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => s.isWellFormed());
const request = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE'),
  segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
  query: fc.uniqueArray(fc.tuple(segment, value), { maxLength: 3, selector: ([name]) => name }),
  body: fc.string({ maxLength: 40 }),
});

/** RFC 3986, as botocore and the JavaScript SDK write a path and a query. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const flat = (headers: Record<string, unknown>): string[] =>
  Object.entries(headers).flatMap(([name, v]) => [name, String(v)]);

describe('independent signers', () => {
  test('@smithy/signature-v4 is accepted, and refused when the body differs', async () => {
    const property = fc.asyncProperty(request, async ({ method, segments, query, body }) => {
      const path = `/${segments.map(encode).join('/')}`;
      const signed = await smithy.sign({
        method,
        protocol: 'http:',
        hostname: 'api.localhost',
        port: 7400,
        path,
        query: Object.fromEntries(query),
        headers: { host, 'content-type': 'application/json', 'x-amz-user-agent': 'test' },
        body,
      });
      const search = query.map(([name, v]) => `${encode(name)}=${encode(v)}`).join('&');
      const received = {
        method,
        target: search === '' ? path : `${path}?${search}`,
        rawHeaders: flat(signed.headers),
        body: Buffer.from(body),
      };
      await expect(verify(received)).resolves.toEqual(caller);
      await expect(verify({ ...received, body: Buffer.from(`${body} `) })).rejects.toThrow();
    });
    await fc.assert(property, { seed: 1, numRuns: 150 });
  });

  test('@smithy/signature-v4 presigned is accepted', async () => {
    const signed = await smithy.presign(
      {
        method: 'GET',
        protocol: 'http:',
        hostname: 'api.localhost',
        port: 7400,
        path: '/environments',
        headers: { host },
      },
      { expiresIn: 60 },
    );
    const search = Object.entries(signed.query ?? {}).map(
      ([name, v]) => `${encode(name)}=${encode(String(v))}`,
    );
    const target = `/environments?${search.join('&')}`;
    const received = { method: 'GET', target, rawHeaders: ['Host', host], body: Buffer.alloc(0) };
    await expect(verify(received)).resolves.toEqual(caller);
    await expect(verify({ ...received, target: `${target}&extra=1` })).rejects.toThrow();
  });

  test('aws4 is accepted, in the header and in the query', async () => {
    const property = fc.asyncProperty(
      fc.record({
        method: fc.constantFrom('GET', 'PUT'),
        name: segment,
        value,
        body: fc.string({ maxLength: 40 }),
        signQuery: fc.boolean(),
      }),
      async (r) => {
        const extra = r.signQuery ? '&X-Amz-Expires=60' : '';
        const path = `/environments/a%3Ab?${encode(r.name)}=${encode(r.value)}${extra}`;
        const signed = sign(
          { method: r.method, host, path, service, region, body: r.body, signQuery: r.signQuery },
          credentials,
        );
        const received = {
          method: r.method,
          target: signed.path,
          rawHeaders: flat(signed.headers),
          body: Buffer.from(r.body),
        };
        await expect(verify(received)).resolves.toEqual(caller);
        await expect(verify({ ...received, method: 'POST' })).rejects.toThrow();
      },
    );
    await fc.assert(property, { seed: 2, numRuns: 150 });
  });
});
