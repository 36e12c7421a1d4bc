import { measureBody, mostBytes } from '../../bucket/measured-body.ts';
import type { ChecksumName, ExpectedBytes } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import {
  namedAlgorithm,
  severalChecksums,
  statedAlgorithm,
  statedChecksum,
  trailerAlgorithm,
} from './checksum-headers.ts';
import { chunkedBody } from './chunked-body.ts';
import { invalidArgument } from './errors.ts';
import type { Work } from './operation.ts';
import { header, type S3Request } from './request.ts';

/** `x-amz-` headers that say something of the body. */
export const bodyHeaders = [
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-checksum-algorithm',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
] as const;

/** A body, and what it must come to. Asking for the bytes lets the client send them; those of an object may take long. */
export interface ReceivedBody {
  readonly body: S3Request['stream'];
  readonly expected: ExpectedBytes;
}

/** Throws EntityTooLarge for what one PUT may not have. */
export const checkSize = (size: number | undefined): void => {
  if (size === undefined || size <= mostBytes) return;
  throw s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    members: { ProposedSize: String(size), MaxSizeAllowed: String(mostBytes) },
  });
};

const lengthOf = (request: S3Request, name: string): number | undefined => {
  const value = header(request, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw invalidArgument('A length is a number of bytes.', name, value);
};

/** The algorithm that the client uses, wherever it says so. Throws InvalidRequest. */
export const algorithmOf = (request: S3Request): ChecksumName | undefined =>
  trailerAlgorithm(request) ??
  statedAlgorithm(request) ??
  namedAlgorithm(request, 'x-amz-sdk-checksum-algorithm') ??
  namedAlgorithm(request, 'x-amz-checksum-algorithm');

const plainBody = ({ request, head: { payload } }: Work) => ({
  body: request.stream,
  size: lengthOf(request, 'content-length'),
  sha256: payload.kind === 'hashed' ? payload.sha256 : undefined,
  checksum: () => statedChecksum(request),
});

const decodedBody = (work: Work, payload: Extract<Work['head']['payload'], { kind: 'chunked' }>) => {
  const { request } = work;
  const size = lengthOf(request, 'x-amz-decoded-content-length');
  if (size === undefined)
    throw s3Error('MissingContentLength', 'You must provide the x-amz-decoded-content-length header.');
  if (statedChecksum(request) && trailerAlgorithm(request)) throw severalChecksums();
  const { body, trailer } = chunkedBody(request, payload, size);
  return { body, size, sha256: undefined, checksum: () => statedChecksum(request) ?? trailer() };
};

/**
 * The body of a call, without its encodings. `keep` is the algorithm whose checksum is kept where the client names none.
 * Throws MissingContentLength, InvalidRequest, InvalidArgument.
 */
export const receivedBody = (work: Work, keep: ChecksumName = 'CRC64NVME'): ReceivedBody => {
  const { request, head } = work;
  const read = head.payload.kind === 'chunked' ? decodedBody(work, head.payload) : plainBody(work);
  if (read.size === undefined)
    throw s3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const { size, sha256, checksum } = read;
  const md5 = header(request, 'content-md5');
  return {
    body: read.body,
    expected: { size, sha256, md5, checksum, keep: algorithmOf(request) ?? keep },
  };
};

/** Bytes; a list of keys or parts has more. */
const usualMost = 64 * 1024;

interface SmallBody {
  /** Bytes; 64 KiB unless said otherwise. */
  readonly most?: number;
  /** A checksum in the headers is one of the object, not of this body. */
  readonly headersAreOfObject?: boolean;
}

/**
 * All of a body that is no object, empty when there is none. Throws EntityTooLarge beyond `most` bytes, and what
 * `measureBody` does.
 */
export const readSmallBody = async (work: Work, o: SmallBody = {}): Promise<Buffer> => {
  const { headers } = work.request;
  if (!headers.has('content-length') && !headers.has('transfer-encoding')) return Buffer.alloc(0);
  const { most = usualMost } = o;
  const { body, expected } = receivedBody(work);
  if ((expected.size ?? 0) > most)
    throw s3Error('EntityTooLarge', `The body has more than ${most} bytes.`, {
      members: { ProposedSize: String(expected.size), MaxSizeAllowed: String(most) },
    });
  const chunks: Uint8Array[] = [];
  const { held } = work.request;
  const keep = (chunk: Uint8Array) => {
    if (held?.add(chunk.length) === false) throw s3Error('SlowDown', 'Please reduce your request rate.');
    chunks.push(chunk);
  };
  const checksum = o.headersAreOfObject ? () => undefined : expected.checksum;
  await measureBody(body(false), { ...expected, checksum }, keep);
  held?.complete();
  return Buffer.concat(chunks);
};
