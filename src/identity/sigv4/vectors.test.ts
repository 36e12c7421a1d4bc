import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Principal } from '../principal.ts';
import type { PathStyle, ReceivedRequest } from './canonical.ts';
import { createVerifier, type Verifier } from './verify.ts';

// Tens of thousands of refusals are thrown here; nobody looks at their stacks.
Error.stackTraceLimit = 0;

const folder = new URL('../../../test/conformance/sigv4/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, folder), 'latin1');

const principal: Principal = {
  type: 'Root',
  arn: 'arn:aws:iam::123456789012:root',
  accountId: '123456789012',
  iamIdentity: 'root',
  accessKeyId: 'AKIDEXAMPLE',
};
const caller = { principal, session: {} };

interface Context {
  readonly credentials: {
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly token?: string;
  };
  readonly normalize: boolean;
  readonly region: string;
  readonly service: string;
  readonly timestamp: string;
  readonly omit_session_token?: boolean;
}

const verifierFor = (c: Context, secret = c.credentials.secret_access_key, pathStyle?: PathStyle): Verifier =>
  createVerifier({
    region: c.region,
    service: c.service,
    clock: { now: () => Date.parse(c.timestamp) },
    lookup: async (id, token) =>
      id === c.credentials.access_key_id && token === c.credentials.token
        ? { secretAccessKey: secret, caller }
        : undefined,
    pathStyle: pathStyle ?? (c.normalize ? 'normalized' : 'verbatim'),
    sessionTokenUnsigned: c.omit_session_token ?? false,
  });

/** Reads `METHOD target HTTP/1.1`, headers (folded lines joined), an empty line, the body. */
const parseRequest = (text: string): ReceivedRequest => {
  const [head = '', ...rest] = text.split('\n\n');
  const [requestLine = '', ...lines] = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine) ?? [];
  const rawHeaders = lines.filter(Boolean).flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  return { method, target, rawHeaders, body: Buffer.from(rest.join('\n\n'), 'latin1') };
};

const cases = readdirSync(new URL('aws-c-auth/v4', folder)).flatMap((name) =>
  (['header', 'query'] as const).map((form) => {
    const at = `aws-c-auth/v4/${name}`;
    const context = JSON.parse(read(`${at}/context.json`)) as Context;
    const text = read(`${at}/${form}-signed-request.txt`);
    return { name, form, context, text, request: parseRequest(text) };
  }),
);

