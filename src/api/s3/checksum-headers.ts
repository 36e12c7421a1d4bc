import { checksumNames, isChecksum } from '../../bucket/checksums.ts';
import type { Checksum, ChecksumName } from '../../bucket/objects.ts';
import { invalidArgument, invalidRequest } from './errors.ts';
import { header, type S3Request } from './request.ts';
import { text } from './xml.ts';

/** For instance `x-amz-checksum-crc32`. */
export const checksumHeader = (name: ChecksumName): string => `x-amz-checksum-${name.toLowerCase()}`;

const nameOf = (given: string, from: string): ChecksumName => {
  const found = checksumNames.find((name) => name === given.toUpperCase());
  if (!found)
    throw invalidRequest(
      `Checksum algorithm provided is unsupported. ${from} is none of ${checksumNames.join(', ')}.`,
    );
  return found;
};

/** The algorithm of a header such as `x-amz-sdk-checksum-algorithm`. Throws InvalidRequest. */
export const namedAlgorithm = (request: S3Request, name: string): ChecksumName | undefined => {
  const given = header(request, name);
  return given === undefined ? undefined : nameOf(given, name);
};

const invalidHeader = (name: string) => invalidRequest(`Value for ${name} header is invalid.`);

/** One checksum is checked, so no second one may be believed to be. */
export const severalChecksums = () =>
  invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');

const inHeaders = (request: S3Request) => {
  const found = checksumNames.flatMap((name) => {
    const value = header(request, checksumHeader(name));
    return value === undefined ? [] : [{ name, value }];
  });
  if (found.length > 1) throw severalChecksums();
  return found[0];
};

/** The algorithm of the one checksum that a request states in its headers. Throws InvalidRequest when there are two. */
export const statedAlgorithm = (request: S3Request): ChecksumName | undefined => inHeaders(request)?.name;

/**
 * The one checksum that a request states in its headers; that of an object of parts may end in their number. Throws
 * InvalidRequest when there are two, and when it cannot be one.
 */
export const statedChecksum = (request: S3Request, of?: 'ofParts') => {
  const stated = inHeaders(request);
  if (stated === undefined) return undefined;
  const { name, value } = stated;
  if (!isChecksum(name, of === 'ofParts' ? value.replace(/-\d{1,5}$/, '') : value))
    throw invalidHeader(checksumHeader(name));
  return stated;
};

/** The algorithm whose checksum comes in a trailer. Throws InvalidRequest, InvalidArgument. */
export const trailerAlgorithm = (request: S3Request): ChecksumName | undefined => {
  const trailer = header(request, 'x-amz-trailer');
  if (trailer === undefined) return undefined;
  const [, given] = /^x-amz-checksum-([a-z0-9]+)$/i.exec(trailer) ?? [];
  if (given === undefined)
    throw invalidArgument(
      'The value specified in the x-amz-trailer header is not supported',
      'x-amz-trailer',
      trailer,
    );
  return nameOf(given, 'x-amz-trailer');
};

/** `x-amz-checksum-type` of an upload in parts. Throws InvalidRequest. */
export const checksumType = (request: S3Request): Checksum['type'] | undefined => {
  const type = header(request, 'x-amz-checksum-type')?.toUpperCase();
  if (type === undefined || type === 'FULL_OBJECT' || type === 'COMPOSITE') return type;
  throw invalidHeader('x-amz-checksum-type');
};

/** A checksum as an answer has it in its headers. */
export const checksumHeaders = (
  checksum: (Omit<Checksum, 'type'> & { readonly type?: Checksum['type'] }) | undefined,
): Readonly<Record<string, string | undefined>> =>
  checksum === undefined
    ? {}
    : { [checksumHeader(checksum.name)]: checksum.value, 'x-amz-checksum-type': checksum.type };

/** The same in XML, for instance `ChecksumCRC32`. */
export const checksumElements = (
  checksum: (Omit<Checksum, 'type'> & { readonly type?: Checksum['type'] }) | undefined,
): string =>
  checksum === undefined
    ? ''
    : text(`Checksum${checksum.name}`, checksum.value) + text('ChecksumType', checksum.type);
