import type { Upload } from '../../../bucket/objects.ts';
import { onObject } from '../asked.ts';
import { algorithmOf, bodyHeaders, checkSize, receivedBody } from '../body.ts';
import { checksumHeaders } from '../checksum-headers.ts';
import { invalidRequest } from '../errors.ts';
import type { S3Operation } from '../operation.ts';
import type { S3Request } from '../request.ts';
import { partNumberOf, uploadOf } from '../uploads.ts';
import { quoted } from '../version-headers.ts';

/** The checksum of an upload is made of those of its parts. Throws InvalidRequest. */
const checkAlgorithm = (request: S3Request, { checksum }: Upload): void => {
  const [wanted, given] = [checksum?.name, algorithmOf(request)];
  if (wanted === undefined || given === undefined || given === wanted) return;
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted}, actual checksum Type: ${given}`,
  );
};

/** UploadPart (Amazon S3 API reference). A part is no object yet: only what makes one of it is recorded. */
export const uploadPart: S3Operation = {
  name: 'UploadPart',
  binding: { method: 'PUT', level: 'object', by: 'uploadId' },
  query: ['partNumber'],
  headers: bodyHeaders,
  readOnly: false,
  isDataEvent: true,
  checks: (asked) => [onObject(asked, 's3:PutObject')],
  execute: async (work) => {
    const number = partNumberOf(work.request);
    const upload = await uploadOf(work);
    checkAlgorithm(work.request, upload);
    const { body, expected } = receivedBody(work, upload.checksum?.name);
    checkSize(expected.size);
    const part = await work.buckets.putPart({ upload, number, body: body(true), expected });
    return { headers: { etag: quoted(part.etag), ...checksumHeaders(part.checksum) } };
  },
};
