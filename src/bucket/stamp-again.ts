import { failpoint } from '../lib/failpoint.ts';
import type { StoreFiles } from './store-files.ts';
import type { BucketTable } from './table.ts';

const pageSize = 500;

/**
 * After a restore: files have other times and numbers than those that were written down, and what people see is to be shown anew. A
 * file that has not the size of its version is not taken for it.
 */
export const stampAgain = async (table: BucketTable, files: StoreFiles): Promise<void> => {
  await table.forgetSeen();
  failpoint('stamps:seen-forgotten');
  for (const { name: bucket } of await table.buckets())
    for (let [after, afterVersion] = ['', '']; ; ) {
      const o = { bucket, prefix: '', after, afterVersion, limit: pageSize };
      const rows = await table.versionsPage(o);
      const stamped = await Promise.all(
        rows.map(async (row) => ({ ...row, fileStamp: row.file && (await files.stamp(bucket, row.file)) })),
      );
      await table.setStamps(stamped.filter(({ size, fileStamp }) => fileStamp?.startsWith(`${size}-`)));
      failpoint('stamps:page-set');
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSize) break;
      [after, afterVersion] = [last.key, last.versionId];
    }
};
