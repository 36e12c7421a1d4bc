import type { BucketTable } from '../bucket/table.ts';
import { bucketRows } from './buckets.ts';
import type { Database } from './database.ts';
import { versionRows } from './object-versions.ts';
import { uploadRows } from './uploads.ts';

/** Buckets, objects and uploads in PostgreSQL. */
export const createBucketTable = (db: Database): BucketTable => ({
  inTransaction: db.inTransaction,
  ...bucketRows(db),
  ...versionRows(db),
  ...uploadRows(db),
});
