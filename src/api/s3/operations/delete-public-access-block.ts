import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';

/** DeletePublicAccessBlock (Amazon S3 API reference), by the right to put one. */
export const deletePublicAccessBlock: S3Operation = {
  name: 'DeletePublicAccessBlock',
  binding: { method: 'DELETE', level: 'bucket', by: 'publicAccessBlock' },
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:PutBucketPublicAccessBlock')],
  execute: async (work) => {
    const { name } = await bucketOf(work);
    await work.buckets.setPublicAccessBlock(name, undefined, work.record);
    return { status: 204 };
  },
};
