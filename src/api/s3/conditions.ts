import type { ObjectVersion, WriteConditions } from '../../bucket/objects.ts';
import { preconditionFailed } from '../../contract/s3-errors.ts';
import { invalidArgument, notImplemented } from './errors.ts';
import { header, type S3Request } from './request.ts';

/** The four conditions of a read, as their headers have them. */
export interface ReadConditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

type Request = Pick<S3Request, 'headers'>;

/** Those of a read; of the source of a copy with `x-amz-copy-source-` before them. */
export const readConditions = (request: Request, prefix = ''): ReadConditions => ({
  ifMatch: header(request, `${prefix}if-match`),
  ifNoneMatch: header(request, `${prefix}if-none-match`),
  ifModifiedSince: header(request, `${prefix}if-modified-since`),
  ifUnmodifiedSince: header(request, `${prefix}if-unmodified-since`),
});

const unquoted = (etag: string): string => etag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1');

const names = (list: string, etag: string): boolean =>
  list.split(',').some((one) => one.trim() === '*' || unquoted(one) === etag);

const dateForms = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * Whole seconds of a date in one of the three forms of HTTP (RFC 9110 5.6.7); undefined for anything else, which servers
 * ignore (RFC 9110 13.1.3).
 */
export const httpSeconds = (date: string | undefined): number | undefined => {
  if (date === undefined || !dateForms.some((form) => form.test(date))) return undefined;
  // the oldest form does not say that it is in UTC
  const time = Date.parse(date.endsWith('GMT') ? date : `${date} GMT`);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
};

const isChangedSince = ({ lastModified }: ObjectVersion, date: string | undefined): boolean | undefined => {
  const since = httpSeconds(date);
  return since === undefined ? undefined : Math.floor(lastModified / 1000) > since;
};

/**
 * Whether the version is to be sent: `not-modified`, or the condition that failed. An ETag goes before a date
 * (RFC 9110 13.2.2; GetObject, Amazon S3 API reference).
 */
export const readOutcome = (
  c: ReadConditions,
  version: ObjectVersion,
): 'send' | 'not-modified' | 'If-Match' | 'If-Unmodified-Since' => {
  if (c.ifMatch !== undefined) {
    if (!names(c.ifMatch, version.etag)) return 'If-Match';
  } else if (isChangedSince(version, c.ifUnmodifiedSince)) return 'If-Unmodified-Since';
  if (c.ifNoneMatch !== undefined) return names(c.ifNoneMatch, version.etag) ? 'not-modified' : 'send';
  return isChangedSince(version, c.ifModifiedSince) === false ? 'not-modified' : 'send';
};

/** Throws PreconditionFailed unless the source of a copy is what the request says. */
export const checkCopyConditions = (request: Request, source: ObjectVersion): void => {
  const outcome = readOutcome(readConditions(request, 'x-amz-copy-source-'), source);
  if (outcome === 'send') return;
  const condition = outcome === 'not-modified' ? 'If-None-Match' : outcome;
  throw preconditionFailed(`x-amz-copy-source-${condition}`);
};

/** The condition of a delete is one on the latest version (Amazon S3 user guide, "How to perform conditional deletes"). */
export const checkDeleteCondition = (versionId: string | undefined, ifMatch: string | undefined): void => {
  if (versionId !== undefined && ifMatch !== undefined)
    throw notImplemented('An ETag as the condition of a delete of one version');
};

/** `If-Match` and `If-None-Match` of a write. Throws NotImplemented, InvalidArgument. */
export const writeConditions = (request: Request): WriteConditions => {
  const [ifMatch, ifNoneMatch] = [header(request, 'if-match'), header(request, 'if-none-match')];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw notImplemented('If-None-Match of a write with anything but *');
  if (ifMatch?.includes(','))
    throw invalidArgument('If-Match of a write takes one ETag.', 'If-Match', ifMatch);
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: unquoted(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
};
