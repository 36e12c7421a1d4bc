import type { EntityChange, IamEntity } from '../identity/directory.ts';
import type { DirectoryStore } from '../identity/living-directory.ts';
import type { Database } from './database.ts';

const putSql = `
  insert into iam_entities (kind, key, entity) values ($1, $2, $3)
  on conflict (kind, key) do update set entity = excluded.entity`;

/** Users, groups, roles, policies and access keys in PostgreSQL, one row each. */
export const createDirectoryStore = (db: Database): DirectoryStore => {
  const save = async (tx: Parameters<DirectoryStore['save']>[0], { kind, key, entity }: EntityChange) => {
    if (entity) await db.query(putSql, [kind, key, JSON.stringify(entity)], tx);
    else await db.query('delete from iam_entities where kind = $1 and key = $2', [kind, key], tx);
  };
  return {
    inTransaction: db.inTransaction,
    load: async () => {
      const rows = await db.query<{ entity: IamEntity }>('select entity from iam_entities');
      return rows.map(({ entity }) => entity);
    },
    save: async (tx, changes) => {
      for (const change of changes) await save(tx, change);
    },
  };
};
