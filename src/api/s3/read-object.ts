import type { Bucket, ByteRange, ObjectVersion } from '../../bucket/objects.ts';
import { preconditionFailed } from '../../contract/s3-errors.ts';
import { type Asked, bucketOf } from './asked.ts';
import { readConditions, readOutcome } from './conditions.ts';
import { invalidArgument } from './errors.ts';
import type { S3Answer, Work } from './operation.ts';
import { askedPart, partRangeOf } from './part-range.ts';
import { rangeOf } from './range.ts';
import type { S3Request } from './request.ts';
import { foundVersion, onExisting } from './rights.ts';
import {
  type AnswerHeaders,
  askedChecksum,
  checkIsNoMarker,
  validators,
  versionHeaders,
} from './version-headers.ts';

/** Parameters by which a reader chooses headers of the answer. */
const overrides = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
] as const;

/** What GetObject and HeadObject have in common: who may get an object may ask for its headers. */
export const objectRead = {
  query: ['versionId', 'partNumber', ...overrides.map((name) => `response-${name}`)],
  headers: ['x-amz-checksum-mode'],
  ...{ readOnly: true, isDataEvent: true },
  checks: async (asked: Asked) => [await onExisting(asked, 'GetObject')],
};

const overridden = ({ query }: S3Request): AnswerHeaders =>
  Object.fromEntries(
    overrides.flatMap((name) => {
      const value = query.get(`response-${name}`);
      if (value === undefined) return [];
      if (!/^[\t\x20-\x7e]*$/.test(value))
        throw invalidArgument('A header has printable characters only.', `response-${name}`, value);
      return [[name, value]];
    }),
  );

/** A version that is to be sent, and how much of it; or the answer that it is not. */
type Read =
  | {
      readonly version: ObjectVersion;
      readonly range: ByteRange | undefined;
      readonly status: 200 | 206;
      readonly headers: AnswerHeaders;
    }
  | { readonly answer: S3Answer };

const headersOf = (
  request: S3Request,
  version: ObjectVersion,
  bucket: Bucket,
  range: ByteRange | undefined,
) => ({
  ...versionHeaders(version, bucket),
  ...overridden(request),
  ...(range ? {} : askedChecksum(request, version)),
  'content-length': String(range ? range.last - range.first + 1 : version.size),
  'content-range': range && `bytes ${range.first}-${range.last}/${version.size}`,
});

/** The version that is asked for, as it is told of. Throws PreconditionFailed, those of ranges, and what `foundVersion` does. */
export const readObject = async (work: Work): Promise<Read> => {
  const { request } = work;
  const number = askedPart(request);
  const versionId = request.query.get('versionId');
  const version = await foundVersion(work, request.bucket, request.key, versionId);
  checkIsNoMarker(version, versionId);
  const bucket = await bucketOf(work);
  const outcome = readOutcome(readConditions(request), version);
  if (outcome === 'not-modified') return { answer: { status: 304, headers: validators(version, bucket) } };
  if (outcome !== 'send') throw preconditionFailed(outcome);
  const part = number === undefined ? undefined : partRangeOf(number, version);
  const range = part ? part.range : rangeOf(request, version);
  const headers = {
    ...headersOf(request, version, bucket, range),
    'x-amz-mp-parts-count': part?.count === undefined ? undefined : String(part.count),
  };
  return { version, range, status: range ? 206 : 200, headers };
};
