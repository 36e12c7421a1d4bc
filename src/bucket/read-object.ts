import type { Readable } from 'node:stream';
import { noSuchKey, noSuchVersion } from '../contract/s3-errors.ts';
import { type BucketContext, lockOf } from './context.ts';
import { settleKey } from './hand-edits.ts';
import { needBucket } from './need-bucket.ts';
import type { ByteRange, ObjectVersion } from './objects.ts';
import type { VersionRow } from './table.ts';

/** The version that is asked for, else the latest; a marker is given, too. @throws NoSuchBucket, NoSuchKey, NoSuchVersion */
export const findVersion = async (
  c: BucketContext,
  name: string,
  key: string,
  versionId: string | undefined,
): Promise<VersionRow> => {
  const bucket = await needBucket(c, name);
  const { latest } = await c.locks.run(lockOf(name, key), () => settleKey(c, bucket, key));
  const row = versionId === undefined ? latest : await c.table.version(name, key, versionId);
  if (row !== undefined) return row;
  throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
};

/** The bytes of exactly that version. @throws NoSuchVersion when they are gone, or somebody has written into them */
export const readVersion = async (
  c: BucketContext,
  { bucket, key, versionId, size }: ObjectVersion,
  range?: ByteRange,
): Promise<Readable> => {
  const row = await c.table.version(bucket, key, versionId);
  const { file, fileStamp: stamp } = row ?? {};
  const handle =
    file === undefined || stamp === undefined ? undefined : await c.files.open(bucket, { file, stamp });
  if (handle === undefined) throw noSuchVersion(key, versionId);
  const { first, last } = range ?? { first: 0, last: size - 1 };
  // the end of a stream is included: of nothing at all one byte is asked for
  return handle.createReadStream({ start: first, end: Math.max(last, 0) });
};
