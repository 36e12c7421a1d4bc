import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { xmlDocument } from '../xml.ts';

/** The Region that S3 writes as nothing (GetBucketLocation, Amazon S3 API reference). */
const unwritten = 'us-east-1';

/** GetBucketLocation: the Region of the server. */
export const getBucketLocation: S3Operation = {
  name: 'GetBucketLocation',
  binding: { method: 'GET', level: 'bucket', by: 'location' },
  readOnly: true,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:GetBucketLocation')],
  execute: async (work) => {
    await bucketOf(work);
    const { region } = work.deps;
    return { xml: xmlDocument('LocationConstraint', region === unwritten ? '' : region) };
  },
};
