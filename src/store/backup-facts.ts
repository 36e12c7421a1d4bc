import { CautiousClient } from './cautious-client.ts';
import type { Database } from './database.ts';
import type { DatabaseServer } from './database-server.ts';

export interface LivingEnvironment {
  readonly id: string;
  readonly name: string;
}

const living = `select id, name from environments where deleted_at is null order by name`;

/** The environments that are there now. */
export const livingEnvironments = async (server: DatabaseServer): Promise<readonly LivingEnvironment[]> => {
  const client = new CautiousClient({
    ...server.administrator(server.own.database ?? ''),
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<LivingEnvironment>(living)).rows;
  } finally {
    await client.end().catch(() => {});
  }
};

/** Numbers of accounts that may have been given away after the backup was made. */
const numbersSpent = 50;

/**
 * After a restore: what was handed out before it is worth nothing any more. Every token is revoked, every web
 * session ended, in one transaction. Gives the environments that are there.
 */
export const closeDoors = (db: Database): Promise<readonly LivingEnvironment[]> =>
  db.inTransaction(async (tx) => {
    await db.query('update tokens set revoked_at = now() where revoked_at is null', [], tx);
    await db.query(
      `update sessions set ended_at = now(), end_reason = 'restored from a backup' where ended_at is null`,
      [],
      tx,
    );
    await db.query(
      `insert into account_numbers (environment_id, number, released_at)
       select 'restored-' || max(number), max(number) + $1, now() from account_numbers having count(*) > 0`,
      [numbersSpent],
      tx,
    );
    return db.query<LivingEnvironment & Record<string, unknown>>(living, [], tx);
  });
