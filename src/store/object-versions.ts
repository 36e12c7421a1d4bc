import type { Checksum, ObjectFacts } from '../bucket/objects.ts';
import type { BucketTable, PageOf, VersionRow } from '../bucket/table.ts';
import { noSuchBucket } from '../contract/s3-errors.ts';
import { codeOf } from '../lib/errors.ts';
import type { Database } from './database.ts';

interface Row {
  bucket: string;
  key: string;
  version_id: string;
  is_latest: boolean;
  is_marker: boolean;
  size: string;
  etag: string;
  last_modified: Date;
  facts: ObjectFacts;
  checksum: Checksum | null;
  /** Not of rows of a listing. */
  part_sizes?: readonly string[] | null;
  file: string | null;
  file_stamp: string | null;
  seen: string | null;
}

const toVersion = (row: Row): VersionRow => ({
  ...{ bucket: row.bucket, key: row.key, versionId: row.version_id },
  ...{ isLatest: row.is_latest, isMarker: row.is_marker, size: Number(row.size), etag: row.etag },
  lastModified: row.last_modified.getTime(),
  ...row.facts,
  ...{ checksum: row.checksum ?? undefined, partSizes: row.part_sizes?.map(Number) },
  ...{ file: row.file ?? undefined, fileStamp: row.file_stamp ?? undefined, seen: row.seen ?? undefined },
});

const factsOf = ({ headers, metadata, tags }: ObjectFacts): string =>
  JSON.stringify({ headers, metadata, tags });

/** PostgreSQL's code for a row that refers to one that is not there: the bucket was removed meanwhile. */
const missingReference = '23503';

/** In one statement, as each is a round trip; the one before is counted so that it is changed first. */
const insertSql = `
  with before as (
    update object_versions set is_latest = false where bucket = $1 and key = $2 and is_latest returning 1)
  insert into object_versions (bucket, key, version_id, is_latest, is_marker, size, etag, last_modified, facts,
    checksum, part_sizes, file, file_stamp, seen)
  select $1, $2, $3, true, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 from (select count(*) from before) as changed`;

const promoteSql = `
  update object_versions set is_latest = true, seen = null
    where (bucket, key, version_id) = (select bucket, key, version_id from object_versions
      where bucket = $1 and key = $2 order by made desc limit 1)`;

/** What came next made a version outdated; a marker of which nothing else is left is so from its own time on. */
const outdatedSql = `
  select v.* from object_versions v where (v.bucket, v.key, v.version_id) > ($2, $3, $4)
    and case when v.is_latest
      then v.is_marker and v.last_modified < $1 and not exists (select 1 from object_versions o
        where o.bucket = v.bucket and o.key = v.key and o.made < v.made)
      else (select min(o.last_modified) from object_versions o
        where o.bucket = v.bucket and o.key = v.key and o.made > v.made) < $1 end
    order by v.bucket, v.key, v.version_id limit $5`;

/** The first text behind all that begin with this one, in the order of bytes; undefined when there is none. */
const behindPrefix = (prefix: string): string | undefined =>
  // the greatest code point of all, behind which nothing with this prefix is
  prefix === '' ? undefined : `${prefix}\u{10ffff}`;

/** Without the sizes of parts: there may be 10,000 of each version. */
const listed = `bucket, key, version_id, is_latest, is_marker, size, etag, last_modified, facts, checksum, file,
    file_stamp, seen`;

const pageSql = (where: string, order: string): string => `
  select ${listed} from object_versions where bucket = $1 and key >= $2 and ($3::text is null or key <= $3) and ${where}
    order by ${order} limit $4`;

const pageValues = ({ bucket, prefix, limit }: PageOf): readonly unknown[] => [
  bucket,
  prefix,
  behindPrefix(prefix) ?? null,
  limit,
];

type VersionRows = Pick<
  BucketTable,
  | 'latest'
  | 'version'
  | 'insertVersion'
  | 'deleteVersion'
  | 'setTags'
  | 'setSeen'
  | 'forgetSeen'
  | 'setStamps'
  | 'unseen'
  | 'outdated'
  | 'objectsPage'
  | 'versionsPage'
