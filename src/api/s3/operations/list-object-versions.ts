import type { ObjectVersion } from '../../../bucket/objects.ts';
import { bucketOf, onBucket } from '../asked.ts';
import { invalidArgument } from '../errors.ts';
import { emptyPage, encoderOf, listContext, listRequest, ownerElement, prefixElements } from '../lists.ts';
import { objectElement } from '../object-element.ts';
import type { S3Operation } from '../operation.ts';
import { group, text, xmlDocument, xmlTime } from '../xml.ts';

const markerElement = (v: ObjectVersion, encode: (key: string) => string, accountId: string): string =>
  group(
    'DeleteMarker',
    text('Key', encode(v.key)),
    text('VersionId', v.versionId),
    text('IsLatest', v.isLatest),
    text('LastModified', xmlTime(v.lastModified)),
    ownerElement(accountId),
  );

/** ListObjectVersions (Amazon S3 API reference). */
export const listObjectVersions: S3Operation = {
  name: 'ListObjectVersions',
  binding: { method: 'GET', level: 'bucket', by: 'versions' },
  query: ['prefix', 'delimiter', 'max-keys', 'encoding-type', 'key-marker', 'version-id-marker'],
  readOnly: true,
  isDataEvent: true,
  checks: (asked) => [onBucket(asked, 's3:ListBucketVersions', listContext(asked))],
  execute: async (work) => {
    const { request, buckets, deps } = work;
    await bucketOf(work);
    const encode = encoderOf(request);
    const afterVersion = request.query.get('version-id-marker') ?? '';
    const list = listRequest(request, request.query.get('key-marker') ?? '');
    if (afterVersion !== '' && list.after === '')
      throw invalidArgument(
        'A version-id marker cannot be specified without a key marker.',
        'version-id-marker',
        afterVersion,
      );
    const page =
      list.most === 0
        ? emptyPage
        : await buckets.versions({ ...list, afterVersion, begins: afterVersion === '' });
    const next = page.isTruncated ? page.last : undefined;
    const last = page.found.at(-1);
    return {
      xml: xmlDocument(
        'ListVersionsResult',
        text('Name', request.bucket),
        text('Prefix', encode(list.prefix)),
        text('KeyMarker', encode(list.after)),
        text('VersionIdMarker', afterVersion),
        text('NextKeyMarker', next === undefined ? undefined : encode(next)),
        text('NextVersionIdMarker', next !== undefined && last?.key === next ? last.versionId : undefined),
        text('Delimiter', list.delimiter === '' ? undefined : encode(list.delimiter)),
        text('MaxKeys', list.most),
        text('EncodingType', request.query.get('encoding-type')),
        text('IsTruncated', page.isTruncated),
        ...page.found.map((version) =>
          version.isMarker
            ? markerElement(version, encode, deps.accountId)
            : objectElement('Version', version, encode, deps.accountId),
        ),
        prefixElements(page.commonPrefixes, encode),
      ),
    };
  },
};
