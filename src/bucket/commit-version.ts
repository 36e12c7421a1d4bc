import { failpoint } from '../lib/failpoint.ts';
import type { BucketContext } from './context.ts';
import type { Recorder } from './objects.ts';
import type { Settled } from './seen-file.ts';
import { showLatest } from './show-latest.ts';
import type { VersionRow } from './table.ts';
import { nullVersion } from './version-ids.ts';

/**
 * Makes a version the latest of its key: one transaction with its record, which is the moment from which it is there. Then the
 * folder shows it. The caller holds the lock of the key.
 */
export const commitVersion = async (
  c: BucketContext,
  row: VersionRow,
  record: Recorder,
  o: { readonly isShown?: boolean; readonly settled?: Settled } = {},
): Promise<void> => {
  const { bucket, key, versionId } = row;
  const replaced = await c.table.inTransaction(async (tx) => {
    const before = versionId === nullVersion ? await c.table.version(bucket, key, versionId, tx) : undefined;
    if (before) await c.table.deleteVersion(before, tx);
    await c.table.insertVersion(row, tx);
    await record(tx, { versionId });
    failpoint('version:before-commit');
    return before;
  });
  failpoint('version:after-commit');
  if (!o.isShown) await showLatest(c, bucket, key, { known: row, settled: o.settled });
  failpoint('version:shown');
  await c.files.remove(bucket, [replaced?.file]);
  failpoint('version:older-removed');
};
