import type { Bucket, PublicAccessBlock, Versioning } from '../bucket/objects.ts';
import type { BucketTable } from '../bucket/table.ts';
import type { Database } from './database.ts';

interface Row {
  name: string;
  created_at: Date;
  versioning: Versioning;
  policy: string | null;
  public_access_block: PublicAccessBlock | null;
}

const toBucket = (row: Row): Bucket => ({
  name: row.name,
  createdAt: row.created_at.getTime(),
  versioning: row.versioning,
  policy: row.policy ?? undefined,
  publicAccessBlock: row.public_access_block ?? undefined,
});

const valuesOf = (b: Bucket): readonly unknown[] => [
  b.name,
  new Date(b.createdAt),
  b.versioning,
  b.policy ?? null,
  b.publicAccessBlock === undefined ? null : JSON.stringify(b.publicAccessBlock),
];

type BucketRows = Pick<BucketTable, 'buckets' | 'bucket' | 'insertBucket' | 'changeBucket' | 'deleteBucket'>;

/** Buckets in PostgreSQL. */
export const bucketRows = (db: Database): BucketRows => ({
  buckets: async () => (await db.query<Row>('select * from buckets order by name')).map(toBucket),
  bucket: async (name) => {
    const [row] = await db.query<Row>('select * from buckets where name = $1', [name]);
    return row && toBucket(row);
  },
  insertBucket: async (bucket, tx) => {
    const rows = await db.query(
      `insert into buckets (name, created_at, versioning, policy, public_access_block)
        values ($1, $2, $3, $4, $5) on conflict do nothing returning 1`,
      valuesOf(bucket),
      tx,
    );
    return rows.length > 0;
  },
  changeBucket: async (name, change, tx) => {
    const { versioning, policy, publicAccessBlock: block } = change;
    const rows = await db.query(
      `update buckets set versioning = coalesce($2, versioning),
          policy = case when $3 then $4 else policy end,
          public_access_block = case when $5 then $6::json else public_access_block end
        where name = $1 returning 1`,
      [
        ...[name, versioning ?? null, 'policy' in change, policy ?? null],
        ...['publicAccessBlock' in change, block === undefined ? null : JSON.stringify(block)],
      ],
      tx,
    );
    return rows.length > 0;
  },
  deleteBucket: async (name, tx) => {
    // the row lock keeps whoever refers to it waiting
    await db.query('select 1 from buckets where name = $1 for update', [name], tx);
    const versions = await db.query('select 1 from object_versions where bucket = $1 limit 1', [name], tx);
    if (versions.length > 0) return false;
    // uploads that nobody completed are no objects: S3 ends them with the bucket
    await db.query('delete from uploads where bucket = $1', [name], tx);
    return (await db.query('delete from buckets where name = $1 returning 1', [name], tx)).length > 0;
  },
});
