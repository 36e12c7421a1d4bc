import { s3Error } from '../contract/s3-errors.ts';
import { createHasher, type Hasher, isBase64Of, isChecksum } from './checksums.ts';
import type { ChecksumName, ExpectedBytes } from './objects.ts';

/** "Amazon S3 multipart upload limits": what one PUT, and one part, may have. */
export const mostBytes = 5 * 2 ** 30;

/** A hash of so many bytes takes about a millisecond with the slowest algorithm. */
const bytesAtOnce = 256 * 1024;

/** What a body came to. */
export interface MeasuredBody {
  readonly size: number;
  /** Hex: the ETag of an object that is put at once. */
  readonly md5: string;
  readonly checksum: { readonly name: ChecksumName; readonly value: string };
}

/** Takes the bytes of a body, in order; it is waited for. */
export type Sink = (bytes: Uint8Array) => Promise<void> | void;

type Hashers = ReadonlyMap<ChecksumName | 'MD5', Hasher>;

const hashersFor = ({ keep, sha256, checksum }: ExpectedBytes): Hashers => {
  const stated = checksum()?.name ?? keep;
  const names = new Set(['MD5' as const, keep, stated, ...(sha256 === undefined ? [] : ['SHA256' as const])]);
  return new Map([...names].map((name) => [name, createHasher(name)]));
};

/** @throws InvalidDigest, InvalidRequest for what cannot be the digest of anything */
const checkStated = ({ md5, checksum }: ExpectedBytes): void => {
  if (md5 !== undefined && !isBase64Of(md5, 16))
    throw s3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  const stated = checksum();
  if (stated && !isChecksum(stated.name, stated.value))
    throw s3Error(
      'InvalidRequest',
      `Value for x-amz-checksum-${stated.name.toLowerCase()} header is invalid.`,
    );
};

const tooLarge = (size: number, most: number) =>
  s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    members: { ProposedSize: `${size}`, MaxSizeAllowed: `${most}` },
  });

const incomplete = () =>
  s3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );

const pieces = function* (chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; at += bytesAtOnce) yield chunk.subarray(at, at + bytesAtOnce);
};

/** Gives others their turn when nothing else waited meanwhile. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A sink that takes one piece while the next one is hashed. */
const ahead = (sink: Sink): { readonly take: Sink; readonly end: () => Promise<void> } => {
  let taking: Promise<void> = Promise.resolve();
  return {
    take: async (piece) => {
      await taking;
      taking = Promise.resolve(sink(piece));
      // who waits for it is told of a failure
      taking.catch(() => {});
    },
    end: () => taking,
  };
};

const take = async (chunk: Uint8Array, hashers: Hashers, sink: Sink): Promise<void> => {
  for (const piece of pieces(chunk)) {
    for (const hasher of hashers.values()) hasher.update(piece);
    await sink(piece);
    if (piece.length < chunk.length) await turn();
  }
};

/** Passes all bytes on and gives their number. @throws EntityTooLarge before the sink sees a byte too many, IncompleteBody */
const passOn = async (
  body: AsyncIterable<Uint8Array>,
  { size: stated }: ExpectedBytes,
  hashers: Hashers,
  sink: Sink,
): Promise<number> => {
  const most = Math.min(stated ?? mostBytes, mostBytes);
  let size = 0;
  const writing = ahead(sink);
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > most) throw tooLarge(size, most);
      await take(chunk, hashers, writing.take);
    }
  } finally {
    // nothing is written any more when this is over
    await writing.end();
  }
  if (stated !== undefined && size < stated) throw incomplete();
  return size;
};

const hexOf = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

type Digests = ReadonlyMap<ChecksumName | 'MD5', string>;

/** @throws XAmzContentSHA256Mismatch, BadDigest; of the digests only the caller's own are told */
const compare = (digests: Digests, { sha256, md5, checksum }: ExpectedBytes): void => {
  const computed = hexOf(digests.get('SHA256') ?? '');
  if (sha256 !== undefined && sha256 !== computed)
    throw s3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      { members: { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed } },
    );
  if (md5 !== undefined && md5 !== digests.get('MD5'))
    throw s3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const stated = checksum();
  if (!stated) return;
  const { name, value } = stated;
  // what a trailer states has to be known when the body begins: it is what is kept
  if (!digests.has(name))
    throw s3Error('InvalidRequest', `The trailer states a ${name} checksum, which was not announced.`);
  if (value !== digests.get(name))
    throw s3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
};

/**
 * Passes a body on to a sink while it is measured, as far as anything is expected of it.
 * @throws XAmzContentSHA256Mismatch, BadDigest, InvalidDigest, InvalidRequest, IncompleteBody, EntityTooLarge; whatever the
 * sink took is to be thrown away then
 */
export const measureBody = async (
  body: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
  sink: Sink,
): Promise<MeasuredBody> => {
  if ((expected.size ?? 0) > mostBytes) throw tooLarge(expected.size ?? 0, mostBytes);
  checkStated(expected);
  const hashers = hashersFor(expected);
  const size = await passOn(body, expected, hashers, sink);
  // a trailer has stated its checksum by now
  checkStated(expected);
  const digests = new Map([...hashers].map(([name, hasher]) => [name, hasher.digest()]));
  compare(digests, expected);
  const { keep } = expected;
  return {
    size,
    md5: hexOf(digests.get('MD5') ?? ''),
    checksum: { name: keep, value: digests.get(keep) ?? '' },
  };
};
