import type { AccessKeyUseStore } from '../identity/access-key-uses.ts';
import type { Database } from './database.ts';

/** A save that was held up may come after a later one. */
const saveSql = `
  insert into access_key_uses (id, used_at, service, region) values ($1, $2, $3, $4)
  on conflict (id) do update set used_at = excluded.used_at, service = excluded.service, region = excluded.region
  where access_key_uses.used_at <= excluded.used_at`;

/** The last use of each access key in PostgreSQL. */
export const createAccessKeyUseStore = (db: Database): AccessKeyUseStore => ({
  load: async () => {
    const rows = await db.query<{ id: string; used_at: Date; service: string; region: string }>(
      'select id, used_at, service, region from access_key_uses',
    );
    return rows.map(({ id, used_at, service, region }) => ({ id, at: used_at.getTime(), service, region }));
  },
  save: async (uses) => {
    for (const { id, at, service, region } of uses)
      await db.query(saveSql, [id, new Date(at), service, region]);
  },
});
