import type { MintContext } from '../identity/principal.ts';
import type { SessionKind, SessionStore, WebSession } from '../tokens/session-store.ts';
import type { Database } from './database.ts';

interface Row {
  id: string;
  kind: SessionKind;
  environment_id: string;
  mint: MintContext;
  airflow_identity: string;
  created_at: Date;
  expires_at: Date;
}

const toSession = (row: Row): WebSession => ({
  id: row.id,
  kind: row.kind,
  environmentId: row.environment_id,
  mint: row.mint,
  airflowIdentity: row.airflow_identity,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
});

const insertSql = `
  insert into sessions (id, secret_hash, kind, environment_id, mint, airflow_identity, created_at, last_seen_at,
    expires_at) values ($1, $2, $3, $4, $5, $6, $7, $7, $8)`;

const useSql = `
  update sessions set last_seen_at = $2 where secret_hash = $1 and ended_at is null and expires_at > $2
    returning id, kind, environment_id, mint, airflow_identity, created_at, expires_at`;

const sweepSql = `
  delete from sessions where id in (select id from sessions where expires_at < $1 limit $2) returning 1`;

/** Web sessions in PostgreSQL. */
export const createSessionStore = (db: Database): SessionStore => ({
  inTransaction: db.inTransaction,
  insert: async (tx, s, secretHash) => {
    const times = [new Date(s.createdAt), new Date(s.expiresAt)];
    const mint = JSON.stringify(s.mint);
    await db.query(
      insertSql,
      [s.id, secretHash, s.kind, s.environmentId, mint, s.airflowIdentity, ...times],
      tx,
    );
  },
  use: async (secretHash, now) => {
    const [row] = await db.query<Row>(useSql, [secretHash, new Date(now)]);
    return row && toSession(row);
  },
  end: async (tx, id, reason, now) => {
    const rows = await db.query(
      'update sessions set ended_at = $3, end_reason = $2 where id = $1 and ended_at is null returning 1',
      [id, reason, new Date(now)],
      tx,
    );
    return rows.length > 0;
  },
  endAll: async (tx, environmentId, reason, now) => {
    await db.query(
      'update sessions set ended_at = $3, end_reason = $2 where environment_id = $1 and ended_at is null',
      [environmentId, reason, new Date(now)],
      tx,
    );
  },
  sweep: async (before, limit) => (await db.query(sweepSql, [new Date(before), limit])).length,
});
