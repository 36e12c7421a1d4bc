import { canBeBucket } from '../../bucket/names.ts';
import type { ObjectVersion, Part } from '../../bucket/objects.ts';
import { AwsError } from '../../contract/errors.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import type { Check } from '../operation.ts';
import { type Asked, given, objectArn, onObject } from './asked.ts';
import { checksumElements } from './checksum-headers.ts';
import { checkCopyConditions } from './conditions.ts';
import { invalidArgument, invalidRequest, notImplemented } from './errors.ts';
import type { Work } from './operation.ts';
import { checkVersionId, header, percentDecoded, placeOf, type S3Request } from './request.ts';
import { foundVersion, tagsOfObject } from './rights.ts';
import { quoted } from './version-headers.ts';
import { text, xmlDocument, xmlTime } from './xml.ts';

/** What is copied: a version of an object, the latest when none is named. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

const headerName = 'x-amz-copy-source';

/** Headers of every copy. */
export const copyHeaders = [
  headerName,
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'].map(
    (name) => `${headerName}-${name}`,
  ),
];

const badEncoding = (value: string) => invalidArgument('Invalid copy source encoding', headerName, value);

/** Throws InvalidArgument, NotImplemented for access points, and what `checkKey` does. */
export const copySourceOf = (request: S3Request): CopySource => {
  const value = header(request, headerName) ?? '';
  try {
    return readSource(value);
  } catch (error) {
    throw error instanceof AwsError && error.code === 'InvalidURI' ? badEncoding(value) : error;
  }
};

const readSource = (value: string): CopySource => {
  if (value.startsWith('arn:')) throw notImplemented('A copy source that is an access point');
  const mark = value.lastIndexOf('?versionId=');
  const path = mark < 0 ? value : value.slice(0, mark);
  const versionId = mark < 0 ? undefined : percentDecoded(value.slice(mark + '?versionId='.length));
  checkVersionId(versionId);
  // some clients encode the slash that ends the bucket's name
  const plain = path.replace(/^(\/?[^/%]*)%2F/i, '$1/');
  const { level, bucket, key } = placeOf(plain.startsWith('/') ? plain : `/${plain}`);
  if (level !== 'object')
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      headerName,
      value,
    );
  if (!canBeBucket(bucket)) throw invalidArgument('Invalid copy source bucket name', headerName, value);
  return { bucket, key, versionId };
};

/** Condition keys of a write that copies. */
export const copyContext = ({ request }: Asked): ConditionContext => ({
  ...given('s3:x-amz-copy-source', header(request, headerName)),
  ...given('s3:x-amz-metadata-directive', header(request, 'x-amz-metadata-directive')),
});

/** The source is read by a right of its own, for instance `GetObject`. */
export const sourceCheck = async (asked: Asked, action: string): Promise<Check> => {
  const { bucket, key, versionId } = copySourceOf(asked.request);
  const name = versionId === undefined ? action : action.replace('Object', 'ObjectVersion');
  return {
    ...onObject(asked, `s3:${name}`, {
      ...given('s3:VersionId', versionId),
      ...(await tagsOfObject(asked, bucket, key, versionId)),
    }),
    resources: [objectArn(bucket, key)],
  };
};

/** Throws what `foundVersion` does, PreconditionFailed, InvalidRequest for a deletion marker. */
export const foundSource = async (work: Work): Promise<ObjectVersion> => {
  const { bucket, key, versionId } = copySourceOf(work.request);
  const source = await foundVersion(work, bucket, key, versionId);
  if (source.isMarker && versionId === undefined)
    throw s3Error('NoSuchKey', 'The specified key does not exist.', { members: { Key: key } });
  if (source.isMarker)
    throw invalidRequest(
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    );
  checkCopyConditions(work.request, source);
  return source;
};

/** What is told of a copy that was made. */
export const copyAnswer = async (
  work: Work,
  name: 'CopyObjectResult' | 'CopyPartResult',
  source: ObjectVersion,
  made: Pick<Part, 'lastModified' | 'etag' | 'checksum'>,
) => {
  const from = await work.bucket(source.bucket);
  return {
    headers: { 'x-amz-copy-source-version-id': from?.versioning === 'Unset' ? undefined : source.versionId },
    xml: xmlDocument(
      name,
      text('LastModified', xmlTime(made.lastModified)),
      text('ETag', quoted(made.etag)),
      checksumElements(made.checksum),
    ),
  };
};
