import { textOf } from '../lib/errors.ts';
import { type BucketContext, lockOf } from './context.ts';
import { endVersion } from './delete-object.ts';
import type { VersionRow } from './table.ts';
import { abortUpload } from './uploads.ts';

const day = 24 * 3_600_000;
/** Days after which an upload that nobody completed is ended, and those for which a completed one is remembered. */
const uploadDays = { open: 7, completed: 1 } as const;
const atOnce = 200;

export interface RetentionOptions {
  /** Days for which a version is kept that is no longer the latest; 0 for ever. */
  readonly days: number;
  /** Versions that an environment names: they stay. */
  readonly isUsed: (version: VersionRow) => Promise<boolean>;
  /** Keeps a record of a version that goes. */
  readonly record: (version: VersionRow) => Parameters<typeof endVersion>[2];
}

const removeVersions = async (c: BucketContext, o: RetentionOptions): Promise<void> => {
  const before = c.now() - o.days * day;
  for (let after = { bucket: '', key: '', versionId: '' }; ; ) {
    const rows = await c.table.outdated({ before, after, limit: atOnce });
    for (const row of rows)
      if (!(await o.isUsed(row)))
        await c.locks.run(lockOf(row.bucket, row.key), () => endVersion(c, row, o.record(row)));
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last;
  }
};

const nobody = async (): Promise<void> => {};

const endUploads = async (c: BucketContext): Promise<void> => {
  const now = c.now();
  await c.table.forgetCompleted(now - uploadDays.completed * day);
  for (const upload of await c.table.oldUploads(now - uploadDays.open * day, atOnce))
    await abortUpload(c, upload, nobody).catch((error: unknown) => {
      c.log.warn('bucket not looked after', { bucket: upload.bucket, reason: textOf(error) });
    });
};

/** Removes what is kept for so long only: versions, deletion markers of nothing, uploads that nobody completed. */
export const removeOutdated = async (c: BucketContext, o: RetentionOptions): Promise<void> => {
  if (o.days > 0) await removeVersions(c, o);
  await endUploads(c);
};
