import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';

/** HeadBucket (Amazon S3 API reference). */
export const headBucket: S3Operation = {
  name: 'HeadBucket',
  binding: { method: 'HEAD', level: 'bucket' },
  readOnly: true,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:ListBucket')],
  execute: async (work) => {
    await bucketOf(work);
    return { headers: { 'x-amz-bucket-region': work.deps.region, 'x-amz-access-point-alias': 'false' } };
  },
};
