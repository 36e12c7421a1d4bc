import { onObject } from '../asked.ts';
import { checksumElements } from '../checksum-headers.ts';
import { invalidArgument } from '../errors.ts';
import { encoderOf, ownerElement, pageSize } from '../lists.ts';
import type { S3Operation } from '../operation.ts';
import { uploadOf } from '../uploads.ts';
import { quoted } from '../version-headers.ts';
import { group, text, xmlDocument, xmlTime } from '../xml.ts';

/** ListParts (Amazon S3 API reference). */
export const listParts: S3Operation = {
  name: 'ListParts',
  binding: { method: 'GET', level: 'object', by: 'uploadId' },
  query: ['max-parts', 'part-number-marker', 'encoding-type'],
  readOnly: true,
  isDataEvent: true,
  checks: (asked) => [onObject(asked, 's3:ListMultipartUploadParts')],
  execute: async (work) => {
    const { request, buckets, deps } = work;
    const marker = request.query.get('part-number-marker') ?? '0';
    if (!/^\d{1,9}$/.test(marker))
      throw invalidArgument('Argument part-number-marker must be an integer', 'part-number-marker', marker);
    const [most, encode] = [pageSize(request, 'max-parts'), encoderOf(request)];
    const upload = await uploadOf(work);
    const nothing = { parts: [], isTruncated: false };
    const { parts, isTruncated } =
      most === 0 ? nothing : await buckets.parts(upload, { after: Number(marker), most });
    return {
      xml: xmlDocument(
        'ListPartsResult',
        text('Bucket', upload.bucket),
        text('Key', encode(upload.key)),
        text('UploadId', upload.uploadId),
        ownerElement(deps.accountId, 'Initiator'),
        ownerElement(deps.accountId),
        text('StorageClass', 'STANDARD'),
        text('PartNumberMarker', marker),
        text('NextPartNumberMarker', parts.at(-1)?.number ?? 0),
        text('MaxParts', most),
        text('IsTruncated', isTruncated),
        text('ChecksumAlgorithm', upload.checksum?.name),
        text('ChecksumType', upload.checksum?.type),
        ...parts.map((part) =>
          group(
            'Part',
            text('PartNumber', part.number),
            text('LastModified', xmlTime(part.lastModified)),
            text('ETag', quoted(part.etag)),
            text('Size', part.size),
            checksumElements(part.checksum),
          ),
        ),
      ),
    };
  },
};
