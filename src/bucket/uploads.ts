import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { noSuchUpload, s3Error } from '../contract/s3-errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomId } from '../lib/ids.ts';
import { compositeChecksum, fullObjectChecksum } from './checksums.ts';
import type { BucketContext } from './context.ts';
import { checkFolderSize, checkWritableKey } from './names.ts';
import { needBucket } from './need-bucket.ts';
import type { Buckets, Checksum, NamedPart, ObjectVersion, Part, Recorder, Upload } from './objects.ts';
import { place, removeRefused, writeBody } from './put-object.ts';
import type { PartRow } from './table.ts';

/** Bytes that every part but the last has at least, and the most of an object; and how many parts there are at most. */
const limits = { leastPart: 5 * 1024 ** 2, object: 5 * 1024 ** 3, parts: 10_000 } as const;

/** Their order is that in which they were begun, as ListMultipartUploads (Amazon S3 API reference) tells them. */
const newUploadId = (now: number): string => now.toString(36).padStart(9, '0') + randomId(55);

export const beginUpload = async (
  c: BucketContext,
  { record, ...o }: Parameters<Buckets['beginUpload']>[0],
): Promise<Upload> => {
  await needBucket(c, o.bucket);
  checkWritableKey(o.key);
  const upload: Upload = { ...o, uploadId: newUploadId(c.now()), initiatedAt: c.now() };
  await c.table.inTransaction(async (tx) => {
    await c.table.insertUpload(upload, tx);
    await record(tx, { versionId: undefined });
    failpoint('upload:before-commit');
  });
  failpoint('upload:after-commit');
  return upload;
};

/** One that is over is given, too: it may be completed once more. @throws NoSuchUpload */
export const findUpload = async (
  c: BucketContext,
  bucket: string,
  key: string,
  uploadId: string,
): Promise<Upload & { readonly completed: string | undefined }> => {
  await needBucket(c, bucket);
  const upload = await c.table.upload(uploadId);
  if (upload?.bucket !== bucket || upload.key !== key) throw noSuchUpload(uploadId);
  return upload;
};

export const putPart = async (c: BucketContext, o: Parameters<Buckets['putPart']>[0]): Promise<Part> => {
  const { bucket, uploadId } = o.upload;
  if (o.number < 1 || o.number > limits.parts)
    throw s3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
  const { result, file } = await c.files.keep(bucket, (path) => writeBody(o.body, o.expected, path));
  const { size, md5, checksum } = result;
  const part: PartRow = { number: o.number, size, etag: md5, checksum, lastModified: c.now(), file };
  try {
    failpoint('part:kept');
    await c.locks.run(lockOfUpload(uploadId), async () => {
      const replaced = await c.table.putPart(uploadId, part);
      failpoint('part:written-down');
      await c.files.remove(bucket, [replaced]);
    });
    return part;
  } catch (error) {
    await removeRefused(c, bucket, file, error);
    throw error;
  }
};

/** Parts are put, joined and removed one after the other. */
const lockOfUpload = (uploadId: string): string => `upload ${uploadId}`;

const invalidPart = () =>
  s3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  );

const isSame = (named: NamedPart, part: PartRow | undefined): part is PartRow =>
  part !== undefined &&
  part.etag === named.etag &&
  (named.checksum === undefined ||
    (named.checksum.name === part.checksum?.name && named.checksum.value === part.checksum.value));

const sizeOf = (parts: readonly PartRow[]): number => parts.reduce((sum, { size }) => sum + size, 0);

/** The parts that are named, in their order. @throws InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge */
const chosenParts = (named: readonly NamedPart[], there: readonly PartRow[]): readonly PartRow[] => {
  const byNumber = new Map(there.map((part) => [part.number, part]));
  const chosen = named.map((one, at) => {
    if (at > 0 && one.number <= (named[at - 1]?.number ?? 0))
      throw s3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    const part = byNumber.get(one.number);
    if (!isSame(one, part)) throw invalidPart();
    return part;
  });
  if (chosen.length === 0) throw invalidPart();
  if (chosen.slice(0, -1).some(({ size }) => size < limits.leastPart))
    throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  if (sizeOf(chosen) > limits.object)
    throw s3Error(
      'EntityTooLarge',
      `Your proposed upload exceeds the maximum allowed size of ${limits.object} bytes.`,
    );
  return chosen;
};

