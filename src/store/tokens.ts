import type { MintContext } from '../identity/principal.ts';
import type { TokenRecord, TokenStore } from '../tokens/token-store.ts';
import type { Database } from './database.ts';

interface Row {
  jti_hash: Buffer;
  kind: 'web' | 'cli';
  environment_id: string;
  mint: MintContext;
  airflow_identity: string;
  issued_at: Date;
  expires_at: Date;
  boot_id: string;
  monotonic_deadline: string;
}

const toToken = (row: Row): TokenRecord => ({
  jtiHash: row.jti_hash,
  kind: row.kind,
  environmentId: row.environment_id,
  mint: row.mint,
  airflowIdentity: row.airflow_identity,
  issuedAt: row.issued_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  bootId: row.boot_id,
  monotonicDeadline: Number(row.monotonic_deadline),
});

const insertSql = `
  insert into tokens (jti_hash, kind, environment_id, mint, airflow_identity, issued_at, expires_at, boot_id,
    monotonic_deadline) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

// The row lock lets one of many simultaneous updates through; the others then see what it wrote.
const useSql = `
  update tokens set uses = uses + 1, redeemed_at = coalesce(redeemed_at, $2)
    where jti_hash = $1 and uses < $3 and revoked_at is null returning *`;

const stateSql = `
  select case when revoked_at is not null then 'revoked' when uses > 0 then 'used' else 'unused' end
    as state from tokens where jti_hash = $1`;

/** Web login tokens and CLI tokens in PostgreSQL. */
export const createTokenStore = (db: Database): TokenStore => ({
  inTransaction: db.inTransaction,
  insert: async (tx, t) => {
    const times = [new Date(t.issuedAt), new Date(t.expiresAt)];
    const values = [t.jtiHash, t.kind, t.environmentId, JSON.stringify(t.mint), t.airflowIdentity, ...times];
    await db.query(insertSql, [...values, t.bootId, Math.floor(t.monotonicDeadline)], tx);
  },
  use: async (tx, jtiHash, { now, most }) => {
    const [row] = await db.query<Row>(useSql, [jtiHash, new Date(now), most], tx);
    return row && toToken(row);
  },
  state: async (tx, jtiHash) => {
    const [row] = await db.query<{ state: 'unused' | 'used' | 'revoked' }>(stateSql, [jtiHash], tx);
    return row?.state ?? 'unknown';
  },
  revokeAll: async (tx, environmentId, now) => {
    await db.query(
      'update tokens set revoked_at = $2 where environment_id = $1 and revoked_at is null',
      [environmentId, new Date(now)],
      tx,
    );
  },
  sweep: async (before, limit) => {
    const rows = await db.query(
      `delete from tokens where jti_hash in (select jti_hash from tokens where expires_at < $1 limit $2)
         returning 1`,
      [new Date(before), limit],
    );
    return rows.length;
  },
});
