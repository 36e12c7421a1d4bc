import type { ByteRange, ObjectVersion } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import { httpSeconds } from './conditions.ts';
import { invalidArgument } from './errors.ts';
import { header, type S3Request } from './request.ts';

const unsatisfiable = (range: string, size: number) =>
  s3Error('InvalidRange', 'The requested range is not satisfiable', {
    members: { RangeRequested: range.slice(0, 100), ActualObjectSize: String(size) },
  });

const within = (first: string, last: string, size: number): ByteRange | undefined => {
  if (first === '') {
    const length = Math.min(Number(last), size);
    return Number(last) === 0 ? undefined : { first: size - length, last: size - 1 };
  }
  const range = { first: Number(first), last: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
  return range.first < size ? range : undefined;
};

/** A range is for a certain version of the object only where `If-Range` says so (RFC 9110 13.1.5). */
const isStillMeant = (request: Pick<S3Request, 'headers'>, version: ObjectVersion): boolean => {
  const ifRange = header(request, 'if-range');
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === `"${version.etag}"`;
  return httpSeconds(ifRange) === Math.floor(version.lastModified / 1000);
};

/**
 * The bytes that a read asks for; undefined for all of them, also where the header is no range that can be read, or more
 * than one: S3 sends no parts (GetObject, Amazon S3 API reference; RFC 9110 14.2). Throws InvalidRange.
 */
export const rangeOf = (
  request: Pick<S3Request, 'headers'>,
  version: ObjectVersion,
): ByteRange | undefined => {
  const range = header(request, 'range');
  if (range === undefined || !isStillMeant(request, version)) return undefined;
  const [, first = '', last = ''] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(range) ?? [];
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const found = within(first, last, version.size);
  if (!found) throw unsatisfiable(range, version.size);
  // the last bytes of nothing are all of it
  return version.size === 0 ? undefined : found;
};

/** `x-amz-copy-source-range`, which must have both ends within the source. Throws InvalidArgument. */
export const copyRangeOf = (
  request: Pick<S3Request, 'headers'>,
  source: ObjectVersion,
): ByteRange | undefined => {
  const name = 'x-amz-copy-source-range';
  const text = header(request, name);
  if (text === undefined) return undefined;
  const [, first, last] = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (first === undefined || range.last < range.first)
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      name,
      text,
    );
  if (range.last >= source.size)
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${source.size}`,
      name,
      text,
    );
  return range;
};
