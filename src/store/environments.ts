import type pg from 'pg';
import { EnvironmentExists, GenerationChanged } from '../environments/errors.ts';
import type { DesiredChange, EnvironmentStore } from '../environments/ports.ts';
import {
  type EnvironmentId,
  type EnvironmentRecord,
  type EnvironmentSpec,
  type EnvironmentUpdate,
  type LastUpdate,
  noTries,
  type Tags,
  type Tries,
} from '../environments/record.ts';
import type { EnvironmentStatus } from '../environments/status.ts';
import { codeOf } from '../lib/errors.ts';
import type { Transaction } from '../lib/transaction.ts';
import { type Database, uniqueViolation } from './database.ts';
import { channel, watchEnvironments } from './environment-changes.ts';
import { environmentLocks } from './environment-locks.ts';

interface Row extends pg.QueryResultRow {
  id: string;
  account_id: string;
  region: string;
  name: string;
  arn: string;
  status: EnvironmentStatus;
  spec: EnvironmentSpec;
  update: EnvironmentUpdate | null;
  suspended: boolean;
  tags: Tags;
  generation: string;
  driver: 'local';
  host: string;
  last_update: LastUpdate;
  hostname: string | null;
  progress: string | null;
  tries: Tries | null;
  created_at: Date;
}

const toRecord = (row: Row): EnvironmentRecord => ({
  id: row.id,
  accountId: row.account_id,
  region: row.region,
  name: row.name,
  arn: row.arn,
  status: row.status,
  spec: row.spec,
  update: row.update ?? undefined,
  suspended: row.suspended,
  tags: row.tags,
  generation: Number(row.generation),
  placement: { driver: row.driver, host: row.host },
  lastUpdate: row.last_update,
  webserverHostname: row.hostname ?? undefined,
  progress: row.progress ?? undefined,
  tries: row.tries ?? noTries,
  createdAt: row.created_at.getTime(),
});

/** Namespace of the advisory locks that guard the number of environments. */
const quotaLockSpace = 7_400_003;

const byName =
  'select * from environments where account_id = $1 and region = $2 and name = $3 and deleted_at is null';

const one = async (
  db: Database,
  text: string,
  values: readonly unknown[],
  tx?: Transaction,
): Promise<EnvironmentRecord | undefined> => {
  const [row] = await db.query<Row>(text, values, tx);
  return row && toRecord(row);
};

const insert = async (
  db: Database,
  tx: Transaction,
  e: Parameters<EnvironmentStore['insert']>[1],
): Promise<EnvironmentRecord> => {
  const pending: LastUpdate = { Status: 'PENDING', CreatedAt: e.createdAt };
  try {
    const record = await one(
      db,
      `insert into environments (id, account_id, region, name, arn, status, spec, tags, driver, host, last_update, created_at)
       values ($1, $2, $3, $4, $5, 'CREATING', $6, $7, $8, $9, $10, to_timestamp($11 / 1000.0)) returning *`,
      [
        e.id,
        e.accountId,
        e.region,
        e.name,
        e.arn,
        e.spec,
        e.tags,
        e.placement.driver,
        e.placement.host,
        pending,
        e.createdAt,
      ],
      tx,
    );
    if (!record) throw new Error('the row was not returned');
    await db.query('select pg_notify($1, $2)', [channel, e.id], tx);
    return record;
  } catch (error) {
    if (codeOf(error) === uniqueViolation) throw new EnvironmentExists(e.name);
    throw error;
  }
};

const setDeleting = async (
  db: Database,
  tx: Transaction,
  id: EnvironmentId,
  expected: number,
): Promise<EnvironmentRecord> => {
  const record = await one(
    db,
    `update environments set status = 'DELETING', generation = generation + 1, progress = null, tries = null
     where id = $1 and generation = $2 and deleted_at is null returning *`,
    [id, expected],
    tx,
  );
  if (!record) throw new GenerationChanged(id);
  await db.query('select pg_notify($1, $2)', [channel, id], tx);
  return record;
};

const setDesired = async (
  db: Database,
  tx: Transaction,
  id: EnvironmentId,
  expected: number,
  change: DesiredChange,
): Promise<EnvironmentRecord> => {
  const record = await one(
    db,
    `update environments set generation = generation + 1, progress = null, tries = null, status = $3,
       spec = $4, update = $5, last_update = $6
     where id = $1 and generation = $2 and deleted_at is null returning *`,
    [id, expected, change.status, change.spec, change.update, change.lastUpdate],
    tx,
  );
  if (!record) throw new GenerationChanged(id);
  await db.query('select pg_notify($1, $2)', [channel, id], tx);
  return record;
};

/** The environment records in PostgreSQL. */
export const environmentStore = (db: Database): EnvironmentStore => ({
  inTransaction: db.inTransaction,
  insert: (tx, e) => insert(db, tx, e),
  find: (key) => one(db, byName, [key.accountId, key.region, key.name]),
  // Rows that refer to it can still be added: only its other changes wait.
  findLocked: (tx, key) => one(db, `${byName} for no key update`, [key.accountId, key.region, key.name], tx),
  wasDeleted: async (key, within) => {
    const rows = await db.query(
      `select 1 from environments where account_id = $1 and region = $2 and name = $3
       and deleted_at > now() - $4 * interval '1 millisecond' limit 1`,
      [key.accountId, key.region, key.name, within],
    );
    return rows.length > 0;
  },
  findById: (id) => one(db, 'select * from environments where id = $1', [id]),
  list: async (scope, page) => {
    const rows = await db.query<{ name: string }>(
      `select name from environments where account_id = $1 and region = $2 and deleted_at is null
       and name collate "C" > $3 order by name collate "C" limit $4`,
      [scope.accountId, scope.region, page.after ?? '', page.limit],
    );
    return rows.map((row) => row.name);
  },
  countLocked: async (tx, { accountId, region }) => {
    await db.query(
      'select pg_advisory_xact_lock($1, hashtext($2))',
      [quotaLockSpace, `${accountId} ${region}`],
      tx,
    );
    const [row] = await db.query<{ count: string }>(
      'select count(*) from environments where account_id = $1 and region = $2 and deleted_at is null',
      [accountId, region],
      tx,
    );
    return Number(row?.count);
  },
  setDeleting: (tx, id, expected) => setDeleting(db, tx, id, expected),
  setDesired: (tx, id, expected, change) => setDesired(db, tx, id, expected, change),
  setTags: async (tx, id, tags) => {
    await db.query('update environments set tags = $2 where id = $1', [id, tags], tx);
  },
  setSuspended: async (tx, id, expected, suspended) => {
    const sql = `update environments set suspended = $3, generation = generation + 1, progress = null, tries = null
      where id = $1 and generation = $2 and deleted_at is null returning 1`;
    if ((await db.query(sql, [id, expected, suspended], tx)).length === 0) throw new GenerationChanged(id);
    await db.query('select pg_notify($1, $2)', [channel, id], tx);
  },
  keys: async (placement) => {
    const rows = await db.query<{ id: string }>(
      'select id from environments where driver = $1 and host = $2 and deleted_at is null order by created_at',
      [placement.driver, placement.host],
    );
    return rows.map((row) => row.id);
  },
  placed: async (placement, tx) => {
    const rows = await db.query<Row>(
      'select * from environments where driver = $1 and host = $2 and deleted_at is null order by name collate "C"',
      [placement.driver, placement.host],
      tx,
    );
    return rows.map(toRecord);
  },
  openLocks: () => environmentLocks(db),
  watch: (hints) => watchEnvironments(db, hints),
});
