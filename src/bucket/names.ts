import { isIPv4 } from 'node:net';
import type { AwsError } from '../contract/errors.ts';
import { s3Error } from '../contract/s3-errors.ts';
import { longestKey, pathFault } from '../lib/file-path.ts';

/** Reserved by "General purpose bucket naming rules" (Amazon S3 user guide). */
const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'];

const isBucketName = (name: string): boolean =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
  !name.includes('..') &&
  !isIPv4(name) &&
  !reservedPrefixes.some((prefix) => name.startsWith(prefix)) &&
  !reservedSuffixes.some((suffix) => name.endsWith(suffix));

/** What a folder that people made must be called to be a bucket: as old buckets may be, with capitals and underscores. */
export const canBeBucket = (folder: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(folder) && !folder.includes('..');

/** @throws InvalidBucketName for what cannot be the name of a general purpose bucket */
export const checkBucketName = (name: string): void => {
  if (!isBucketName(name))
    throw s3Error('InvalidBucketName', 'The specified bucket is not valid.', {
      members: { BucketName: name.slice(0, 256) },
    });
};

const invalidKey = (why: string): AwsError =>
  s3Error('InvalidArgument', why, { members: { ArgumentName: 'key' } });

/** What every key is, also one that is looked for or listed. @throws KeyTooLongError, InvalidArgument */
export const checkKey = (key: string): void => {
  const size = Buffer.byteLength(key);
  if (size > longestKey)
    throw s3Error('KeyTooLongError', 'Your key is too long', {
      members: { Size: `${size}`, MaxSizeAllowed: `${longestKey}` },
    });
  if (key === '') throw invalidKey('A key must have at least one character.');
  if (!key.isWellFormed()) throw invalidKey('A key must be well-formed UTF-8.');
  if (key.includes('\0')) throw invalidKey('A key must not have a NUL in it.');
};

/** True for the key of a folder, which has no bytes; the path of the folder is without the slash. */
export const isFolderKey = (key: string): boolean => key.endsWith('/');

/** Why a key is neither the path of a file nor, with `/` at its end, of a folder; `..` would lead out of the bucket. */
export const placeFault = (key: string): string | undefined =>
  pathFault(isFolderKey(key) ? key.slice(0, -1) : key);

/**
 * A key that can be written: every object is also a file in a folder, or, with `/` at its end, a folder.
 * @throws KeyTooLongError, InvalidArgument that says why it can be neither
 */
export const checkWritableKey = (key: string): void => {
  checkKey(key);
  const fault = placeFault(key);
  if (fault !== undefined)
    throw invalidKey(`This key cannot be the path of a file, as every object here is one: ${fault}.`);
};

/** A folder has no bytes. @throws InvalidArgument */
export const checkFolderSize = (key: string, size: number): void => {
  if (isFolderKey(key) && size > 0)
    throw invalidKey('A key that ends in "/" is a folder here: it must have no bytes.');
};
