import type { BucketContext } from './context.ts';
import { settleAll } from './hand-edits.ts';
import { needBucket } from './need-bucket.ts';
import type { Buckets } from './objects.ts';
import { pageOf } from './pages.ts';

/** What is in a bucket, page by page. */
export const listings = (c: BucketContext): Pick<Buckets, 'objects' | 'versions' | 'uploads'> => ({
  objects: async (o) => {
    const bucket = await needBucket(c, o.bucket);
    // people may have changed files: looked for once a listing, not on each of its pages
    if (o.begins) await settleAll(c, bucket, o.prefix);
    return pageOf(o, { rows: (after, _, limit) => c.table.objectsPage({ ...o, after, limit }) });
  },
  versions: async (o) => {
    const bucket = await needBucket(c, o.bucket);
    if (o.begins) await settleAll(c, bucket, o.prefix);
    let afterVersion = o.afterVersion;
    return pageOf(o, {
      rows: (after, row, limit) => {
        afterVersion = row?.versionId ?? (after === o.after ? afterVersion : '');
        return c.table.versionsPage({ ...o, after, afterVersion, limit });
      },
    });
  },
  uploads: async (o) => {
    await needBucket(c, o.bucket);
    return pageOf(o, {
      rows: (after, row, limit) =>
        c.table.uploadsPage({
          ...{ ...o, after, limit },
          afterUpload: row?.uploadId ?? (after === o.after ? o.afterUpload : ''),
        }),
    });
  },
});
