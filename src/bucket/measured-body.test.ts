import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../contract/errors.ts';
import { createHasher } from './checksums.ts';
import { measureBody, mostBytes } from './measured-body.ts';
import type { ChecksumName, ExpectedBytes } from './objects.ts';

const nothingExpected: ExpectedBytes = {
  ...{ size: undefined, sha256: undefined, md5: undefined, keep: 'CRC64NVME' },
  checksum: () => undefined,
};

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const md5 = (data: Uint8Array, as: 'hex' | 'base64'): string => createHash('md5').update(data).digest(as);
const checksumOf = (name: ChecksumName, data: Uint8Array): string => {
  const hasher = createHasher(name);
  hasher.update(data);
  return hasher.digest();
};

const streamOf = async function* (chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
};

const measure = async (chunks: readonly Uint8Array[], expected: Partial<ExpectedBytes> = {}) => {
  const seen: Buffer[] = [];
  const measured = await measureBody(streamOf(chunks), { ...nothingExpected, ...expected }, (bytes) => {
    seen.push(Buffer.from(bytes));
  });
  return { ...measured, seen: Buffer.concat(seen) };
};

const refusal = async (text: string, expected: Partial<ExpectedBytes>): Promise<string> => {
  const error = await measure([Buffer.from(text)], expected).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof AwsError)) throw new Error('accepted, or failed inside', { cause: error });
  return `${error.httpStatus} ${error.code}: ${error.publicText}`;
};

const names = fc.constantFrom<ChecksumName>('CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256');
const hello = Buffer.from('hello');

describe('a body that is measured', () => {
  test('is passed on as it is, and is what was expected', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 });
    const property = fc.asyncProperty(chunks, names, names, async (given, keep, stated) => {
      const data = Buffer.concat(given);
      const { seen, ...measured } = await measure(given, {
        ...{ size: data.length, sha256: sha256(data), md5: md5(data, 'base64'), keep },
        checksum: () => ({ name: stated, value: checksumOf(stated, data) }),
      });
      expect(seen).toEqual(data);
      const checksum = { name: keep, value: checksumOf(keep, data) };
      expect(measured).toEqual({ size: data.length, md5: md5(data, 'hex'), checksum });
    });
    await fc.assert(property, { seed: 1, numRuns: 100 });
  });

  test('needs nothing that is expected', async () => {
    expect(await measure([])).toMatchObject({ size: 0, md5: 'd41d8cd98f00b204e9800998ecf8427e' });
  });

  test('in large pieces leaves time for others, and is passed on in small ones', async () => {
    let turns = 0;
    const other = setInterval(() => {
      turns += 1;
    }, 1);
    const sizes: number[] = [];
    const large = Buffer.alloc(32 * 2 ** 20, 'x');
    const expected = { ...nothingExpected, sha256: sha256(large) };
    const { size } = await measureBody(streamOf([large]), expected, ({ length }) => {
      sizes.push(length);
    });
    clearInterval(other);
    expect(size).toBe(large.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
    expect(turns).toBeGreaterThan(5);
  });

  test('waits for where it goes', async () => {
    let busy = 0;
    const sink = async () => {
      busy += 1;
      expect(busy).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      busy -= 1;
    };
    await measureBody(streamOf([hello, hello, Buffer.alloc(600_000)]), nothingExpected, sink);
    expect(busy).toBe(0);
  });

  test('that breaks off is no body', async () => {
    const broken = async function* () {
      yield hello;
      throw new Error('reset');
    };
    await expect(measureBody(broken(), nothingExpected, () => {})).rejects.toThrow('reset');
  });
});

describe('S3 says', () => {
  const trailing = (name: ChecksumName, value: string, keep = name): Partial<ExpectedBytes> => {
    let asked = 0;
    // stated when the body has ended
    const checksum = () => {
      asked += 1;
      return asked > 2 ? { name, value } : undefined;
    };
    return { keep, checksum };
  };

  test.each<[string, Partial<ExpectedBytes>, string]>([
    [
      'another SHA-256',
      { sha256: sha256(Buffer.from('x')) },
      "400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    [
      'another MD5',
      { md5: md5(Buffer.from('x'), 'base64') },
      '400 BadDigest: The Content-MD5 you specified did not match what we received.',
    ],
    ['no MD5', { md5: 'abc' }, '400 InvalidDigest: The Content-MD5 you specified was invalid.'],
    [
      'an MD5 in hex',
      { md5: md5(hello, 'hex') },
      '400 InvalidDigest: The Content-MD5 you specified was invalid.',
    ],
    [
      'another checksum',
      { checksum: () => ({ name: 'CRC32', value: 'AAAAAA==' }) },
      '400 BadDigest: The CRC32 you specified did not match the calculated checksum.',
    ],
    [
      'no checksum',
      { checksum: () => ({ name: 'SHA1', value: 'AAAAAA==' }) },
      '400 InvalidRequest: Value for x-amz-checksum-sha1 header is invalid.',
    ],
    [
      'fewer bytes',
      { size: 6 },
      '400 IncompleteBody: You did not provide the number of bytes specified by the Content-Length HTTP header',
    ],
    ['more bytes', { size: 4 }, '400 EntityTooLarge: Your proposed upload exceeds the maximum allowed size'],
    [
      'more than 5 GiB',
      { size: mostBytes + 1 },
      '400 EntityTooLarge: Your proposed upload exceeds the maximum allowed size',
    ],
    [
      'another checksum in a trailer',
      trailing('CRC32C', 'AAAAAA=='),
      '400 BadDigest: The CRC32C you specified did not match the calculated checksum.',
    ],
    [
      'no checksum in a trailer',
      trailing('CRC32C', 'x'),
      '400 InvalidRequest: Value for x-amz-checksum-crc32c header is invalid.',
    ],
    [
      'a checksum in a trailer that was not announced',
      trailing('CRC32C', checksumOf('CRC32C', hello), 'CRC32'),
      '400 InvalidRequest: The trailer states a CRC32C checksum, which was not announced.',
    ],
  ])('%s', async (_, expected, text) => {
    expect(await refusal('hello', expected)).toBe(text);
  });

  test('nothing against the right checksum in a trailer', async () => {
    const expected = trailing('CRC32C', checksumOf('CRC32C', hello));
    expect(await measure([hello], expected)).toMatchObject({ checksum: { name: 'CRC32C' } });
  });

  test('that there are too many bytes before they are passed on', async () => {
    const seen: number[] = [];
    const expected = { ...nothingExpected, size: 7 };
    const measured = measureBody(streamOf([hello, hello, hello]), expected, ({ length }) => {
      seen.push(length);
    });
    await expect(measured).rejects.toMatchObject({ code: 'EntityTooLarge' });
    expect(seen).toEqual([5]);
  });
});
