import { bucketOf, onBucket } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { text, xmlDocument } from '../xml.ts';

/** GetBucketVersioning (Amazon S3 API reference). */
export const getBucketVersioning: S3Operation = {
  name: 'GetBucketVersioning',
  binding: { method: 'GET', level: 'bucket', by: 'versioning' },
  readOnly: true,
  isDataEvent: false,
  checks: (asked) => [onBucket(asked, 's3:GetBucketVersioning')],
  execute: async (work) => {
    const { versioning } = await bucketOf(work);
    return {
      xml: xmlDocument(
        'VersioningConfiguration',
        text('Status', versioning === 'Unset' ? undefined : versioning),
      ),
    };
  },
};
