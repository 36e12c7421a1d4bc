import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RemoteBucket } from './remote-bucket.ts';
import { RemoteBuckets } from './remote-buckets.ts';

/** A server of S3 that does what no real one can be made to do. */
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];
let buckets: RemoteBuckets;
const { signal } = new AbortController();
const told = (error: unknown): Error => new Error(`told: ${(error as Error).message}`);

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'the-secret');
});
afterEach(() => {
  vi.unstubAllEnvs();
  buckets.close();
  server.closeAllConnections();
  server.close();
});

const bucketAt = (more: { readonly credentials?: string; readonly endpoint?: string } = {}): RemoteBucket => {
  const { port } = server.address() as AddressInfo;
  const place = {
    ...{ name: 'dags', endpoint: `http://127.0.0.1:${port}`, region: undefined, pathStyle: true },
    ...{ credentials: 'machine', owner: '123456789012', ...more },
  };
  buckets = new RemoteBuckets({ placeOf: () => place, region: 'eu-west-1', now: Date.now });
  const found = buckets.find('dags', 'arn:aws:iam::123456789012:role/tasks');
  if (found === undefined) throw new Error('no bucket');
  return found;
};
const listed = async (bucket: RemoteBucket): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const page of bucket.pages('dags/', signal)) keys.push(...page.map(({ key }) => key));
  return keys;
};
const xml = (response: ServerResponse, status: number, body: string, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  response.end(`<?xml version="1.0"?>${body}`);
};
const page = (keys: readonly string[], more = ''): string =>
  `<ListBucketResult><Name>dags</Name><EncodingType>url</EncodingType>${more === '' ? '<IsTruncated>false</IsTruncated>' : more}${keys
    .map((key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>`)
    .join('')}</ListBucketResult>`;
const fault = (code: string, message: string): string =>
  `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

describe('a listing', () => {
  test('goes on until it is whole, with its keys decoded, for the owner that was named', async () => {
    answer = (request, response) => {
      expect(request.headers['x-amz-expected-bucket-owner']).toBe('123456789012');
      const isSecond = request.url?.includes('continuation-token=next') ?? false;
      const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>';
      xml(response, 200, isSecond ? page(['dags/c%01.py']) : page(['dags/a+b.py', 'dags/%2B.py'], more));
    };
    expect(await listed(bucketAt())).toEqual(['dags/a b.py', 'dags/+.py', 'dags/c\u0001.py']);
    expect(asked[0]).toMatch(/^GET \/dags\/\?.*list-type=2.*prefix=dags%2F/);
  });

  test('that does not end is an error, never a short list', async () => {
    answer = (_, response) =>
      xml(
        response,
        200,
        page(
          ['dags/a'],
          '<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>',
        ),
      );
    await expect(listed(bucketAt())).rejects.toThrow('but gives the same page again');
    answer = (_, response) => xml(response, 200, page(['dags/a'], '<IsTruncated>true</IsTruncated>'));
    await expect(listed(bucketAt())).rejects.toThrow('but not where');
    answer = (_, response) => xml(response, 200, page(['dags/%zz']));
    await expect(listed(bucketAt())).rejects.toThrow('not encoded as it says');
  });

  test.each([
    '<html><body>Sign in</body></html>',
    '',
    '<ListBucketResult/>',
    '<ListBucketResult><Name>dags</Name></ListBucketResult>',
    '<ListBucketResult><Name>dags</Name><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount></ListBucketResult>',
    page(['dags/a']).replace('<Size>1<', '<Size>-1<'),
    page(['dags/a']).replace('<Size>1<', '<Size>many<'),
    page(['']),
  ])('of an answer that is none is an error, and no empty bucket: %s', async (body) => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(body);
    };
    await expect(listed(bucketAt())).rejects.toThrow(/no listing of a bucket|cannot be understood/);
  });

  test('that is refused twice comes at the third try', async () => {
    answer = (_, response) =>
      asked.length < 3
        ? xml(response, 503, fault('SlowDown', 'Please reduce'))
        : xml(response, 200, page(['dags/a']));
    expect(await listed(bucketAt())).toEqual(['dags/a']);
  });
});

