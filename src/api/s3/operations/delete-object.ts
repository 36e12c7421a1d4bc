import { bucketOf, onObject } from '../asked.ts';
import { checkDeleteCondition, writeConditions } from '../conditions.ts';
import type { S3Operation } from '../operation.ts';
import { header } from '../request.ts';
import { deleteCheck } from '../rights.ts';
import { versionIdHeader } from '../version-headers.ts';

/** DeleteObject (Amazon S3 API reference); what is not there is deleted already. */
export const deleteObject: S3Operation = {
  name: 'DeleteObject',
  binding: { method: 'DELETE', level: 'object' },
  query: ['versionId'],
  // nothing is locked here, so nothing is bypassed
  headers: ['x-amz-bypass-governance-retention'],
  readOnly: false,
  isDataEvent: true,
  checks: (asked) => {
    const ifMatch = header(asked.request, 'if-match');
    return [
      deleteCheck(asked, asked.request.query.get('versionId'), ifMatch),
      ...(ifMatch === undefined ? [] : [onObject(asked, 's3:GetObject')]),
    ];
  },
  execute: async (work) => {
    const { request, buckets, record } = work;
    const { ifMatch } = writeConditions(request);
    const versionId = request.query.get('versionId');
    checkDeleteCondition(versionId, ifMatch);
    const bucket = await bucketOf(work);
    const deleted = await buckets.delete({
      ...{ bucket: request.bucket, key: request.key, versionId, record },
      ...(ifMatch === undefined ? {} : { ifMatch }),
    });
    const headers = {
      ...versionIdHeader(bucket, deleted.versionId),
      'x-amz-delete-marker': deleted.isMarker ? 'true' : undefined,
    };
    return { status: 204, headers };
  },
};
