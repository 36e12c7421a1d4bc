import { bucketOf, onBucket } from '../asked.ts';
import {
  afterToken,
  continuationToken,
  emptyPage,
  encoderOf,
  listContext,
  listRequest,
  prefixElements,
} from '../lists.ts';
import { objectElement } from '../object-element.ts';
import type { S3Operation } from '../operation.ts';
import { text, xmlDocument } from '../xml.ts';

/** ListObjectsV2 (Amazon S3 API reference). */
export const listObjectsV2: S3Operation = {
  name: 'ListObjectsV2',
  binding: { method: 'GET', level: 'bucket', by: 'list-type' },
  query: [
    'prefix',
    'delimiter',
    'max-keys',
    'encoding-type',
    'continuation-token',
    'start-after',
    'fetch-owner',
  ],
  readOnly: true,
  isDataEvent: true,
  checks: (asked) => [onBucket(asked, 's3:ListBucket', listContext(asked))],
  execute: async (work) => {
    const { request, buckets, deps } = work;
    const { query } = request;
    await bucketOf(work);
    const encode = encoderOf(request);
    const [token, startAfter] = [query.get('continuation-token'), query.get('start-after') ?? ''];
    const list = listRequest(request, startAfter);
    const from = token === undefined ? list : { ...list, after: afterToken(list, token), begins: false };
    const page = list.most === 0 ? emptyPage : await buckets.objects(from);
    const owner = query.get('fetch-owner') === 'true' ? deps.accountId : undefined;
    const next = page.isTruncated && page.last !== undefined ? continuationToken(list, page.last) : undefined;
    return {
      xml: xmlDocument(
        'ListBucketResult',
        text('Name', request.bucket),
        text('Prefix', encode(list.prefix)),
        text('Delimiter', list.delimiter === '' ? undefined : encode(list.delimiter)),
        text('MaxKeys', list.most),
        text('EncodingType', query.get('encoding-type')),
        text('KeyCount', page.found.length + page.commonPrefixes.length),
        text('IsTruncated', page.isTruncated),
        text('ContinuationToken', token),
        text('NextContinuationToken', next),
        text('StartAfter', startAfter === '' ? undefined : encode(startAfter)),
        ...page.found.map((version) => objectElement('Contents', version, encode, owner)),
        prefixElements(page.commonPrefixes, encode),
      ),
    };
  },
};
