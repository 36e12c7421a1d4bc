import { readTagging } from '../../../bucket/read-tagging.ts';
import { bucketOf } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import type { S3Operation, Work } from '../operation.ts';
import { checkIsPossible, decide, foundVersion, onExisting, refusal } from '../rights.ts';
import { requestTags, type Tags } from '../tags.ts';
import { checkIsNoMarker, versionIdHeader } from '../version-headers.ts';

/** The tags are in the body, which is read when the call is allowed without them; policies may speak of them as well. */
const checkAgain = async (work: Work, tags: Tags): Promise<void> => {
  const check = await onExisting(work, 'PutObjectTagging', requestTags(tags));
  const decision = await decide(work, check);
  if (!decision.allowed) throw refusal(work, check, decision);
};

/** PutObjectTagging (Amazon S3 API reference). */
export const putObjectTagging: S3Operation = {
  name: 'PutObjectTagging',
  binding: { method: 'PUT', level: 'object', by: 'tagging' },
  query: ['versionId'],
  headers: bodyHeaders,
  readOnly: false,
  isDataEvent: true,
  checks: () => [],
  execute: async (work) => {
    const { bucket, key, query } = work.request;
    await checkIsPossible(work, [await onExisting(work, 'PutObjectTagging')]);
    const tags = await readTagging(await readSmallBody(work));
    await checkAgain(work, tags);
    const version = await foundVersion(work, bucket, key, query.get('versionId'));
    checkIsNoMarker(version, query.get('versionId'));
    await work.buckets.setTags(version, tags, work.record);
    return { headers: versionIdHeader(await bucketOf(work), version.versionId) };
  },
};
