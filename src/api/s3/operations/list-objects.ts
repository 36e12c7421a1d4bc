import { bucketOf, onBucket } from '../asked.ts';
import { emptyPage, encoderOf, listContext, listRequest, prefixElements } from '../lists.ts';
import { objectElement } from '../object-element.ts';
import type { S3Operation } from '../operation.ts';
import { text, xmlDocument } from '../xml.ts';

/** ListObjects, the first version (Amazon S3 API reference). */
export const listObjects: S3Operation = {
  name: 'ListObjects',
  binding: { method: 'GET', level: 'bucket' },
  query: ['prefix', 'delimiter', 'max-keys', 'encoding-type', 'marker'],
  readOnly: true,
  isDataEvent: true,
  checks: (asked) => [onBucket(asked, 's3:ListBucket', listContext(asked))],
  execute: async (work) => {
    const { request, buckets, deps } = work;
    await bucketOf(work);
    const encode = encoderOf(request);
    const list = listRequest(request, request.query.get('marker') ?? '');
    const page = list.most === 0 ? emptyPage : await buckets.objects(list);
    // without a delimiter the last key is the next marker
    const next = page.isTruncated && list.delimiter !== '' ? page.last : undefined;
    return {
      xml: xmlDocument(
        'ListBucketResult',
        text('Name', request.bucket),
        text('Prefix', encode(list.prefix)),
        text('Marker', encode(list.after)),
        text('Delimiter', list.delimiter === '' ? undefined : encode(list.delimiter)),
        text('MaxKeys', list.most),
        text('EncodingType', request.query.get('encoding-type')),
        text('IsTruncated', page.isTruncated),
        text('NextMarker', next === undefined ? undefined : encode(next)),
        ...page.found.map((version) => objectElement('Contents', version, encode, deps.accountId)),
        prefixElements(page.commonPrefixes, encode),
      ),
    };
  },
};
