import { onObject } from '../asked.ts';
import type { S3Operation } from '../operation.ts';
import { uploadOf } from '../uploads.ts';

/** AbortMultipartUpload (Amazon S3 API reference). */
export const abortMultipartUpload: S3Operation = {
  name: 'AbortMultipartUpload',
  binding: { method: 'DELETE', level: 'object', by: 'uploadId' },
  readOnly: false,
  isDataEvent: true,
  checks: (asked) => [onObject(asked, 's3:AbortMultipartUpload')],
  execute: async (work) => {
    await work.buckets.abort(await uploadOf(work), work.record);
    return { status: 204 };
  },
};
