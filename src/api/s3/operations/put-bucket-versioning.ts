import { readVersioning } from '../../../bucket/read-bucket-settings.ts';
import { bucketOf, onBucket } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import type { S3Operation } from '../operation.ts';

/** PutBucketVersioning (Amazon S3 API reference). */
export const putBucketVersioning: S3Operation = {
  name: 'PutBucketVersioning',
  binding: { method: 'PUT', level: 'bucket', by: 'versioning' },
  headers: bodyHeaders,
  readOnly: false,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:PutBucketVersioning')],
  execute: async (work) => {
    const { name } = await bucketOf(work);
    const status = await readVersioning(await readSmallBody(work));
    await work.buckets.setVersioning(name, status, work.record);
    return {};
  },
};
