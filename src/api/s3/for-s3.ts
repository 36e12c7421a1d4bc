import { headersOf, queryParameters, splitTarget } from '../../identity/sigv4/canonical.ts';
import type { ApiDeps } from '../deps.ts';
import { isOwnPath } from '../paths.ts';
import { presignedFor, type RequestHead, signedFor } from '../signing-name.ts';

/** Signature Version 2, in a header or in the query (Amazon S3 user guide, "Signing and authenticating REST requests"). */
const isSignedByVersion2 = ({ rawHeaders, target }: RequestHead): boolean =>
  headersOf(rawHeaders).get('authorization')?.[0]?.startsWith('AWS ') ??
  queryParameters(splitTarget(target).query).some(({ name }) => name === 'AWSAccessKeyId');

const isUnsigned = ({ rawHeaders, target }: RequestHead): boolean =>
  !headersOf(rawHeaders).has('authorization') &&
  !queryParameters(splitTarget(target).query).some(({ name }) =>
    /^x-amz-(?:algorithm|signature)$/i.test(name),
  );

/**
 * Whether a request is one of S3. Its signing name tells, never its path: `environments`, `tags` and `health` are names
 * that buckets may have. What has no such name is S3's where no other path is.
 */
export const isForS3 = (head: RequestHead, { buckets }: Pick<ApiDeps, 'buckets'>): boolean => {
  const name = signedFor(head) ?? presignedFor(head);
  if (name !== undefined) return name === 's3';
  if (!buckets || isOwnPath(splitTarget(head.target).path)) return false;
  return isUnsigned(head) || isSignedByVersion2(head);
};
