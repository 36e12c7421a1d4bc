import type { MintContext } from '../identity/principal.ts';
import type {
  SessionFilter,
  SessionKind,
  SessionStore,
  SessionWay,
  WebSession,
} from '../tokens/session-store.ts';
import type { Database } from './database.ts';

interface Row {
  id: string;
  kind: SessionKind;
  way: SessionWay;
  environment_id: string;
  mint: MintContext;
  airflow_identity: string;
  created_at: Date;
  expires_at: Date;
}

const toSession = (row: Row): WebSession => ({
  id: row.id,
  kind: row.kind,
  way: row.way,
  environmentId: row.environment_id,
  mint: row.mint,
  airflowIdentity: row.airflow_identity,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
});

const insertSql = `
  insert into sessions (id, secret_hash, kind, way, environment_id, mint, airflow_identity, created_at, last_seen_at,
    expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`;

const useSql = `
  update sessions set last_seen_at = $2
    where secret_hash = $1 and ended_at is null and expires_at > $2 and last_seen_at > $3
    returning id, kind, way, environment_id, mint, airflow_identity, created_at, expires_at`;

interface ListedRow extends Row {
  environment_name: string;
  last_seen_at: Date;
}

/** `$1` to `$4`; what is not asked for is null. */
const filterSql = `
  ($1::text is null or s.id = $1) and ($2::text is null or s.environment_id = $2)
  and ($3::text is null or s.airflow_identity = $3 or s.mint -> 'principal' ->> 'arn' = $3)
  and ($4::text is null or s.way = $4) and s.ended_at is null`;

const filterValues = ({ id, environmentId, person, way }: SessionFilter) => [
  id ?? null,
  environmentId ?? null,
  person ?? null,
  way ?? null,
];

const listSql = `
  select s.id, s.kind, s.way, s.environment_id, s.mint, s.airflow_identity, s.created_at, s.expires_at, s.last_seen_at,
      e.name as environment_name
    from sessions s join environments e on e.id = s.environment_id
    where ${filterSql} and s.expires_at > $5 and s.last_seen_at > $6
      and ($7::timestamptz is null or (s.created_at, s.id) < ($7, $8))
    order by s.created_at desc, s.id desc limit $9`;

const endSql = `
  update sessions s set ended_at = $6, end_reason = $5 where ${filterSql}
    returning s.id, s.environment_id, s.airflow_identity`;

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
      [s.id, secretHash, s.kind, s.way, s.environmentId, mint, s.airflowIdentity, ...times],
      tx,
    );
  },
  use: async (secretHash, now, idleSince) => {
    const [row] = await db.query<Row>(useSql, [secretHash, new Date(now), new Date(idleSince)]);
    return row && toSession(row);
  },
  list: async (filter, { before, limit, now, idleSince }) => {
    const position = before ? [new Date(before.createdAt), before.id] : [null, null];
    const times = [new Date(now), new Date(idleSince)];
    const rows = await db.query<ListedRow>(listSql, [...filterValues(filter), ...times, ...position, limit]);
    return rows.map((row) => ({
      ...toSession(row),
      environmentName: row.environment_name,
      lastSeenAt: row.last_seen_at.getTime(),
    }));
  },
  end: async (tx, id, reason, now) => {
    const rows = await db.query(
      'update sessions set ended_at = $3, end_reason = $2 where id = $1 and ended_at is null returning 1',
      [id, reason, new Date(now)],
      tx,
    );
    return rows.length > 0;
  },
  endWhere: async (tx, filter, reason, now) => {
    const values = [...filterValues(filter), reason, new Date(now)];
    const rows = await db.query<Pick<Row, 'id' | 'environment_id' | 'airflow_identity'>>(endSql, values, tx);
    return rows.map((row) => ({
      id: row.id,
      environmentId: row.environment_id,
      airflowIdentity: row.airflow_identity,
    }));
  },
  sweep: async (before, limit) => (await db.query(sweepSql, [new Date(before), limit])).length,
});
