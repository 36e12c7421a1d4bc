import { s3Error } from '../../../contract/s3-errors.ts';
import { bucketOf, onBucket } from '../asked.ts';
import { shownPolicy } from '../bucket-policy.ts';
import type { S3Operation } from '../operation.ts';

/** GetBucketPolicy (Amazon S3 API reference): the document as it was put, with the ids of users and roles that are gone. */
export const getBucketPolicy: S3Operation = {
  name: 'GetBucketPolicy',
  binding: { method: 'GET', level: 'bucket', by: 'policy' },
  readOnly: true,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:GetBucketPolicy')],
  execute: async (work) => {
    const { name, policy } = await bucketOf(work);
    if (policy === undefined)
      throw s3Error('NoSuchBucketPolicy', 'The bucket policy does not exist', {
        members: { BucketName: name },
      });
    return { headers: { 'content-type': 'application/json' }, body: shownPolicy(policy, work.deps) };
  },
};
