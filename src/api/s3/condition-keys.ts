import { globalKeys } from '../../identity/condition-context.ts';

/** What calls of S3 have for the conditions of policies; what ends in a slash begins many. */
const ofS3 = [
  ...['s3:authType', 's3:signatureAge', 's3:signatureversion', 's3:x-amz-content-sha256'],
  ...['s3:prefix', 's3:delimiter', 's3:max-keys', 's3:VersionId'],
  ...['s3:ExistingObjectTag/', 's3:RequestObjectTag/', 's3:RequestObjectTagKeys'],
  ...['s3:x-amz-acl', 's3:x-amz-storage-class', 's3:x-amz-copy-source', 's3:x-amz-metadata-directive'],
  ...['s3:if-match', 's3:if-none-match'],
];

const supplied = [...globalKeys, ...ofS3].map((key) => key.toLowerCase());

/** Whether any call of S3 can have this condition key, in any spelling. */
export const isSupplied = (key: string): boolean => {
  const lower = key.toLowerCase();
  return supplied.some((one) => (one.endsWith('/') ? lower.startsWith(one) : lower === one));
};
