import { failpoint } from '../lib/failpoint.ts';
import { RootGone } from '../lib/open-folder.ts';
import { checkNotFollowed, folderGone } from './check-place.ts';
import { commitVersion } from './commit-version.ts';
import { type BucketContext, lockOf } from './context.ts';
import { markerFor, type SettledKey, settleKey } from './hand-edits.ts';
import { needBucket } from './need-bucket.ts';
import type { Bucket, Buckets, Recorder } from './objects.ts';
import { checkConditions } from './put-object.ts';
import type { Settled } from './seen-file.ts';
import { showLatest } from './show-latest.ts';
import type { VersionRow } from './table.ts';
import { newVersionId } from './version-ids.ts';

type Deletion = Parameters<Buckets['delete']>[0];
type Deleted = Awaited<ReturnType<Buckets['delete']>>;

/** What a crash leaves from here on is shown by the next start. */
const hideFirst = async (c: BucketContext, row: VersionRow, settled: Settled): Promise<void> => {
  await c.seen.forget(row);
  failpoint('delete:forgotten');
  if (row.isMarker) return;
  const visible = c.visible(row.bucket);
  try {
    await visible.hide(row.key, { settled, kept: await c.keptFolders(row.bucket) });
    await visible.syncHidden(row.key);
  } catch (error) {
    throw error instanceof RootGone ? folderGone(row.bucket) : error;
  }
};

const endInTable = (c: BucketContext, row: VersionRow, record: Recorder): Promise<void> =>
  c.table.inTransaction(async (tx) => {
    await c.table.deleteVersion(row, tx);
    await record(tx, { versionId: row.versionId });
    failpoint('delete:before-commit');
  });

/** Ends one version for good; the newest that is left is the latest then. */
export const endVersion = async (
  c: BucketContext,
  row: VersionRow,
  record: Recorder,
  settled?: Settled,
): Promise<void> => {
  const { bucket, key, isLatest, file } = row;
  // a file whose version is gone would be taken for one that people put, after a crash as well
  if (isLatest) await hideFirst(c, row, settled);
  await endInTable(c, row, record).catch(async (error: unknown) => {
    if (isLatest) await showLatest(c, bucket, key);
    throw error;
  });
  failpoint('delete:after-commit');
  if (isLatest) await showLatest(c, bucket, key, { settled: settled && { stamp: undefined } });
  failpoint('delete:shown');
  await c.files.remove(bucket, [file]);
};

/** A deletion is recorded also where there was nothing. */
const nothing = async (c: BucketContext, { versionId, record }: Deletion): Promise<Deleted> => {
  await c.table.inTransaction((tx) => record(tx, { versionId }));
  return { versionId, isMarker: false };
};

const deleteKey = async (
  c: BucketContext,
  bucket: Bucket,
  o: Deletion,
  { latest, settled }: SettledKey,
): Promise<Deleted> => {
  if (bucket.versioning === 'Unset') {
    if (latest === undefined) return nothing(c, o);
    await endVersion(c, latest, o.record, settled);
    return { versionId: undefined, isMarker: false };
  }
  const marker = markerFor(c, { bucket: bucket.name, key: o.key }, newVersionId(bucket.versioning));
  await commitVersion(c, marker, o.record, { settled });
  return { versionId: marker.versionId, isMarker: true };
};

/** As "Deleting object versions from a versioning-enabled bucket" (Amazon S3 user guide) says. */
export const deleteObject = async (c: BucketContext, o: Deletion): Promise<Deleted> => {
  const bucket = await needBucket(c, o.bucket);
  checkNotFollowed(c, o.bucket, o.key);
  return c.locks.run(lockOf(o.bucket, o.key), async () => {
    const { latest, settled } = await settleKey(c, bucket, o.key);
    checkConditions(o.ifMatch === undefined ? {} : { ifMatch: o.ifMatch }, latest, o.key);
    if (o.versionId === undefined) return deleteKey(c, bucket, o, { latest, settled });
    const row = await c.table.version(o.bucket, o.key, o.versionId);
    if (row === undefined) return nothing(c, o);
    await endVersion(c, row, o.record, settled);
    return { versionId: row.versionId, isMarker: row.isMarker };
  });
};
