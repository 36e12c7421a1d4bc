import { noSuchBucket } from '../contract/s3-errors.ts';
import type { BucketContext } from './context.ts';
import type { Bucket } from './objects.ts';

/** @throws NoSuchBucket */
export const needBucket = async (c: Pick<BucketContext, 'table'>, name: string): Promise<Bucket> => {
  const bucket = await c.table.bucket(name);
  if (bucket === undefined) throw noSuchBucket(name);
  return bucket;
};