const codeOf = async (verify: Verifier, request: ReceivedRequest): Promise<string> => {
  try {
    await verify(request);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

/** Replaces one letter or digit by another one that differs in more than case. */
const replaceAt = (text: string, i: number): string => {
  const old = (text[i] ?? '').toLowerCase();
  return `${text.slice(0, i)}${old === '7' ? '3' : '7'}${text.slice(i + 1)}`;
};

const wordPositions = (text: string): number[] => [...text.matchAll(/[A-Za-z0-9]/g)].map((m) => m.index);

/** Every request that differs from the given one in one letter or digit. */
function* oneCharacterChanges(r: ReceivedRequest, withPath: boolean): Generator<ReceivedRequest> {
  for (const i of wordPositions(r.method)) yield { ...r, method: replaceAt(r.method, i) };
  const path = r.target.split('?')[0] ?? '';
  for (const i of wordPositions(r.target)) {
    if (withPath || i >= path.length) yield { ...r, target: replaceAt(r.target, i) };
  }
  for (const [at, text] of r.rawHeaders.entries()) {
    for (const i of wordPositions(text)) {
      yield { ...r, rawHeaders: r.rawHeaders.with(at, replaceAt(text, i)) };
    }
  }
  const body = Buffer.from(r.body).toString('latin1');
  for (const i of wordPositions(body)) yield { ...r, body: Buffer.from(replaceAt(body, i), 'latin1') };
}

describe('A66 the 76 signatures of the AWS suite', () => {
  test('are 38 cases in two forms', () => expect(cases).toHaveLength(76));

  describe.each(cases)('$name, $form', ({ name, context, request }) => {
    const verify = verifierFor(context);

    test('is accepted', async () => {
      await expect(verify(request)).resolves.toEqual(caller);
    });

    test('is refused after any change of one character', async () => {
      // A segment that `..` removes again is not part of what is signed.
      const withPath = !(context.normalize && name.startsWith('get-relative'));
      const accepted: ReceivedRequest[] = [];
      let tried = 0;
      for (const changed of oneCharacterChanges(request, withPath)) {
        tried += 1;
        if ((await codeOf(verify, changed)) === 'accepted') accepted.push(changed);
      }
      expect(accepted).toEqual([]);
      expect(tried).toBeGreaterThan(150);
    });

    test('is refused with another key, region, service, day', async () => {
      const late = new Date(Date.parse(context.timestamp) + 86_400_000).toISOString();
      const others = [
        verifierFor(context, 'another secret'),
        verifierFor({ ...context, region: 'eu-west-1' }),
        verifierFor({ ...context, service: 'airflow' }),
        verifierFor({ ...context, timestamp: late }),
      ];
      for (const other of others) expect(await codeOf(other, request)).toBe('InvalidSignatureException');
    });
  });
});

describe('what canonicalises away', () => {
  const shuffle = <T>(list: readonly T[], keys: readonly number[]): T[] =>
    list
      .map((item, i) => ({ item, key: keys[i % keys.length] ?? 0 }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);

  test('case of header names, blanks in values, order of headers and of the query', async () => {
    const plain = cases.filter(({ name }) => !/duplicate|value-order/.test(name));
    const change = fc.record({
      index: fc.nat(plain.length - 1),
      upper: fc.boolean(),
      blanks: fc.constantFrom('', ' ', '   '),
      keys: fc.array(fc.integer(), { minLength: 12, maxLength: 12 }),
    });
    const property = fc.asyncProperty(change, async ({ index, upper, blanks, keys }) => {
      const chosen = plain[index];
      if (!chosen) return;
      const { request, context } = chosen;
      const [path = '', query] = request.target.split('?');
      const pairs = request.rawHeaders.flatMap((name, i) =>
        i % 2 === 0 ? [[name, request.rawHeaders[i + 1] ?? ''] as const] : [],
      );
      const headers = shuffle(pairs, keys).flatMap(([name, value]) => [
        upper ? name.toUpperCase() : name.toLowerCase(),
        `${blanks}${value.replaceAll(', ', `, ${blanks}`)}${blanks}`,
      ]);
      const target = query === undefined ? path : `${path}?${shuffle(query.split('&'), keys).join('&')}`;
      const changed = { ...request, rawHeaders: headers, target };
      expect(await codeOf(verifierFor(context), changed)).toBe('accepted');
    });
    await fc.assert(property, { seed: 20150830, numRuns: 300 });
  });
});

describe('any edit of the bytes of a signed request', () => {
  test('never throws anything but a named error, and never lets a changed signature pass', async () => {
    const edit = fc.record({
      index: fc.nat(cases.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(3),
      insert: fc.string({ maxLength: 3 }),
    });
    const property = fc.asyncProperty(edit, async ({ index, at, remove, insert }) => {
      const chosen = cases[index];
      if (!chosen) return;
      const { text, context } = chosen;
      const start = Math.floor(at * text.length);
      const edited = text.slice(0, start) + insert + text.slice(start + remove);
      const code = await codeOf(verifierFor(context), parseRequest(edited));
      const names =
        /^(accepted|(InvalidSignature|IncompleteSignature|UnrecognizedClient|MissingAuthenticationToken)Exception)$/;
      expect(code).toMatch(names);
      const signature = /Signature=([0-9a-f]{64})/;
      if (signature.exec(edited)?.[1] !== signature.exec(text)?.[1]) expect(code).not.toBe('accepted');
    });
    await fc.assert(property, { seed: 4, numRuns: 2_000 });
  });
});

describe('the older suite of the AWS documentation', () => {
  interface OldCase {
    readonly name: string;
    readonly request: {
      readonly method: string;
      readonly uri: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string;
    };
    /** The signed request; `authz` of one case names another list of headers than was signed. */
    readonly sreq: string;
  }
  const suite = JSON.parse(readFileSync(new URL('original-suite/index.json', folder), 'utf8')) as {
    readonly config: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly stsToken: string;
    readonly tests: { readonly all: readonly OldCase[] };
  };

  /** One case was signed with `charset=utf8` (its string to sign says so) and published with `utf-8`. */
  const asSigned = (header: string): string => header.replace('charset=utf-8', 'charset=utf8');

  test.each(suite.tests.all)('$name', async ({ name, request, sreq }) => {
    const authorization = /^Authorization: (.*)$/m.exec(sreq)?.[1] ?? '';
    const token = request.headers.find(([header]) => header.toLowerCase() === 'x-amz-security-token')?.[1];
    const verify = verifierFor({
      credentials: {
        access_key_id: suite.config.accessKeyId,
        secret_access_key: suite.config.secretAccessKey,
        ...(token === undefined ? {} : { token }),
      },
      normalize: true,
      region: 'us-east-1',
      service: 'service',
      timestamp: '2015-08-30T12:36:00Z',
      omit_session_token: name === 'post-sts-header-after',
    });
    const received = {
      method: request.method,
      target: Buffer.from(request.uri, 'utf8').toString('latin1'),
      rawHeaders: [...request.headers.flat().map(asSigned), 'Authorization', authorization],
      body: Buffer.from(request.body),
    };
    await expect(verify(received)).resolves.toEqual(caller);
    const forged = { ...received, method: 'PUT' };
    expect(await codeOf(verify, forged)).toBe('InvalidSignatureException');
  });
});

describe('A66 the documented examples of S3 that hash their payload', () => {
  interface S3Case {
    readonly name: string;
    readonly canonicalRequest: string;
    readonly expectedSignature: string;
    readonly signedHeaders: string;
  }
  const {
    cases: all,
    accessKeyId,
    secretAccessKey,
    scope,
  } = JSON.parse(read('s3-documented/vectors.json')) as {
    cases: readonly S3Case[];
    accessKeyId: string;
    secretAccessKey: string;
    scope: string;
  };
  const hashing = all.filter(({ canonicalRequest }) => /\n[0-9a-f]{64}$/.test(canonicalRequest));

  test('are four', () => expect(hashing).toHaveLength(4));

  test.each(hashing)('$name', async ({ name, canonicalRequest, expectedSignature, signedHeaders }) => {
    const verify = verifierFor(
      {
        credentials: { access_key_id: accessKeyId, secret_access_key: secretAccessKey },
        normalize: false,
        region: 'us-east-1',
        service: 's3',
        timestamp: '2013-05-24T00:00:00Z',
      },
      secretAccessKey,
      'single-encoded',
    );
    const [method = '', path = '', query = '', ...lines] = canonicalRequest.split('\n');
    const headers = lines.slice(0, lines.indexOf('')).flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${expectedSignature}`;
    const request = {
      method,
      target: query === '' ? path : `${path}?${query}`,
      rawHeaders: [...headers, 'Authorization', authorization],
      body: Buffer.from(name === 's3-put-object' ? 'Welcome to Amazon S3.' : ''),
    };
    await expect(verify(request)).resolves.toEqual(caller);
    expect(await codeOf(verify, { ...request, body: Buffer.from('x') })).toBe('InvalidSignatureException');
  });
});
