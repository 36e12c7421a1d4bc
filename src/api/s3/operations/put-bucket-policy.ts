import { bucketOf, onBucket } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import { checkBucketPolicy, keptPolicy } from '../bucket-policy.ts';
import type { S3Operation } from '../operation.ts';

/** Bytes; a policy of S3 has 20 KB (Amazon S3 user guide, "Bucket policies"), which its parser counts without blanks. */
const longest = 131_072;

/** PutBucketPolicy (Amazon S3 API reference). */
export const putBucketPolicy: S3Operation = {
  name: 'PutBucketPolicy',
  binding: { method: 'PUT', level: 'bucket', by: 'policy' },
  headers: [...bodyHeaders, 'x-amz-confirm-remove-self-bucket-access'],
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:PutBucketPolicy')],
  execute: async (work) => {
    const bucket = await bucketOf(work);
    const document = (await readSmallBody(work, { most: longest })).toString();
    checkBucketPolicy(document, bucket);
    await work.buckets.setPolicy(bucket.name, keptPolicy(document, work.deps), work.record);
    return { status: 204 };
  },
};
