import { readPublicAccessBlock } from '../../../bucket/read-bucket-settings.ts';
import { bucketOf, onBucket } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import type { S3Operation } from '../operation.ts';

/** PutPublicAccessBlock (Amazon S3 API reference). */
export const putPublicAccessBlock: S3Operation = {
  name: 'PutPublicAccessBlock',
  binding: { method: 'PUT', level: 'bucket', by: 'publicAccessBlock' },
  headers: bodyHeaders,
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:PutBucketPublicAccessBlock')],
  execute: async (work) => {
    const { name } = await bucketOf(work);
    const block = await readPublicAccessBlock(await readSmallBody(work));
    await work.buckets.setPublicAccessBlock(name, block, work.record);
    return {};
  },
};
