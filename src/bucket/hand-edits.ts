import { createHash } from 'node:crypto';
import { failpoint } from '../lib/failpoint.ts';
import { pathFault } from '../lib/file-path.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { RootGone } from '../lib/open-folder.ts';
import { commitVersion } from './commit-version.ts';
import { type BucketContext, lockOf } from './context.ts';
import { isFolderKey } from './names.ts';
import type { Bucket } from './objects.ts';
import { isGone, type SeenFile, type Settled } from './seen-file.ts';
import { showLatest } from './show-latest.ts';
import { copyTheirs } from './shown-file.ts';
import { nothingToSee, type VersionRow } from './table.ts';
import { newVersionId } from './version-ids.ts';

const nobody = async (): Promise<void> => {};

const noFacts = { headers: {}, metadata: {}, tags: [] } as const;

/** In the form of an ETag of parts, which says nothing of MD5: so that a listing does not have to read the bytes. */
const etagOf = ({ stamp }: SeenFile): string => `${createHash('md5').update(stamp).digest('hex')}-1`;

class OtherFile extends Error {}

/** A file that people put or changed becomes the latest version. One that changes meanwhile is left for the next look. */
const takeIn = async (
  c: BucketContext,
  { name, versioning }: Bucket,
  key: string,
  file: SeenFile,
): Promise<void> => {
  const copy = (temporary: string) =>
    c.visible(name).with(key, async (path) => {
      if (!(await copyTheirs(path, temporary, file.stamp))) throw new OtherFile();
    });
  const stored = await c.files.keep(name, copy).catch((error: unknown) => {
    if (error instanceof OtherFile || isGone(error)) return undefined;
    throw error;
  });
  if (stored === undefined) return;
  const row: VersionRow = {
    ...{ bucket: name, key, versionId: newVersionId(versioning), isLatest: true, isMarker: false },
    ...{ size: file.size, etag: etagOf(file), lastModified: file.modified, ...noFacts },
    ...{ checksum: undefined, partSizes: undefined, file: stored.file, fileStamp: stored.stamp },
    seen: file.stamp,
  };
  await commitVersion(c, row, nobody, { isShown: true });
};

/** The file is newer than the version that is to be shown in its place, or was: people wrote it meanwhile. */
export const takeInIfNewer = async (c: BucketContext, bucket: Bucket, row: VersionRow): Promise<void> => {
  const file = await c.visible(bucket.name).find(row.key);
  // what is shown is as old as its version, and what was shown before it is older
  if (file !== undefined && file.modified > row.lastModified) await takeIn(c, bucket, row.key, file);
};

/** A file that people took away: a deletion marker, or nothing where no versions are kept. */
const takeAway = async (c: BucketContext, { name, versioning }: Bucket, row: VersionRow): Promise<void> => {
  if (versioning === 'Unset') {
    await c.table.inTransaction((tx) => c.table.deleteVersion(row, tx));
    failpoint('hand-edit:forgotten');
    await c.files.remove(name, [row.file]);
    return;
  }
  const marker = { ...markerFor(c, row, newVersionId(versioning)), seen: nothingToSee };
  await commitVersion(c, marker, nobody, { isShown: true });
};

/** A deletion marker of a key; whether people still see a file is for the caller to say. */
export const markerFor = (
  c: Pick<BucketContext, 'now'>,
  { bucket, key }: Pick<VersionRow, 'bucket' | 'key'>,
  versionId: string,
): VersionRow => ({
  ...{ bucket, key, versionId, isLatest: true, isMarker: true, size: 0, etag: '', lastModified: c.now() },
  ...{ ...noFacts, checksum: undefined, partSizes: undefined, file: undefined, fileStamp: undefined },
  seen: undefined,
});

/** A key once what people did to it was taken over. */
export interface SettledKey {
  /** Its latest version. */
  readonly latest: VersionRow | undefined;
  readonly settled: Settled;
}

/**
 * Takes over what people did to the file of one key, whose lock the caller holds. Of a folder that is gone as a whole nothing is
 * believed.
 */
export const settleKey = async (c: BucketContext, bucket: Bucket, key: string): Promise<SettledKey> => {
  let latest = await c.table.latest(bucket.name, key);
  if (isFolderKey(key) || pathFault(key) !== undefined) return { latest, settled: undefined };
  const again = async (): Promise<void> => {
    latest = await c.table.latest(bucket.name, key);
  };
  try {
    if (latest !== undefined && c.seen.of(latest) === undefined)
      await showUnknown(c, bucket, latest).then(again);
    const file = await c.visible(bucket.name).find(key);
    if (await settle(c, bucket, key, latest, file)) await again();
    return { latest, settled: { stamp: file?.stamp } };
  } catch (error) {
    if (!(error instanceof RootGone)) throw error;
    return { latest, settled: undefined };
  }
};

/** A version that could not be shown when it was made, as the database or the disk failed, is shown by the next look. */
const showUnknown = async (c: BucketContext, bucket: Bucket, { key }: VersionRow): Promise<void> => {
  // asked once more: it may have been written down a moment ago
  const row = await c.table.latest(bucket.name, key);
  if (row === undefined || c.seen.of(row) !== undefined || c.seen.isResting(c.now())) return;
  await takeInIfNewer(c, bucket, row);
  if (!(await showLatest(c, bucket.name, key))) c.seen.rest(c.now());
};

/** False when people did nothing. */
const settle = async (
  c: BucketContext,
  bucket: Bucket,
  key: string,
  row: VersionRow | undefined,
  file: SeenFile | undefined,
): Promise<boolean> => {
  const seen = row && c.seen.of(row);
  // it could not be shown: it is not known what people did
  if (row !== undefined && seen === undefined) return false;
  if (file?.stamp === (seen === nothingToSee ? undefined : seen)) return false;
  if (file !== undefined) await takeIn(c, bucket, key, file);
  else if (row !== undefined && !(await c.visible(bucket.name).isTaken(key))) await takeAway(c, bucket, row);
  return true;
};

const pageSize = 1_000;

/** Files that are taken in at once: each waits for the disk and the database most of its time. */
const atOnce = 8;

/** Latest versions with that prefix that have a file to see, by key. */
async function* shown(c: BucketContext, bucket: string, prefix: string): AsyncGenerator<VersionRow> {
  for (let after = ''; ; ) {
    const rows = await c.table.objectsPage({ bucket, prefix, after, limit: pageSize });
    yield* rows;
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.key ?? '';
  }
}

/** Takes over what people did to files whose keys begin with a prefix. Many who ask for it at once share it. */
export const settleAll = (c: BucketContext, bucket: Bucket, prefix: string): Promise<void> =>
  c.settling.run(`${bucket.name}/${prefix}`, () => settleFiles(c, bucket, prefix));

const settleFiles = async (c: BucketContext, bucket: Bucket, prefix: string): Promise<void> => {
  const files = new Map<string, SeenFile>();
  try {
    for await (const [key, file] of c.visible(bucket.name).walk(prefix))
      if (pathFault(key) === undefined) files.set(key, file);
  } catch (error) {
    if (error instanceof RootGone) return;
    throw error;
  }
  const differing = new Set(files.keys());
  for await (const row of shown(c, bucket.name, prefix)) {
    const file = files.get(row.key);
    const seen = c.seen.of(row);
    if (file !== undefined && file.stamp === seen) differing.delete(row.key);
    else if (file === undefined && seen !== nothingToSee) differing.add(row.key);
  }
  await inParallel(differing, atOnce, (key) =>
    c.locks.run(lockOf(bucket.name, key), () => settleKey(c, bucket, key)),
  );
};
