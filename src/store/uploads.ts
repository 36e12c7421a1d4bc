import type { Checksum, ObjectFacts, Upload } from '../bucket/objects.ts';
import type { BucketTable, PartRow } from '../bucket/table.ts';
import { noSuchUpload } from '../contract/s3-errors.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Database } from './database.ts';

interface UploadRow {
  upload_id: string;
  bucket: string;
  key: string;
  initiated_at: Date;
  facts: ObjectFacts;
  checksum: Upload['checksum'] | null;
  completed: string | null;
}

interface Row {
  number: number;
  size: string;
  etag: string;
  checksum: Omit<Checksum, 'type'> | null;
  last_modified: Date;
  file: string;
}

const toUpload = (row: UploadRow): Upload => ({
  ...{ uploadId: row.upload_id, bucket: row.bucket, key: row.key, facts: row.facts },
  ...{ initiatedAt: row.initiated_at.getTime(), checksum: row.checksum ?? undefined },
});

const toPart = (row: Row): PartRow => ({
  ...{ number: row.number, size: Number(row.size), etag: row.etag, file: row.file },
  ...{ checksum: row.checksum ?? undefined, lastModified: row.last_modified.getTime() },
});

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

const putPartSql = `
  with before as (select file from upload_parts where upload_id = $1 and number = $2),
    put as (insert into upload_parts (upload_id, number, size, etag, checksum, last_modified, file)
      select $1, $2, $3, $4, $5, $6, $7 from uploads where upload_id = $1 and completed is null for share
      on conflict (upload_id, number) do update set size = excluded.size, etag = excluded.etag,
        checksum = excluded.checksum, last_modified = excluded.last_modified, file = excluded.file
      returning 1)
  select exists (select 1 from put) as put, (select file from before) as before`;

const removeParts = async (db: Database, uploadId: string, tx: Transaction): Promise<readonly string[]> => {
  const sql = 'delete from upload_parts where upload_id = $1 returning file';
  return (await db.query<{ file: string }>(sql, [uploadId], tx)).map(({ file }) => file);
};

type UploadRows = Pick<
  BucketTable,
  | 'insertUpload'
  | 'upload'
  | 'uploadsPage'
  | 'putPart'
  | 'parts'
  | 'completeUpload'
  | 'deleteUpload'
  | 'oldUploads'
  | 'forgetCompleted'
  | 'filesInUse'
>;

const partRows = (db: Database): Pick<UploadRows, 'putPart' | 'parts' | 'filesInUse'> => ({
  putPart: async (uploadId, { number, size, etag, checksum, lastModified, file }) => {
    const [row] = await db.query<{ put: boolean; before: string | null }>(putPartSql, [
      ...[uploadId, number, size, etag, json(checksum), new Date(lastModified), file],
    ]);
    if (!row?.put) throw noSuchUpload(uploadId);
    return row.before ?? undefined;
  },
  parts: async (uploadId, after, limit) => {
    const rows = await db.query<Row>(
      'select * from upload_parts where upload_id = $1 and number > $2 order by number limit $3',
      [uploadId, after, limit],
    );
    return rows.map(toPart);
  },
  filesInUse: async (bucket, files) => {
    const rows = await db.query<{ file: string }>(
      `select file from object_versions where bucket = $1 and file = any($2)
        union all select file from upload_parts join uploads using (upload_id) where bucket = $1 and file = any($2)`,
      [bucket, files],
    );
    return new Set(rows.map((row) => row.file));
  },
});

/** Uploads in parts, in PostgreSQL. */
export const uploadRows = (db: Database): UploadRows => ({
  ...partRows(db),
  insertUpload: async ({ uploadId, bucket, key, initiatedAt, facts, checksum }, tx) => {
    await db.query(
      `insert into uploads (upload_id, bucket, key, initiated_at, facts, checksum)
        values ($1, $2, $3, $4, $5, $6)`,
      [uploadId, bucket, key, new Date(initiatedAt), JSON.stringify(facts), json(checksum)],
      tx,
    );
  },
  upload: async (uploadId) => {
    const [row] = await db.query<UploadRow>('select * from uploads where upload_id = $1', [uploadId]);
    return row && { ...toUpload(row), completed: row.completed ?? undefined };
  },
  uploadsPage: async ({ bucket, prefix, after, afterUpload, limit }) => {
    const rows = await db.query<UploadRow>(
      `select * from uploads where bucket = $1 and completed is null and starts_with(key, $2)
        and (key > $3 or (key = $3 and upload_id > $4 and $4 <> '')) order by key, upload_id limit $5`,
      [bucket, prefix, after, afterUpload, limit],
    );
    return rows.map(toUpload);
  },
  completeUpload: async (uploadId, versionId, tx) => {
    const rows = await db.query(
      'update uploads set completed = $2 where upload_id = $1 and completed is null returning 1',
      [uploadId, versionId],
      tx,
    );
    if (rows.length === 0) throw noSuchUpload(uploadId);
    return removeParts(db, uploadId, tx);
  },
  oldUploads: async (before, limit) => {
    const rows = await db.query<UploadRow>(
      'select * from uploads where completed is null and initiated_at < $1 order by initiated_at limit $2',
      [new Date(before), limit],
    );
    return rows.map(toUpload);
  },
  forgetCompleted: async (before) => {
    await db.query('delete from uploads where completed is not null and initiated_at < $1', [
      new Date(before),
    ]);
  },
  deleteUpload: async (uploadId, tx) => {
    // whoever puts a part waits for this, and finds no upload then
    const rows = await db.query(
      'select 1 from uploads where upload_id = $1 and completed is null for update',
      [uploadId],
      tx,
    );
    if (rows.length === 0) throw noSuchUpload(uploadId);
    const files = await removeParts(db, uploadId, tx);
    await db.query('delete from uploads where upload_id = $1', [uploadId], tx);
    return files;
  },
});
