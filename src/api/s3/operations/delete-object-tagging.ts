import { bucketOf } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { foundVersion, onExisting } from '../rights.ts';
import { checkIsNoMarker, versionIdHeader } from '../version-headers.ts';

/** DeleteObjectTagging (Amazon S3 API reference). */
export const deleteObjectTagging: S3Operation = {
  name: 'DeleteObjectTagging',
  binding: { method: 'DELETE', level: 'object', by: 'tagging' },
  query: ['versionId'],
  readOnly: false,
  isDataEvent: true,
  checks: async (asked) => [await onExisting(asked, 'DeleteObjectTagging')],
  execute: async (work) => {
    const { bucket, key, query } = work.request;
    const version = await foundVersion(work, bucket, key, query.get('versionId'));
    checkIsNoMarker(version, query.get('versionId'));
    await work.buckets.setTags(version, [], work.record);
    return { status: 204, headers: versionIdHeader(await bucketOf(work), version.versionId) };
  },
};
