import { checkFolderSize } from '../../../bucket/names.ts';
import { bucketOf } from '../asked.ts';
import { bodyHeaders, checkSize, receivedBody } from '../body.ts';
import { writeConditions } from '../conditions.ts';
import { writeHeaders, writtenFacts } from '../facts.ts';
import type { S3Operation } from '../operation.ts';
import { writeChecks } from '../rights.ts';
import { writtenHeaders } from '../version-headers.ts';

/** PutObject (Amazon S3 API reference). */
export const putObject: S3Operation = {
  name: 'PutObject',
  binding: { method: 'PUT', level: 'object' },
  headers: [...writeHeaders, ...bodyHeaders],
  readOnly: false,
  isDataEvent: true,
  checks: writeChecks,
  execute: async (work) => {
    const { request, buckets, record } = work;
    const [facts, conditions] = [writtenFacts(request), writeConditions(request)];
    const bucket = await bucketOf(work);
    const { body, expected } = receivedBody(work);
    checkSize(expected.size);
    checkFolderSize(request.key, expected.size ?? 0);
    const place = { bucket: request.bucket, key: request.key };
    const version = await buckets.put({ ...place, body: body(true), expected, facts, conditions, record });
    return { headers: writtenHeaders(version, bucket) };
  },
};
