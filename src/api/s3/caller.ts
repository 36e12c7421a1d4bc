import { s3Error } from '../../contract/s3-errors.ts';
import type { BelievedHead } from '../../identity/sigv4/verify-s3.ts';
import { isLoopback } from '../../lib/plain-address.ts';
import type { S3Request } from './request.ts';

const isUnsigned = ({ payload }: BelievedHead): boolean =>
  payload.kind === 'unsigned' || (payload.kind === 'chunked' && payload.chain === undefined);

/**
 * Over plain HTTP anybody on the way may exchange bytes that no signature covers; on loopback there is nobody. What has no
 * body has nothing to exchange. Throws AccessDenied.
 */
export const checkPayloadIsCovered = (head: BelievedHead, { method, sourceIp }: S3Request): void => {
  if (!isUnsigned(head) || isLoopback(sourceIp) || (method !== 'PUT' && method !== 'POST')) return;
  throw s3Error(
    'AccessDenied',
    'A body that is not signed is accepted from this machine only, because the connection is plain HTTP. Sign it: send its SHA-256, or signed chunks, in x-amz-content-sha256.',
  );
};
