import type { Bucket, ObjectVersion } from '../../bucket/objects.ts';
import { nullVersion } from '../../bucket/version-ids.ts';
import { noSuchKey, s3Error } from '../../contract/s3-errors.ts';
import { checksumHeaders } from './checksum-headers.ts';
import { withHeaders } from './errors.ts';
import { header, type S3Request } from './request.ts';

export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

/** What S3 says of an object without a type. */
const unknownType = 'binary/octet-stream';

/** `x-amz-version-id`, which a bucket has that was ever told to keep versions. */
export const versionIdHeader = (bucket: Bucket, versionId: string | undefined): AnswerHeaders => ({
  'x-amz-version-id': bucket.versioning === 'Unset' ? undefined : versionId,
});

/** The same of a write: a bucket that is suspended gives no id (PutObject, Amazon S3 API reference, samples). */
export const writtenVersionId = (bucket: Bucket, versionId: string): AnswerHeaders =>
  versionId === nullVersion ? {} : versionIdHeader(bucket, versionId);

/** A time as HTTP has it. */
const httpDate = (milliseconds: number): string => new Date(milliseconds).toUTCString();

export const quoted = (etag: string): string => `"${etag}"`;

const metadataHeaders = ({ metadata }: ObjectVersion): AnswerHeaders =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]));

/** What tells one version from another; an answer without the object has it, too. */
export const validators = (version: ObjectVersion, bucket: Bucket): AnswerHeaders => ({
  etag: quoted(version.etag),
  'last-modified': httpDate(version.lastModified),
  ...versionIdHeader(bucket, version.versionId),
});

/** The headers of a version that is read, without its length. */
export const versionHeaders = (version: ObjectVersion, bucket: Bucket): AnswerHeaders => ({
  'content-type': unknownType,
  ...version.headers,
  ...metadataHeaders(version),
  ...validators(version, bucket),
  'accept-ranges': 'bytes',
  'x-amz-tagging-count': version.tags.length === 0 ? undefined : String(version.tags.length),
});

/** The checksum, where it is asked for and is one of what is sent. Throws nothing. */
export const askedChecksum = (request: S3Request, version: ObjectVersion): AnswerHeaders =>
  header(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
    ? checksumHeaders(version.checksum)
    : {};

/** Headers of a write that was done. */
export const writtenHeaders = (version: ObjectVersion, bucket: Bucket): AnswerHeaders => ({
  etag: quoted(version.etag),
  ...checksumHeaders(version.checksum),
  ...writtenVersionId(bucket, version.versionId),
});

/** Throws NoSuchKey for a deletion marker that is the latest version, MethodNotAllowed for one that is asked for. */
export const checkIsNoMarker = (version: ObjectVersion, versionId: string | undefined): void => {
  if (!version.isMarker) return;
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId };
  if (versionId === undefined) throw withHeaders(noSuchKey(version.key), headers);
  throw withHeaders(
    s3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      members: { ResourceType: 'DeleteMarker' },
    }),
    { ...headers, allow: 'DELETE', 'last-modified': httpDate(version.lastModified) },
  );
};
