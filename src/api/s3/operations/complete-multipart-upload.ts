import { readCompleteUpload } from '../../../bucket/read-complete-upload.ts';
import { mostXmlBytes } from '../../../bucket/read-xml.ts';
import { bucketOf } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import { checksumElements, checksumType, statedChecksum } from '../checksum-headers.ts';
import { writeConditions } from '../conditions.ts';
import { invalidRequest } from '../errors.ts';
import type { S3Operation } from '../operation.ts';
import { header, type S3Request } from '../request.ts';
import { writeChecks } from '../rights.ts';
import { uploadOf } from '../uploads.ts';
import { quoted, writtenVersionId } from '../version-headers.ts';
import { text, urlEncoded, xmlDocument } from '../xml.ts';

/** `x-amz-mp-object-size`: the bytes of all parts together. Throws InvalidRequest. */
const statedSize = (request: S3Request): number | undefined => {
  const text = header(request, 'x-amz-mp-object-size');
  if (text === undefined) return undefined;
  if (/^-\d{1,15}$/.test(text))
    throw invalidRequest(`Value for x-amz-mp-object-size header is less than zero: '${text}'`);
  if (!/^\d{1,15}$/.test(text))
    throw invalidRequest(`Value for x-amz-mp-object-size header is invalid: '${text.slice(0, 60)}'`);
  return Number(text);
};

/** CompleteMultipartUpload (Amazon S3 API reference). */
export const completeMultipartUpload: S3Operation = {
  name: 'CompleteMultipartUpload',
  binding: { method: 'POST', level: 'object', by: 'uploadId' },
  headers: [...bodyHeaders, 'x-amz-checksum-type', 'x-amz-mp-object-size'],
  readOnly: false,
  isDataEvent: true,
  checks: writeChecks,
  execute: async (work) => {
    const { request, buckets, record } = work;
    const conditions = writeConditions(request);
    const [upload, bucket] = [await uploadOf(work), await bucketOf(work)];
    const [stated, type] = [statedChecksum(request, 'ofParts'), checksumType(request)];
    const size = statedSize(request);
    if (type !== undefined && type !== upload.checksum?.type)
      throw invalidRequest('The checksum type is not the one that the upload was begun with.');
    const parts = await readCompleteUpload(
      await readSmallBody(work, { most: mostXmlBytes, headersAreOfObject: true }),
    );
    const version = await buckets.complete({
      upload,
      parts,
      conditions,
      record,
      ...(stated ? { checksum: stated } : {}),
      ...(size === undefined ? {} : { size }),
    });
    return {
      headers: writtenVersionId(bucket, version.versionId),
      xml: xmlDocument(
        'CompleteMultipartUploadResult',
        text(
          'Location',
          `http://${header(request, 'host') ?? ''}/${request.bucket}/${urlEncoded(request.key)}`,
        ),
        text('Bucket', request.bucket),
        text('Key', request.key),
        text('ETag', quoted(version.etag)),
        checksumElements(version.checksum),
      ),
    };
  },
};
