import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';

/** DeleteBucketPolicy (Amazon S3 API reference). */
export const deleteBucketPolicy: S3Operation = {
  name: 'DeleteBucketPolicy',
  binding: { method: 'DELETE', level: 'bucket', by: 'policy' },
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:DeleteBucketPolicy')],
  execute: async (work) => {
    const { name } = await bucketOf(work);
    await work.buckets.setPolicy(name, undefined, work.record);
    return { status: 204 };
  },
};