const join = async (
  c: BucketContext,
  bucket: string,
  parts: readonly PartRow[],
  to: string,
): Promise<void> => {
  for (const [at, { file }] of parts.entries())
    await pipeline(
      createReadStream(c.files.path(bucket, file)),
      createWriteStream(to, { flags: at === 0 ? 'wx' : 'a', mode: 0o644 }),
    );
  failpoint('upload:joined');
  const handle = await open(to, 'r');
  await handle.sync().finally(() => handle.close());
};

/** "Checking object integrity", Amazon S3 user guide: the MD5 of the parts' MD5s, and how many there are. */
const etagOf = (parts: readonly PartRow[]): string => {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
};

const checksumOf = async (
  { checksum: wanted }: Upload,
  parts: readonly PartRow[],
): Promise<Checksum | undefined> => {
  const known = parts.flatMap(({ checksum, size }) => (checksum ? [{ ...checksum, size }] : []));
  const name = wanted?.name ?? 'CRC64NVME';
  if (known.length !== parts.length || known.some((one) => one.name !== name)) return undefined;
  if (wanted?.type === 'COMPOSITE') {
    const values = known.map(({ value }) => value);
    return { name, type: 'COMPOSITE', value: compositeChecksum(name, values) };
  }
  const value = await fullObjectChecksum(name, known);
  return value === undefined ? undefined : { name, type: 'FULL_OBJECT', value };
};

/** `x-amz-mp-object-size`. @throws InvalidRequest */
const checkTotal = (stated: number | undefined, size: number): void => {
  if (stated === undefined || stated === size) return;
  throw s3Error(
    'InvalidRequest',
    `The provided 'x-amz-mp-object-size' header value ${stated} does not match what was computed: ${size}`,
  );
};

/** The checksum of the whole object that the client states. @throws BadDigest */
const checkWhole = (stated: Omit<Checksum, 'type'> | undefined, computed: Checksum | undefined): void => {
  if (stated === undefined) return;
  if (stated.name === computed?.name && stated.value === computed.value) return;
  throw s3Error('BadDigest', `The ${stated.name} you specified did not match the calculated checksum.`);
};

const completedVersion = async (
  c: BucketContext,
  { bucket, key, uploadId }: Upload,
): Promise<ObjectVersion | undefined> => {
  const completed = (await c.table.upload(uploadId))?.completed;
  return completed === undefined ? undefined : c.table.version(bucket, key, completed);
};

export const completeUpload = async (
  c: BucketContext,
  o: Parameters<Buckets['complete']>[0],
): Promise<ObjectVersion> => {
  const { upload } = o;
  const { bucket, uploadId } = upload;
  return c.locks.run(lockOfUpload(uploadId), async () => {
    const before = await completedVersion(c, upload);
    if (before !== undefined) return before;
    const parts = chosenParts(o.parts, await c.table.parts(uploadId, 0, limits.parts));
    checkFolderSize(upload.key, sizeOf(parts));
    checkTotal(o.size, sizeOf(parts));
    const checksum = await checksumOf(upload, parts);
    checkWhole(o.checksum, checksum);
    const { result: _, ...stored } = await c.files.keep(bucket, (to) => join(c, bucket, parts, to));
    let ofParts: readonly string[] = [];
    const record: Recorder = async (tx, change) => {
      ofParts = await c.table.completeUpload(uploadId, change.versionId ?? '', tx);
      await o.record(tx, change);
    };
    const size = sizeOf(parts);
    const partSizes = parts.map((part) => part.size);
    const about = { size, etag: etagOf(parts), checksum, partSizes };
    const version = await place(c, { ...upload, conditions: o.conditions, record, ...about }, stored);
    failpoint('upload:completed');
    await c.files.remove(bucket, ofParts);
    return version;
  });
};

export const abortUpload = async (c: BucketContext, upload: Upload, record: Recorder): Promise<void> => {
  await c.locks.run(lockOfUpload(upload.uploadId), async () => {
    const ofParts = await c.table.inTransaction(async (tx) => {
      const files = await c.table.deleteUpload(upload.uploadId, tx);
      await record(tx, { versionId: undefined });
      failpoint('abort:before-commit');
      return files;
    });
    failpoint('abort:after-commit');
    await c.files.remove(upload.bucket, ofParts);
  });
};
