import { s3Error } from '../../../contract/s3-errors.ts';
import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { text, xmlDocument } from '../xml.ts';

/** GetPublicAccessBlock (Amazon S3 API reference). */
export const getPublicAccessBlock: S3Operation = {
  name: 'GetPublicAccessBlock',
  binding: { method: 'GET', level: 'bucket', by: 'publicAccessBlock' },
  readOnly: true,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:GetBucketPublicAccessBlock')],
  execute: async (work) => {
    const { name, publicAccessBlock: block } = await bucketOf(work);
    if (!block)
      throw s3Error(
        'NoSuchPublicAccessBlockConfiguration',
        'The public access block configuration was not found',
        { members: { BucketName: name } },
      );
    return {
      xml: xmlDocument(
        'PublicAccessBlockConfiguration',
        text('BlockPublicAcls', block.BlockPublicAcls),
        text('IgnorePublicAcls', block.IgnorePublicAcls),
        text('BlockPublicPolicy', block.BlockPublicPolicy),
        text('RestrictPublicBuckets', block.RestrictPublicBuckets),
      ),
    };
  },
};
