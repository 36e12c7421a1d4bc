import { AwsError } from './errors.ts';

/** Codes of "List of error codes" (Amazon S3 API reference), with their HTTP status. */
const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedPolicy: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchKey: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  NotModified: 304,
  OperationAborted: 409,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3ErrorCode = keyof typeof statuses;

/** An error of Amazon S3; `members` are further elements of its XML, for instance BucketName. */
export const s3Error = (
  code: S3ErrorCode,
  message: string,
  options: { readonly members?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
): AwsError => new AwsError(code, statuses[code], message, options);

export const noSuchBucket = (name: string): AwsError =>
  s3Error('NoSuchBucket', 'The specified bucket does not exist', { members: { BucketName: name } });

export const noSuchKey = (key: string): AwsError =>
  s3Error('NoSuchKey', 'The specified key does not exist.', { members: { Key: key } });

export const noSuchVersion = (key: string, versionId: string): AwsError =>
  s3Error('NoSuchVersion', 'The specified version does not exist.', {
    members: { Key: key, VersionId: versionId },
  });

/** `condition` is the header that did not hold, for instance If-Match. */
export const preconditionFailed = (condition: string): AwsError =>
  s3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    members: { Condition: condition },
  });

export const noSuchUpload = (uploadId: string): AwsError =>
  s3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { members: { UploadId: uploadId } },
  );
