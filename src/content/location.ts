import { join } from 'node:path';
import { SourceUnavailable } from '../environments/errors.ts';
import type { BucketFolder } from '../environments/record.ts';
import { pathFault } from '../lib/file-path.ts';

/** "Bucket naming rules", Amazon S3 user guide; old buckets may hold capitals and underscores. */
const bucketArn = /^arn:aws[a-z-]*:s3:::([A-Za-z0-9][A-Za-z0-9._-]{1,254})$/;

export interface BucketPath {
  readonly bucketFolder: string;
  /** Names from the bucket down to the location. */
  readonly segments: readonly string[];
}

/** The folder that a location names, below the folder of buckets; throws SourceUnavailable. */
export const bucketPath = (buckets: string, where: BucketFolder): BucketPath => {
  const name = bucketArn.exec(where.bucketArn)?.[1];
  if (name === undefined || name.includes('..'))
    throw new SourceUnavailable(
      `"${where.bucketArn}" is no bucket ARN. Give one like arn:aws:s3:::my-bucket`,
    );
  const segments = where.path.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..' || segment.includes('\0')))
    throw new SourceUnavailable(`The path "${where.path}" must not hold "." or ".."`);
  return { bucketFolder: join(buckets, name), segments };
};

/** Folders above a file: a thousand keys of a thousand bytes could name half a million of them. */
const mostFolders = 32;

/** True for a relative path that stays below its folder and can be a file there. */
export const isPublishable = (path: string): boolean =>
  pathFault(path) === undefined && path.split('/').length <= mostFolders + 1;
