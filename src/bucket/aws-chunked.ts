import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { ChunkChain } from '../contract/chunk-chain.ts';
import { s3Error } from '../contract/s3-errors.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import { type ChunkSignatures, createChunkSignatures } from './chunk-signatures.ts';
import { readTrailers, type Trailers } from './chunk-trailers.ts';

export interface AwsChunkedOptions {
  /** The value of `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** Undefined for `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. */
  readonly chain: ChunkChain | undefined;
  /** Lower-case names of `x-amz-trailer`; undefined for a body that has no trailer. */
  readonly trailer: readonly string[] | undefined;
}

/** A body without its chunks. */
export interface AwsChunkedBody {
  /** To be read once. */
  readonly bytes: AsyncGenerator<Uint8Array>;
  /** Undefined until all bytes were read. */
  readonly trailers: () => Trailers | undefined;
}

const longestChunkLine = 128;
/** Many small chunks may be in one piece of the stream. */
const chunksAtOnce = 64;

const malformed = (why: string) =>
  s3Error('InvalidRequest', `The body is not in aws-chunked encoding: ${why}.`);

const faults = {
  truncated: () => s3Error('IncompleteBody', 'The request body terminated unexpectedly'),
  tooLong: () => malformed('a line or a chunk does not end where it should'),
};

const otherLength = () =>
  s3Error(
    'IncompleteBody',
    'The body does not have the number of bytes that x-amz-decoded-content-length states.',
  );

interface ChunkHead {
  readonly size: number;
  /** Empty when chunks are not signed. */
  readonly signature: string;
}

const signedHead = /^([0-9a-fA-F]{1,16});chunk-signature=([0-9a-f]{64})$/;
const plainHead = /^([0-9a-fA-F]{1,16})$/;

const readHead = async (reader: ByteReader, isSigned: boolean): Promise<ChunkHead> => {
  const line = await reader.line(longestChunkLine);
  const [, size, signature = ''] = (isSigned ? signedHead : plainHead).exec(line) ?? [];
  if (size === undefined)
    throw malformed(
      `a chunk begins with its size in hexadecimal digits${isSigned ? ' and its signature' : ''}`,
    );
  return { size: Number.parseInt(size, 16), signature };
};

/** The bytes of a chunk as they come; throws at its end when its signature is not right. */
const readSigned = async function* (
  reader: ByteReader,
  { size, signature }: ChunkHead,
  signatures: ChunkSignatures,
): AsyncGenerator<Uint8Array> {
  const hasher = createHash('sha256');
  for await (const piece of reader.bytes(size)) {
    hasher.update(piece);
    yield piece;
  }
  signatures.chunk(hasher.digest('hex'), signature);
};

const readChunks = async function* (
  reader: ByteReader,
  { decodedLength }: AwsChunkedOptions,
  signatures: ChunkSignatures | undefined,
): AsyncGenerator<Uint8Array> {
  let rest = decodedLength;
  for (let number = 1; ; number += 1) {
    const head = await readHead(reader, signatures !== undefined);
    if (head.size > rest) throw otherLength();
    rest -= head.size;
    yield* signatures ? readSigned(reader, head, signatures) : reader.bytes(head.size);
    if (head.size === 0) break;
    await reader.line(0);
    if (number % chunksAtOnce === 0) await setImmediate();
  }
  if (rest > 0) throw otherLength();
};

/**
 * Decodes a body in aws-chunked encoding, strictly, as it comes: it holds no chunk, however large. Whatever it gives is
 * known to be right only when the end has been told, and nobody may see it before: each signature is checked behind the
 * bytes of its chunk, the trailers and the length at the end.
 * @throws InvalidRequest, IncompleteBody, MalformedTrailerError, SignatureDoesNotMatch
 */
export const decodeAwsChunked = (body: AsyncIterable<Uint8Array>, o: AwsChunkedOptions): AwsChunkedBody => {
  let trailers: Trailers | undefined;
  const decode = async function* (): AsyncGenerator<Uint8Array> {
    const reader = createByteReader(body, faults);
    try {
      const signatures = o.chain && createChunkSignatures(o.chain);
      yield* readChunks(reader, o, signatures);
      if (o.trailer === undefined) await reader.line(0);
      const found = o.trailer ? await readTrailers(reader, o.trailer, signatures) : new Map<string, string>();
      if (!(await reader.isAtEnd())) throw malformed('something follows its last line');
      trailers = found;
    } finally {
      await reader.close();
    }
  };
  return { bytes: decode(), trailers: () => trailers };
};
