import type { ByteRange, ObjectVersion } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import { invalidRequest } from './errors.ts';
import { header, type S3Request } from './request.ts';
import { partNumberOf } from './uploads.ts';

const unsatisfiable = (number: number, count: number) =>
  s3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
    members: { PartNumberRequested: String(number), ActualPartCount: String(count) },
  });

/** The part that a read asks for. Throws InvalidArgument, and InvalidRequest beside a range. */
export const askedPart = (request: S3Request): number | undefined => {
  if (!request.query.has('partNumber')) return undefined;
  const number = partNumberOf(request);
  if (header(request, 'range') === undefined) return number;
  throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
};

/**
 * The bytes of a part, and how many parts there are. An object that was put at once is its own only part, and an empty
 * one has no bytes to tell of (GetObject, Amazon S3 API reference). Throws InvalidPartNumber.
 */
export const partRangeOf = (
  number: number,
  { size, partSizes }: ObjectVersion,
): { readonly range: ByteRange | undefined; readonly count: number | undefined } => {
  const sizes = partSizes ?? [size];
  const own = sizes[number - 1];
  if (own === undefined) throw unsatisfiable(number, sizes.length);
  const first = sizes.slice(0, number - 1).reduce((sum, one) => sum + one, 0);
  return { range: own === 0 ? undefined : { first, last: first + own - 1 }, count: partSizes?.length };
};
