import { onObject } from '../asked.ts';
import { checkSize } from '../body.ts';
import { copyAnswer, copyContext, copyHeaders, foundSource, sourceCheck } from '../copy-source.ts';
import type { S3Operation } from '../operation.ts';
import { copyRangeOf } from '../range.ts';
import { partNumberOf, uploadOf } from '../uploads.ts';

/** UploadPartCopy (Amazon S3 API reference). */
export const uploadPartCopy: S3Operation = {
  name: 'UploadPartCopy',
  binding: { method: 'PUT', level: 'object', by: 'uploadId', copies: true },
  query: ['partNumber'],
  headers: [...copyHeaders, 'x-amz-copy-source-range'],
  recorded: ['x-amz-copy-source'],
  readOnly: false,
  isDataEvent: true,
  checks: async (asked) => [
    onObject(asked, 's3:PutObject', copyContext(asked)),
    await sourceCheck(asked, 'GetObject'),
  ],
  execute: async (work) => {
    const { request, buckets } = work;
    const number = partNumberOf(request);
    const upload = await uploadOf(work);
    const source = await foundSource(work);
    const range = copyRangeOf(request, source);
    const size = range ? range.last - range.first + 1 : source.size;
    checkSize(size);
    const expected = {
      ...{ size, sha256: undefined, md5: undefined },
      checksum: () => undefined,
      keep: upload.checksum?.name ?? 'CRC64NVME',
    } as const;
    const part = await buckets.putPart({ upload, number, body: await buckets.read(source, range), expected });
    return copyAnswer(work, 'CopyPartResult', source, part);
  },
};
