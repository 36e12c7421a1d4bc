import { readCompleteUpload } from '../../../bucket/read-complete-upload.ts';
import { mostXmlBytes } from '../../../bucket/read-xml.ts';
import { bucketOf } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import { checksumElements, checksumType, statedChecksum } from '../checksum-headers.ts';
import { writeConditions } from '../conditions.ts';
import { invalidRequest } from '../errors.ts';
import type { S3Operation } from '../operation.ts';
import { writeChecks } from '../rights.ts';
import { uploadOf } from '../uploads.ts';
import { quoted, versionIdHeader } from '../version-headers.ts';
import { text, xmlDocument } from '../xml.ts';

/** CompleteMultipartUpload (Amazon S3 API reference). */
export const completeMultipartUpload: S3Operation = {
  name: 'CompleteMultipartUpload',
  binding: { method: 'POST', level: 'object', by: 'uploadId' },
  headers: [...bodyHeaders, 'x-amz-checksum-type'],
  readOnly: false,
  isDataEvent: true,
  checks: writeChecks,
  execute: async (work) => {
    const { request, buckets, record } = work;
    const conditions = writeConditions(request);
    const [upload, bucket] = [await uploadOf(work), await bucketOf(work)];
    const [stated, type] = [statedChecksum(request), checksumType(request)];
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
    });
    return {
      headers: versionIdHeader(bucket, version.versionId),
      xml: xmlDocument(
        'CompleteMultipartUploadResult',
        text('Location', `/${request.bucket}/${request.key}`),
        text('Bucket', request.bucket),
        text('Key', request.key),
        text('ETag', quoted(version.etag)),
        checksumElements(version.checksum),
      ),
    };
  },
};
