import { textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { BucketContext } from './context.ts';
import { takeInIfNewer } from './hand-edits.ts';
import { showLatest } from './show-latest.ts';
import type { VersionRow } from './table.ts';

const atOnce = 500;

const showAgain = async (c: BucketContext, row: VersionRow): Promise<void> => {
  const bucket = await c.table.bucket(row.bucket);
  if (bucket !== undefined) await orWarn(c, () => takeInIfNewer(c, bucket, row));
  await c
    .visible(row.bucket)
    .removeTemporaries(row.key)
    .catch(() => {});
  await showLatest(c, row.bucket, row.key);
};

/** A bucket without versions has nothing that would show that its folder was moved away: its removal was killed. */
const makeFolders = async (c: BucketContext): Promise<void> => {
  const first = { prefix: '', after: '', afterVersion: '', limit: 1 };
  for (const { name: bucket } of await c.table.buckets())
    if ((await c.table.versionsPage({ bucket, ...first })).length === 0) await c.visible(bucket).makeRoot();
};

const orWarn = async (c: BucketContext, work: () => Promise<void>): Promise<void> => {
  await work().catch((error: unknown) => {
    c.log.warn('bucket not looked after', { reason: textOf(error) });
  });
};

/** Files of versions that a server wrote and was killed before it wrote them down, or after it had forgotten them. */
const removeUnused = async (c: BucketContext): Promise<void> => {
  for (const { name } of await c.table.buckets())
    for await (const files of c.files.files(name)) {
      const used = await c.table.filesInUse(name, files);
      await c.files.remove(
        name,
        files.filter((file) => !used.has(file)),
      );
    }
};

/**
 * Puts right what a killed server left: shows versions of which it is not known whether people see them, and removes bytes that
 * no version has. Call before the first request.
 */
export const recover = async (c: BucketContext): Promise<void> => {
  await c.files.removeGone();
  failpoint('recover:gone-removed');
  for (let after = { bucket: '', key: '' }; ; ) {
    const rows = await c.table.unseen(after, atOnce);
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) await showAgain(c, row);
    failpoint('recover:page-shown');
    await c.seen.flush();
    after = { bucket: last.bucket, key: last.key };
  }
  failpoint('recover:shown');
  await orWarn(c, () => removeUnused(c));
  await orWarn(c, () => makeFolders(c));
  const buckets = new Set((await c.table.buckets()).map(({ name }) => name));
  await orWarn(c, () => c.files.removeEmptyBut(buckets));
};
