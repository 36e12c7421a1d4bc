import { canBe } from '../../../bucket/checksums.ts';
import type { Upload } from '../../../bucket/objects.ts';
import { bucketOf } from '../asked.ts';
import { checksumType, namedAlgorithm } from '../checksum-headers.ts';
import { invalidRequest } from '../errors.ts';
import { writeHeaders, writtenFacts } from '../facts.ts';
import type { S3Operation } from '../operation.ts';
import type { S3Request } from '../request.ts';
import { writeChecks } from '../rights.ts';
import { text, xmlDocument } from '../xml.ts';

const checksumOf = (request: S3Request): Upload['checksum'] => {
  const name = namedAlgorithm(request, 'x-amz-checksum-algorithm');
  const given = checksumType(request);
  if (name === undefined) {
    if (given === undefined) return undefined;
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const type = given ?? (name === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (!canBe(name, type))
    throw invalidRequest(`The ${type} checksum type cannot be used with the ${name} checksum algorithm.`);
  return { name, type };
};

/** CreateMultipartUpload (Amazon S3 API reference). */
export const createMultipartUpload: S3Operation = {
  name: 'CreateMultipartUpload',
  binding: { method: 'POST', level: 'object', by: 'uploads' },
  query: ['encoding-type'],
  headers: [...writeHeaders, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  readOnly: false,
  isDataEvent: true,
  checks: writeChecks,
  execute: async (work) => {
    const { request, buckets, record } = work;
    const [facts, checksum] = [writtenFacts(request), checksumOf(request)];
    await bucketOf(work);
    const { bucket, key } = request;
    const { uploadId } = await buckets.beginUpload({ bucket, key, facts, checksum, record });
    return {
      headers: { 'x-amz-checksum-algorithm': checksum?.name, 'x-amz-checksum-type': checksum?.type },
      xml: xmlDocument(
        'InitiateMultipartUploadResult',
        text('Bucket', bucket),
        text('Key', key),
        text('UploadId', uploadId),
      ),
    };
  },
};
