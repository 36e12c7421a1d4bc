import { onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';

/** DeleteBucket (Amazon S3 API reference). */
export const deleteBucket: S3Operation = {
  name: 'DeleteBucket',
  binding: { method: 'DELETE', level: 'bucket' },
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:DeleteBucket')],
  execute: async ({ buckets, request, record }) => {
    await buckets.remove(request.bucket, record);
    return { status: 204 };
  },
};
