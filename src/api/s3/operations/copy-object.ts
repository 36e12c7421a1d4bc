import { checkFolderSize } from '../../../bucket/names.ts';
import type { ObjectFacts, ObjectVersion } from '../../../bucket/objects.ts';
import { type Asked, bucketOf, isMissing, onObject } from '../asked.ts';
import { checkSize } from '../body.ts';
import { namedAlgorithm } from '../checksum-headers.ts';
import { writeConditions } from '../conditions.ts';
import {
  copyAnswer,
  copyContext,
  copyHeaders,
  copySourceOf,
  foundSource,
  sourceCheck,
} from '../copy-source.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import { writeHeaders, writtenFacts } from '../facts.ts';
import type { S3Operation, Work } from '../operation.ts';
import { header, type S3Request } from '../request.ts';
import { writeChecks } from '../rights.ts';
import { requestTags } from '../tags.ts';
import { writtenVersionId } from '../version-headers.ts';

const isReplaced = (request: S3Request, name: string): boolean => {
  const value = header(request, name) ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value === 'REPLACE';
  throw invalidArgument('Unknown directive.', name, value);
};

/** Whether tags go from the source to the copy. */
const copiedTags = async (asked: Asked): Promise<ObjectFacts['tags']> => {
  if (isReplaced(asked.request, 'x-amz-tagging-directive')) return [];
  const { bucket, key, versionId } = copySourceOf(asked.request);
  try {
    return (await asked.version(bucket, key, versionId)).tags;
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
};

const factsOfCopy = (request: S3Request, given: ObjectFacts, source: ObjectVersion): ObjectFacts => {
  const facts = isReplaced(request, 'x-amz-metadata-directive') ? given : source;
  const { tags } = isReplaced(request, 'x-amz-tagging-directive') ? given : source;
  return { headers: facts.headers, metadata: facts.metadata, tags };
};

const checkIsChange = ({ request }: Work, source: ObjectVersion): void => {
  const isSame = source.bucket === request.bucket && source.key === request.key && source.isLatest;
  if (!isSame || isReplaced(request, 'x-amz-metadata-directive')) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
};

const checksOf: S3Operation['checks'] = async (asked) => {
  const tags = await copiedTags(asked);
  const context = copyContext(asked);
  return [
    ...writeChecks(asked, { ...requestTags(tags), ...context }),
    await sourceCheck(asked, 'GetObject'),
    ...(tags.length === 0
      ? []
      : [
          await sourceCheck(asked, 'GetObjectTagging'),
          onObject(asked, 's3:PutObjectTagging', { ...requestTags(tags), ...context }),
        ]),
  ];
};

/** CopyObject (Amazon S3 API reference). */
export const copyObject: S3Operation = {
  name: 'CopyObject',
  binding: { method: 'PUT', level: 'object', copies: true },
  headers: [
    ...writeHeaders,
    ...copyHeaders,
    ...['x-amz-metadata-directive', 'x-amz-tagging-directive', 'x-amz-checksum-algorithm'],
  ],
  recorded: ['x-amz-copy-source'],
  readOnly: false,
  isDataEvent: true,
  checks: checksOf,
  execute: async (work) => {
    const { request, buckets, record } = work;
    const [given, conditions] = [writtenFacts(request), writeConditions(request)];
    const keep = namedAlgorithm(request, 'x-amz-checksum-algorithm');
    const bucket = await bucketOf(work);
    const source = await foundSource(work);
    checkIsChange(work, source);
    checkSize(source.size);
    checkFolderSize(request.key, source.size);
    const facts = factsOfCopy(request, given, source);
    const place = { bucket: request.bucket, key: request.key };
    const version = await buckets.copy({ from: source, ...place, facts, conditions, keep, record });
    const { headers, xml } = await copyAnswer(work, 'CopyObjectResult', source, version);
    return { headers: { ...headers, ...writtenVersionId(bucket, version.versionId) }, xml };
  },
};
