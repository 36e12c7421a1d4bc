import type { Upload } from '../../../bucket/objects.ts';
import { bucketOf, onBucket } from '../asked.ts';
import { invalidArgument } from '../errors.ts';
import { emptyPage, encoderOf, listContext, listRequest, ownerElement, prefixElements } from '../lists.ts';
import type { S3Operation } from '../operation.ts';
import { group, text, xmlDocument, xmlTime } from '../xml.ts';

const uploadElement = (upload: Upload, encode: (key: string) => string, accountId: string): string =>
  group(
    'Upload',
    text('Key', encode(upload.key)),
    text('UploadId', upload.uploadId),
    ownerElement(accountId, 'Initiator'),
    ownerElement(accountId),
    text('StorageClass', 'STANDARD'),
    text('Initiated', xmlTime(upload.initiatedAt)),
    text('ChecksumAlgorithm', upload.checksum?.name),
    text('ChecksumType', upload.checksum?.type),
  );

/** ListMultipartUploads (Amazon S3 API reference). */
export const listMultipartUploads: S3Operation = {
  name: 'ListMultipartUploads',
  binding: { method: 'GET', level: 'bucket', by: 'uploads' },
  query: ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'],
  readOnly: true,
  isDataEvent: true,
  checks: (asked) => [onBucket(asked, 's3:ListBucketMultipartUploads', listContext(asked))],
  execute: async (work) => {
    const { request, buckets, deps } = work;
    await bucketOf(work);
    const encode = encoderOf(request);
    const list = listRequest(request, request.query.get('key-marker') ?? '', 'max-uploads');
    // without a key it says nothing (ListMultipartUploads, Amazon S3 API reference)
    const afterUpload = list.after === '' ? '' : (request.query.get('upload-id-marker') ?? '');
    if (!/^([0-9a-z]{64})?$/.test(afterUpload))
      throw invalidArgument('Invalid uploadId marker', 'upload-id-marker', afterUpload);
    const page =
      list.most === 0
        ? emptyPage
        : await buckets.uploads({ ...list, afterUpload, begins: afterUpload === '' });
    const next = page.isTruncated ? page.last : undefined;
    const last = page.found.at(-1);
    return {
      xml: xmlDocument(
        'ListMultipartUploadsResult',
        text('Bucket', request.bucket),
        text('KeyMarker', encode(list.after)),
        text('UploadIdMarker', afterUpload),
        text('NextKeyMarker', next === undefined ? undefined : encode(next)),
        text('NextUploadIdMarker', next !== undefined && last?.key === next ? last.uploadId : undefined),
        text('Prefix', encode(list.prefix)),
        text('Delimiter', list.delimiter === '' ? undefined : encode(list.delimiter)),
        text('EncodingType', request.query.get('encoding-type')),
        text('MaxUploads', list.most),
        text('IsTruncated', page.isTruncated),
        ...page.found.map((upload) => uploadElement(upload, encode, deps.accountId)),
        prefixElements(page.commonPrefixes, encode),
      ),
    };
  },
};
