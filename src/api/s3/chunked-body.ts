import { decodeAwsChunked } from '../../bucket/aws-chunked.ts';
import type { BelievedHead } from '../../identity/sigv4/verify-s3.ts';
import { checksumHeader, trailerAlgorithm } from './checksum-headers.ts';
import { header, type S3Request } from './request.ts';

/** A body in chunks, each signed or none, without them; a trailer has a checksum once the bytes have been read. */
export const chunkedBody = (
  request: S3Request,
  { chain, hasTrailer }: Extract<BelievedHead['payload'], { kind: 'chunked' }>,
  decodedLength: number,
) => {
  const name = trailerAlgorithm(request);
  const names = (header(request, 'x-amz-trailer') ?? '').toLowerCase();
  const trailer = hasTrailer ? names.split(',').flatMap((one) => one.trim() || []) : undefined;
  let trailers: ReturnType<typeof decodeAwsChunked>['trailers'] = () => undefined;
  return {
    /** To be called once. */
    body: (mayTakeLong: boolean) => {
      const decoded = decodeAwsChunked(request.stream(mayTakeLong), { decodedLength, chain, trailer });
      ({ trailers } = decoded);
      return decoded.bytes;
    },
    trailer: () => {
      const value = name === undefined ? undefined : trailers()?.get(checksumHeader(name));
      return name === undefined || value === undefined ? undefined : { name, value };
    },
  };
};
