import { bucketOf } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { foundVersion, onExisting } from '../rights.ts';
import { checkIsNoMarker, versionIdHeader } from '../version-headers.ts';
import { group, text, xmlDocument } from '../xml.ts';

/** GetObjectTagging (Amazon S3 API reference). */
export const getObjectTagging: S3Operation = {
  name: 'GetObjectTagging',
  binding: { method: 'GET', level: 'object', by: 'tagging' },
  query: ['versionId'],
  readOnly: true,
  isDataEvent: true,
  checks: async (asked) => [await onExisting(asked, 'GetObjectTagging')],
  execute: async (work) => {
    const { bucket, key, query } = work.request;
    const version = await foundVersion(work, bucket, key, query.get('versionId'));
    checkIsNoMarker(version, query.get('versionId'));
    const tags = version.tags.map(([name, value]) => group('Tag', text('Key', name), text('Value', value)));
    return {
      headers: versionIdHeader(await bucketOf(work), version.versionId),
      xml: xmlDocument('Tagging', group('TagSet', ...tags)),
    };
  },
};
