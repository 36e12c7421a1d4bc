import type { AwsError } from '../contract/errors.ts';
import { s3Error } from '../contract/s3-errors.ts';
import { RootGone } from '../lib/open-folder.ts';
import type { BucketContext } from './context.ts';

/** What is in a folder that is followed is live: nothing of it can be changed over S3. @throws InvalidRequest */
export const checkNotFollowed = (c: Pick<BucketContext, 'followed'>, bucket: string, key: string): void => {
  const folder = c.followed(bucket, key);
  if (folder !== undefined)
    throw s3Error(
      'InvalidRequest',
      `The folder ${folder} is followed in the place of this one (--dags). Change the files there.`,
    );
};

/** What is asked of a bucket whose folder nobody can open. */
export const folderGone = (bucket: string): AwsError =>
  s3Error('ServiceUnavailable', `The folder of the bucket ${bucket} is gone. Put it back, or make it anew.`);

const placeTaken = (key: string): AwsError =>
  s3Error(
    'InvalidRequest',
    `"${key}" cannot be a file in the folder of the bucket: there is a folder in its place, or a file above it.`,
  );

/** Does what makes the key a file, while no other write can take its place. @throws InvalidRequest when one has */
export const inItsPlace = async <T>(
  c: BucketContext,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  work: () => Promise<T>,
): Promise<T> => {
  const end = c.paths.use(bucket, key);
  if (end === undefined) throw placeTaken(key);
  try {
    await checkPlace(c, bucket, key);
    return await work();
  } finally {
    end();
  }
};

/** Why a key cannot be a file now. @throws InvalidRequest, ServiceUnavailable when the folder of the bucket is gone */
const checkPlace = async (c: BucketContext, bucket: string, key: string): Promise<void> => {
  checkNotFollowed(c, bucket, key);
  try {
    if (!(await c.visible(bucket).isTaken(key))) return;
  } catch (error) {
    if (!(error instanceof RootGone)) throw error;
    throw folderGone(bucket);
  }
  throw placeTaken(key);
};