>;

const changes = (
  db: Database,
): Pick<VersionRows, 'insertVersion' | 'deleteVersion' | 'setTags' | 'setSeen'> => ({
  insertVersion: async (v, tx) => {
    const checksum = v.checksum === undefined ? null : JSON.stringify(v.checksum);
    const file = [v.file ?? null, v.fileStamp ?? null, v.seen ?? null];
    const about = [
      v.isMarker,
      v.size,
      v.etag,
      new Date(v.lastModified),
      factsOf(v),
      checksum,
      v.partSizes ?? null,
    ];
    await db
      .query(insertSql, [v.bucket, v.key, v.versionId, ...about, ...file], tx)
      .catch((error: unknown) => {
        throw codeOf(error) === missingReference ? noSuchBucket(v.bucket) : error;
      });
  },
  deleteVersion: async ({ bucket, key, versionId }, tx) => {
    const [gone] = await db.query<{ is_latest: boolean }>(
      'delete from object_versions where bucket = $1 and key = $2 and version_id = $3 returning is_latest',
      [bucket, key, versionId],
      tx,
    );
    if (gone?.is_latest) await db.query(promoteSql, [bucket, key], tx);
  },
  setTags: async (v, tx) => {
    await db.query(
      'update object_versions set facts = $4 where bucket = $1 and key = $2 and version_id = $3',
      [v.bucket, v.key, v.versionId, factsOf(v)],
      tx,
    );
  },
  setSeen: async (rows) => {
    await db.query(
      `update object_versions v set seen = n.seen
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (bucket, key, version_id, seen)
        where v.bucket = n.bucket and v.key = n.key and v.version_id = n.version_id and v.is_latest`,
      [
        rows.map((row) => row.bucket),
        rows.map((row) => row.key),
        rows.map((row) => row.versionId),
        rows.map((row) => row.seen),
      ],
    );
  },
});

/** Versions of objects in PostgreSQL. */
export const versionRows = (db: Database): VersionRows => ({
  ...changes(db),
  forgetSeen: async () => {
    await db.query('update object_versions set seen = null where seen is not null');
  },
  setStamps: async (rows) => {
    await db.query(
      `update object_versions v set file_stamp = n.stamp
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (bucket, key, version_id, stamp)
        where v.bucket = n.bucket and v.key = n.key and v.version_id = n.version_id`,
      [
        rows.map((row) => row.bucket),
        rows.map((row) => row.key),
        rows.map((row) => row.versionId),
        rows.map((row) => row.fileStamp),
      ],
    );
  },
  latest: async (bucket, key, tx) => {
    const sql = 'select * from object_versions where bucket = $1 and key = $2 and is_latest';
    const [row] = await db.query<Row>(sql, [bucket, key], tx);
    return row && toVersion(row);
  },
  version: async (bucket, key, versionId, tx) => {
    const sql = 'select * from object_versions where bucket = $1 and key = $2 and version_id = $3';
    const [row] = await db.query<Row>(sql, [bucket, key, versionId], tx);
    return row && toVersion(row);
  },
  unseen: async (after, limit) => {
    const sql = `select * from object_versions where is_latest and seen is null and (bucket, key) > ($1, $2)
      order by bucket, key limit $3`;
    return (await db.query<Row>(sql, [after.bucket, after.key, limit])).map(toVersion);
  },
  outdated: async ({ before, after, limit }) => {
    const rows = await db.query<Row>(outdatedSql, [
      ...[new Date(before), after.bucket, after.key, after.versionId, limit],
    ]);
    return rows.map(toVersion);
  },
  objectsPage: async (o) => {
    const sql = pageSql('is_latest and not is_marker and key > $5', 'key');
    return (await db.query<Row>(sql, [...pageValues(o), o.after])).map(toVersion);
  },
  versionsPage: async (o) => {
    const behind = `(key > $5 or (key = $5 and made < (select made from object_versions
      where bucket = $1 and key = $5 and version_id = $6)))`;
    const sql = pageSql(behind, 'key, made desc');
    return (await db.query<Row>(sql, [...pageValues(o), o.after, o.afterVersion])).map(toVersion);
  },
});