describe('why a bucket cannot be read is told', () => {
  test.each([
    [403, fault('AccessDenied', 'User x is not authorized'), {}, 'AccessDenied: User x is not authorized'],
    [404, fault('NoSuchBucket', 'The specified bucket does not exist'), {}, /NoSuchBucket/],
    [
      400,
      fault('AuthorizationHeaderMalformed', 'the region is wrong'),
      { 'x-amz-bucket-region': 'us-west-2' },
      /the region is wrong; the bucket is in the region us-west-2$/,
    ],
    [200, 'no XML', {}, 'its answer cannot be understood'],
  ])('%s %s', async (status, body, headers, expected) => {
    answer = (_, response) => xml(response, status, body, headers);
    await expect(listed(bucketAt())).rejects.toThrow(expected);
  });

  test('nobody answers', async () => {
    answer = () => {};
    await expect(listed(bucketAt({ endpoint: 'http://127.0.0.1:1' }))).rejects.toThrow(
      'it cannot be reached (ECONNREFUSED)',
    );
  });

  test('there are no credentials; nothing is said of those of others', async () => {
    answer = () => {};
    const bucket = bucketAt({ credentials: 'profile:nobody-has-it' });
    await expect(listed(bucket)).rejects.toThrow(/there are no credentials for it: .*nobody-has-it/);
    expect(asked).toEqual([]);
  });

  test('whoever ends it hears its own reason', async () => {
    answer = () => {};
    const ended = new AbortController();
    const bucket = bucketAt();
    const all = (async () => {
      for await (const _ of bucket.pages('', ended.signal)) break;
    })();
    setTimeout(() => ended.abort(new Error('enough')), 50);
    await expect(all).rejects.toThrow('enough');
  });
});

describe('an object', () => {
  test('is given with its bytes, for exactly that ETag or version', async () => {
    answer = (request, response) => {
      expect(request.headers['if-match'] ?? request.url).toMatch(/^"e"$|versionId=v1/);
      response.writeHead(200, { 'content-length': 3 });
      response.end('abc');
    };
    const bucket = bucketAt();
    for (const which of [{ etag: '"e"' }, { versionId: 'v1' }]) {
      const opened = await bucket.open('dags/a.py', which, signal, told);
      expect(opened?.size).toBe(3);
      expect(opened && (await text(opened.bytes))).toBe('abc');
    }
  });

  test.each([
    [412, { etag: '"e"' }],
    [404, { etag: '"e"' }],
    [404, { versionId: 'v' }],
    [405, { versionId: 'v' }],
    [400, { versionId: 'no version' }],
  ])('that is gone or another one by now is not there: %s', async (status, which) => {
    answer = (_, response) => xml(response, status, fault('InvalidArgument', 'text'));
    expect(await bucketAt().open('a', which, signal, told)).toBeUndefined();
  });

  test.each([{ etag: '"e"' }, { versionId: 'v' }])(
    'is not gone because credentials have expired: %j',
    async (which) => {
      answer = (_, response) => xml(response, 400, fault('ExpiredToken', 'The token has expired\u009b2J'));
      const opened = bucketAt().open('a', which, signal, told);
      await expect(opened).rejects.toThrow('ExpiredToken: The token has expired 2J');
    },
  );

  test('of unknown length is refused, and its connection is not kept', async () => {
    let closed = false;
    answer = (_, response) => {
      response.once('close', () => {
        closed = true;
      });
      response.write('a');
    };
    await expect(bucketAt().open('a', { etag: '"e"' }, signal, told)).rejects.toThrow(
      'how long the object is',
    );
    await vi.waitFor(() => expect(closed).toBe(true));
  });

  test('whose bytes break off fails', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 3 });
      response.write('a');
      setTimeout(() => response.destroy(), 50);
    };
    const opened = await bucketAt().open('a', { etag: '"e"' }, signal, told);
    await expect(opened && text(opened.bytes)).rejects.toThrow(/^told: the connection broke off/);
  });

  test('is asked for without its bytes, a version with one', async () => {
    answer = (request, response) => {
      const which = /gone|old|empty/.exec(request.url ?? '')?.[0] ?? 'there';
      response
        .writeHead({ gone: 404, old: 405, empty: 416, there: 200 }[which] ?? 0, { 'content-length': 0 })
        .end();
    };
    const bucket = bucketAt();
    expect(await bucket.has('a', undefined, signal)).toBe(true);
    expect(await bucket.has('gone', undefined, signal)).toBe(false);
    expect(await bucket.has('a', 'v1', signal)).toBe(true);
    expect(await bucket.has('a', 'old', signal)).toBe(false);
    expect(await bucket.has('a', 'empty', signal)).toBe(true);
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'HEAD', 'GET', 'GET', 'GET']);
    answer = (_, response) => response.writeHead(403).end();
    await expect(bucket.has('a', undefined, signal)).rejects.toThrow('access is denied (403)');
  });
});
