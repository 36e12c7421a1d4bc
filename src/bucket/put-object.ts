import { type FileHandle, open } from 'node:fs/promises';
import { AwsError } from '../contract/errors.ts';
import { preconditionFailed, s3Error } from '../contract/s3-errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { inItsPlace } from './check-place.ts';
import { commitVersion } from './commit-version.ts';
import { type BucketContext, lockOf } from './context.ts';
import { settleKey } from './hand-edits.ts';
import { type MeasuredBody, measureBody } from './measured-body.ts';
import { checkFolderSize, checkWritableKey } from './names.ts';
import { needBucket } from './need-bucket.ts';
import type { CopyRequest, ExpectedBytes, ObjectVersion, PutRequest, WriteConditions } from './objects.ts';
import { readVersion } from './read-object.ts';
import type { StoredFile } from './store-files.ts';
import type { VersionRow } from './table.ts';
import { newVersionId } from './version-ids.ts';

const writeAll = async (handle: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
};

/** Writes a body aside, measured, and puts it onto the disk. */
export const writeBody = async (
  body: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
  file: string,
): Promise<MeasuredBody> => {
  const handle = await open(file, 'wx', 0o644);
  try {
    const measured = await measureBody(body, expected, (bytes) => writeAll(handle, bytes));
    failpoint('body:written');
    await handle.sync();
    return measured;
  } finally {
    await handle.close();
  }
};

/** @throws PreconditionFailed, NoSuchKey (Amazon S3 user guide, "Conditional writes") */
export const checkConditions = (
  { ifMatch, ifNoneMatch }: WriteConditions,
  latest: VersionRow | undefined,
  key: string,
): void => {
  const there = latest?.isMarker ? undefined : latest;
  if (ifNoneMatch !== undefined && there !== undefined) throw preconditionFailed('If-None-Match');
  if (ifMatch === undefined) return;
  if (there === undefined)
    throw s3Error('NoSuchKey', 'The specified key does not exist.', { members: { Key: key } });
  if (ifMatch !== '*' && ifMatch !== there.etag) throw preconditionFailed('If-Match');
};

/** Makes what was kept the latest version of its key; what cannot be is removed again. */
export const place = async (
  c: BucketContext,
  o: Pick<PutRequest, 'bucket' | 'key' | 'facts' | 'conditions' | 'record'> &
    Pick<ObjectVersion, 'size' | 'etag' | 'checksum' | 'partSizes'>,
  stored: StoredFile,
): Promise<VersionRow> => {
  const { bucket: name, key, facts, conditions, record, size, etag, checksum, partSizes } = o;
  try {
    return await c.locks.run(lockOf(name, key), async () => {
      const bucket = await needBucket(c, name);
      const { latest, settled } = await settleKey(c, bucket, key);
      checkConditions(conditions, latest, key);
      return await inItsPlace(c, { bucket: name, key }, async () => {
        const row: VersionRow = {
          ...{ bucket: name, key, versionId: newVersionId(bucket.versioning), isLatest: true },
          ...{ isMarker: false, size, etag, checksum, partSizes, ...facts, lastModified: c.now() },
          ...{ file: stored.file, fileStamp: stored.stamp, seen: undefined },
        };
        await commitVersion(c, row, record, { settled });
        return row;
      });
    });
  } catch (error) {
    await removeRefused(c, name, stored.file, error);
    throw error;
  }
};

/**
 * The bytes of what was refused go. After any other error the transaction may be kept all the same, even later, when the answer
 * did not come in time: then they stay, and the next start knows.
 */
export const removeRefused = async (
  c: BucketContext,
  bucket: string,
  file: string,
  error: unknown,
): Promise<void> => {
  if (error instanceof AwsError) await c.files.remove(bucket, [file]);
};

export const putObject = async (c: BucketContext, o: PutRequest): Promise<ObjectVersion> => {
  await needBucket(c, o.bucket);
  checkWritableKey(o.key);
  const { result, ...stored } = await c.files.keep(o.bucket, async (file) => {
    const measured = await writeBody(o.body, o.expected, file);
    checkFolderSize(o.key, measured.size);
    return measured;
  });
  const { size, md5, checksum } = result;
  return place(
    c,
    { ...o, size, etag: md5, checksum: { ...checksum, type: 'FULL_OBJECT' }, partSizes: undefined },
    stored,
  );
};

export const copyObject = async (c: BucketContext, o: CopyRequest): Promise<ObjectVersion> => {
  await needBucket(c, o.bucket);
  checkWritableKey(o.key);
  checkFolderSize(o.key, o.from.size);
  const body = await readVersion(c, o.from);
  const expected: ExpectedBytes = {
    ...{ size: o.from.size, sha256: undefined, md5: undefined, checksum: () => undefined },
    keep: o.keep ?? o.from.checksum?.name ?? 'CRC64NVME',
  };
  const { result, ...stored } = await c.files.keep(o.bucket, (file) => writeBody(body, expected, file));
  const { size, md5, checksum } = result;
  return place(
    c,
    { ...o, size, etag: md5, checksum: { ...checksum, type: 'FULL_OBJECT' }, partSizes: undefined },
    stored,
  );
};
