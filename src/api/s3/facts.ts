import { checkWritableKey } from '../../bucket/names.ts';
import type { ObjectFacts } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import { invalidArgument, notImplemented } from './errors.ts';
import { header, type S3Request } from './request.ts';
import { tagsOfHeader } from './tags.ts';

/** Headers that are kept with an object and given back with it. */
const keptHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
] as const;

/** Bytes of names and values together (Amazon S3 user guide, "Working with object metadata"). */
const mostMetadata = 2_048;
const metaPrefix = 'x-amz-meta-';

/** That of the transfer is not one of the object. */
const contentEncoding = (value: string): string =>
  value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'aws-chunked')
    .join(',');

const headersOf = (request: S3Request): ObjectFacts['headers'] =>
  Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = header(request, name);
      const kept = name === 'content-encoding' && value !== undefined ? contentEncoding(value) : value;
      if (kept === undefined || kept === '') return [];
      checkCanBeHeader(name, kept);
      return [[name, kept]];
    }),
  );

/** As HTTP has them (RFC 9110 5.1 and 5.5): anything else could not be given back. Throws InvalidArgument. */
const checkCanBeHeader = (name: string, value: string): void => {
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name))
    throw invalidArgument(
      'The name of a metadata header has a character that no header may have.',
      'name',
      name,
    );
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw invalidArgument('A header has a character that no header may have.', name, value);
};

const metadataOf = ({ headers }: S3Request): ObjectFacts['metadata'] => {
  const metadata = [...headers]
    .filter(([name]) => name.startsWith(metaPrefix))
    .map(([name, values]) => [name.slice(metaPrefix.length), values.join(',').trim()] as const);
  for (const [name, value] of metadata) checkCanBeHeader(name, value);
  const size = metadata.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > mostMetadata)
    throw s3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      members: { Size: String(size), MaxSizeAllowed: String(mostMetadata) },
    });
  return Object.fromEntries(metadata);
};

/** What every write of an object may say, by `x-amz-` headers. */
export const writeHeaders = ['x-amz-meta-', 'x-amz-acl', 'x-amz-storage-class', 'x-amz-tagging'] as const;

const ownAcls = new Set(['private', 'bucket-owner-full-control']);

/**
 * All is owned by the one account, and stored in one way. Throws NotImplemented for anything else, also for
 * `x-amz-server-side-encryption`: the disk keeps the bytes as they are, and nobody shall believe otherwise.
 */
const checkStorage = (request: S3Request): void => {
  const acl = header(request, 'x-amz-acl');
  if (acl !== undefined && !ownAcls.has(acl)) throw notImplemented(`The ACL ${acl.slice(0, 60)}`);
  const storage = header(request, 'x-amz-storage-class');
  if (storage !== undefined && storage !== 'STANDARD')
    throw notImplemented(`The storage class ${storage.slice(0, 60)}`);
};

/**
 * What a client gives along with an object that can be kept. Throws NotImplemented, InvalidArgument, MetadataTooLarge,
 * InvalidTag, and what `checkWritableKey` does.
 */
export const writtenFacts = (request: S3Request): ObjectFacts => {
  checkStorage(request);
  checkWritableKey(request.key);
  return {
    headers: headersOf(request),
    metadata: metadataOf(request),
    tags: tagsOfHeader(header(request, 'x-amz-tagging')),
  };
};
