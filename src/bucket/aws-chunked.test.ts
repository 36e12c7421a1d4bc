// Case A74, and the examples of the Amazon S3 API reference.

import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChunkChain } from '../contract/chunk-chain.ts';
import { AwsError } from '../contract/errors.ts';
import { type AwsChunkedOptions, decodeAwsChunked } from './aws-chunked.ts';

interface DocumentedCase {
  readonly name: string;
  readonly expectedSignature: string;
  readonly chunkSignatures?: readonly string[];
  readonly trailerSignature?: string;
}
const documented = JSON.parse(
  readFileSync(new URL('../../test/conformance/sigv4/s3-documented/vectors.json', import.meta.url), 'utf8'),
) as { readonly secretAccessKey: string; readonly cases: readonly DocumentedCase[] };

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const scope = '20130524/us-east-1/s3/aws4_request';
const signingKey = scope
  .split('/')
  .reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${documented.secretAccessKey}`);
const chainOf = (seedSignature: string): ChunkChain => ({
  sign: (text) => hmac(signingKey, text).toString('hex'),
  ...{ timestamp: '20130524T000000Z', scope, seedSignature },
});
const seed = '0'.repeat(64);
const chain = chainOf(seed);

type Piece = string | Uint8Array;
const bytesOf = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));

const signature = (kind: string, previous: string, ...hashes: readonly string[]): string =>
  chain.sign([`AWS4-HMAC-SHA256-${kind}`, chain.timestamp, scope, previous, ...hashes].join('\n'));

/** Signed by hand, straight from the reference: the last chunk has no bytes. */
const signedChunks = (chunks: readonly Uint8Array[]) => {
  let previous = seed;
  const encoded = [...chunks, Buffer.alloc(0)].map((chunk) => {
    previous = signature('PAYLOAD', previous, sha(''), sha(chunk));
    const end = chunk.length > 0 ? '\r\n' : '';
    return bytesOf([`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`, chunk, end]);
  });
  return { encoded, last: previous };
};
const signedTrailer = (last: string, line: string): string =>
  `${line}\r\nx-amz-trailer-signature:${signature('TRAILER', last, sha(`${line}\n`))}\r\n\r\n`;

const plainChunks = (chunks: readonly Uint8Array[]): Buffer =>
  bytesOf([...chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']), '0\r\n']);

const streamOf = async function* (data: Uint8Array, pieceLength: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += pieceLength) yield data.subarray(at, at + pieceLength);
};

const decode = async (data: Uint8Array, o: AwsChunkedOptions, pieceLength = 7) => {
  const seen: Buffer[] = [];
  const { bytes, trailers } = decodeAwsChunked(streamOf(data, pieceLength), o);
  const error = await (async () => {
    for await (const piece of bytes) seen.push(Buffer.from(piece));
  })().then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error !== undefined && !(error instanceof AwsError)) throw new Error('failed inside', { cause: error });
  const refused = error && `${error.httpStatus} ${error.code}: ${error.publicText}`;
  return { seen: Buffer.concat(seen), trailers: trailers() && Object.fromEntries(trailers() ?? []), refused };
};

const checksumLine = 'x-amz-checksum-crc32c:sOO8/Q==';
const trailer = ['x-amz-checksum-crc32c'];
const given = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 });
const pieceLength = fc.integer({ min: 1, max: 50 });
const lengthOf = (chunks: readonly Uint8Array[]) => bytesOf(chunks).length;

describe('the documented examples', () => {
  test.each([false, true])('with a trailer: %s', async (hasTrailer) => {
    const example = documented.cases.find(
      ({ name }) => name === (hasTrailer ? 's3-chunked-trailer-seed' : 's3-chunked-seed'),
    );
    const [first, second, third] = example?.chunkSignatures ?? [];
    const data = Buffer.alloc(66_560, 'a');
    const ending = hasTrailer
      ? `${checksumLine}\r\nx-amz-trailer-signature:${example?.trailerSignature}\r\n\r\n`
      : '\r\n';
    const body = bytesOf([
      ...[`10000;chunk-signature=${first}\r\n`, data.subarray(0, 65_536), '\r\n'],
      ...[`400;chunk-signature=${second}\r\n`, data.subarray(65_536), '\r\n'],
      ...[`0;chunk-signature=${third}\r\n`, ending],
    ]);
    if (!hasTrailer) expect(body).toHaveLength(66_824);
    const o = { decodedLength: 66_560, chain: chainOf(example?.expectedSignature ?? '') };
    const decoded = await decode(body, { ...o, trailer: hasTrailer ? trailer : undefined }, 4_096);
    expect(decoded.refused).toBeUndefined();
    expect(decoded.seen.equals(data)).toBe(true);
    expect(decoded.trailers).toEqual(hasTrailer ? { 'x-amz-checksum-crc32c': 'sOO8/Q==' } : {});
  });
});

describe('what was encoded is decoded, however it is cut,', () => {
  test('with signed chunks, and a signed trailer', async () => {
    const property = fc.asyncProperty(
      given,
      pieceLength,
      fc.boolean(),
      async (chunks, length, hasTrailer) => {
        const { encoded, last } = signedChunks(chunks);
        const data = bytesOf([...encoded, hasTrailer ? signedTrailer(last, checksumLine) : '\r\n']);
        const o = { decodedLength: lengthOf(chunks), chain, trailer: hasTrailer ? trailer : undefined };
        const trailers = hasTrailer ? { 'x-amz-checksum-crc32c': 'sOO8/Q==' } : {};
        expect(await decode(data, o, length)).toEqual({
          seen: bytesOf(chunks),
          trailers,
          refused: undefined,
        });
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 200 });
  });

  test('without signatures', async () => {
    const property = fc.asyncProperty(given, pieceLength, async (chunks, length) => {
      const data = bytesOf([plainChunks(chunks), `${checksumLine}\r\n\r\n`]);
      const o = { decodedLength: lengthOf(chunks), chain: undefined, trailer };
      const trailers = { 'x-amz-checksum-crc32c': 'sOO8/Q==' };
      expect(await decode(data, o, length)).toEqual({ seen: bytesOf(chunks), trailers, refused: undefined });
    });
    await fc.assert(property, { seed: 2, numRuns: 200 });
  });
});

describe('A74', () => {
  const chunks = ['first chunk', 'second one'].map((text) => Buffer.from(text));
  const { encoded, last } = signedChunks(chunks);
  const [one = Buffer.alloc(0), two = Buffer.alloc(0), end = Buffer.alloc(0)] = encoded;
  const o = { decodedLength: lengthOf(chunks), chain, trailer };
  const ending = signedTrailer(last, checksumLine);
  const whole = bytesOf([one, two, end, ending]);
  const plain = { ...o, chain: undefined };
  const plainWhole = bytesOf([plainChunks(chunks), `${checksumLine}\r\n\r\n`]);

  test('any signed body with another byte is refused, and nothing is given behind a wrong chunk', async () => {
    expect((await decode(whole, o)).refused).toBeUndefined();
    for (let at = 0; at < whole.length; at += 1) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const { seen, refused, trailers } = await decode(altered, o, 50);
      expect(refused, `${at}`).toMatch(
        /^(400 (InvalidRequest|IncompleteBody|MalformedTrailer)|403 Signature)/,
      );
      if (at < one.length) expect(seen.includes('second'), `${at}`).toBe(false);
      expect(trailers).toBeUndefined();
    }
  });

  test.each([
    ['signed', whole, o],
    ['plain', plainWhole, plain],
  ])('any %s body that ends early, or goes on, is refused', async (_, body, options) => {
    for (let length = 0; length < body.length; length += 1)
      expect((await decode(body.subarray(0, length), options, 50)).refused, `${length}`).toBe(
        '400 IncompleteBody: The request body terminated unexpectedly',
      );
    for (const more of ['\r\n', 'x', '0\r\n\r\n'])
      expect((await decode(bytesOf([body, more]), options)).refused).toMatch(/something follows/);
  });

  const mismatch = '403 SignatureDoesNotMatch: The signature of a';
  const malformed = '400 InvalidRequest: The body is not in aws-chunked encoding: ';
  const badTrailer = '400 MalformedTrailerError: ';
  test.each<[string, Buffer, Partial<AwsChunkedOptions>, string]>([
    ['chunks in another order', bytesOf([two, one, end, ending]), {}, `${mismatch} chunk`],
    ['a chunk that is missing', bytesOf([two, end, ending]), {}, `${mismatch} chunk`],
    ['a chunk twice', bytesOf([one, one, end, ending]), { decodedLength: 100 }, `${mismatch} chunk`],
    ['another seed', whole, { chain: chainOf('1'.repeat(64)) }, `${mismatch} chunk`],
    ['another trailer', bytesOf([one, two, end, ending.replace('sOO8', 'sOO9')]), {}, `${mismatch} trailer`],
    ['a trailer that is not signed', bytesOf([one, two, end, `${checksumLine}\r\n\r\n`]), {}, badTrailer],
    ['a trailer that nobody announced', whole, { trailer: [] }, badTrailer],
    ['no trailer that was announced', whole, { trailer: [...trailer, 'x-amz-checksum-crc32'] }, badTrailer],
    ['a trailer where there is none', whole, { trailer: undefined }, malformed],
    ['fewer bytes than stated', whole, { decodedLength: o.decodedLength + 1 }, '400 IncompleteBody: '],
    ['more bytes than stated', whole, { decodedLength: o.decodedLength - 1 }, '400 IncompleteBody: '],
    ['signed chunks in an unsigned body', whole, { chain: undefined }, malformed],
    ['chunks without signatures in a signed body', plainWhole, {}, malformed],
  ])('%s is refused', async (_, body, options, text) => {
    const { refused } = await decode(body, { ...o, ...options });
    expect(refused?.slice(0, text.length)).toBe(text);
  });

  test.each([
    ['a huge size', 'FFFFFFFFFFFFFFFF\r\n', '400 IncompleteBody: '],
    ['a size beyond all', `${'1'.repeat(17)}\r\n`, malformed],
    ['a sign', '-1\r\nx\r\n', malformed],
    ['a prefix', '0x1\r\nx\r\n', malformed],
    ['a space', ' 1\r\nx\r\n', malformed],
    ['an extension', '1;a=b\r\nx\r\n', malformed],
    ['no size', '\r\n', malformed],
    ['an endless line', '0'.repeat(10_000), malformed],
    ['a line feed alone', '1\nx\n0\n\n', '400 IncompleteBody: '],
    ['more bytes in a chunk', '1\r\nxy\r\n0\r\n\r\n', malformed],
    ['a trailer without a colon', '0\r\nabc\r\n\r\n', badTrailer],
    ['a trailer in capitals', '0\r\nX-Amz-Checksum-Crc32c:a\r\n\r\n', badTrailer],
    ['a trailer without a value', '0\r\nx-amz-checksum-crc32c:\r\n\r\n', badTrailer],
    ['a trailer with another line in it', '0\r\nx-amz-checksum-crc32c:a\nb:c\r\n\r\n', badTrailer],
    ['a trailer twice', `0\r\n${checksumLine}\r\n${checksumLine}\r\n\r\n`, badTrailer],
    [
      'very many trailers',
      `0\r\n${Array.from({ length: 9 }, (_, i) => `a${i}:b\r\n`).join('')}\r\n`,
      badTrailer,
    ],
    ['a very long trailer', `0\r\na:${'b'.repeat(2_000)}\r\n\r\n`, malformed],
  ])('%s is refused', async (_, body, text) => {
    const { refused } = await decode(Buffer.from(body, 'latin1'), { ...plain, decodedLength: 5 });
    const { refused: atOnce } = await decode(Buffer.from(body, 'latin1'), { ...plain, decodedLength: 0 });
    expect(
      [refused, atOnce].some((one) => one?.startsWith(text)),
      `${refused}`,
    ).toBe(true);
  });

  test('a signed chunk is given as it comes, and fails at its end', async () => {
    const [piece, count] = [Buffer.alloc(64 * 1024), 1_000];
    const size = piece.length * count;
    let sent = 0;
    const body = async function* () {
      yield Buffer.from(`${size.toString(16)};chunk-signature=${seed}\r\n`);
      for (; sent < count; sent += 1) yield piece;
    };
    let taken = 0;
    const read = async () => {
      for await (const { length } of decodeAwsChunked(body(), { ...o, decodedLength: size }).bytes) {
        taken += length;
        expect(sent * piece.length - taken).toBeLessThanOrEqual(0);
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(taken).toBe(size);
  });

  test('any bytes are refused with an error of S3', async () => {
    const words = ['0', '1', 'a', '\r\n', '\n', ':', 'x', ';chunk-signature=', seed, checksumLine];
    const body = fc
      .array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary-ascii', maxLength: 3 })))
      .map((some) => Buffer.from(some.join(''), 'latin1'));
    const property = fc.asyncProperty(body, fc.boolean(), async (data, isSigned) => {
      const { refused } = await decode(data, { ...(isSigned ? o : plain), decodedLength: 1_000_000 });
      expect(refused).toMatch(/^4\d\d \w+: /);
    });
    await fc.assert(property, { seed: 3, numRuns: 500 });
  });
});

describe('a reader that leaves', () => {
  test('lets go of the stream', async () => {
    let isClosed = false;
    const endless = async function* () {
      try {
        yield Buffer.from('5\r\nhello\r\n');
        for (;;) yield Buffer.from('1\r\nx\r\n');
      } finally {
        isClosed = true;
      }
    };
    const { bytes } = decodeAwsChunked(endless(), { decodedLength: 1e9, chain: undefined, trailer: [] });
    for await (const piece of bytes) if (piece.length === 5) break;
    expect(isClosed).toBe(true);
  });

  test('trailers as minio-go writes them are read', async () => {
    const { encoded, last } = signedChunks([]);
    const ending = signedTrailer(last, checksumLine).replace('\r\n', '\n\r\n');
    const o = { decodedLength: 0, chain, trailer };
    expect((await decode(bytesOf([...encoded, ending]), o)).refused).toBeUndefined();
  });
});
