import pg from 'pg';
import type { MetadataDatabases } from '../airflow/ports.ts';
import { failpoint } from '../lib/failpoint.ts';
import { dropDatabase } from './drop-metadata.ts';
import { copyingOf, databaseOf, roleOf, snapshotOf } from './metadata-names.ts';

const id = pg.escapeIdentifier;

export interface SnapshotDeps {
  /** Runs work on a connection with the rights of a superuser. */
  readonly as: <T>(database: string, work: (client: pg.Client) => Promise<T>) => Promise<T>;
  readonly exists: (client: pg.Client, database: string) => Promise<boolean>;
  readonly versionOf: (client: pg.Client, database: string) => Promise<string | undefined>;
  readonly setVersion: (client: pg.Client, database: string, version: string) => Promise<void>;
}

/**
 * Copies of metadata databases. A copy has its final name only once it is whole and the database it was made of is
 * open again; nobody may connect to it. Nothing is asked inside of either: what an environment has planted there
 * would run with the rights of whoever asks.
 */
export const snapshots = ({
  as,
  exists,
  versionOf,
  setVersion,
}: SnapshotDeps): Pick<MetadataDatabases, 'snapshot' | 'hasSnapshot' | 'restore' | 'dropSnapshot'> => ({
  hasSnapshot: (environment) => as('postgres', (client) => exists(client, snapshotOf(environment))),

  snapshot: (environment) =>
    as('postgres', async (client) => {
      const [database, copying] = [databaseOf(environment), copyingOf(environment)];
      await dropDatabase(client, copying);
      // PostgreSQL copies a database only while nobody is connected to it.
      await client.query(`alter database ${id(database)} allow_connections false`);
      failpoint('snapshot:closed');
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
        database,
      ]);
      try {
        await client.query(`create database ${id(copying)} template ${id(database)} allow_connections false`);
        failpoint('snapshot:copied');
        const version = await versionOf(client, database);
        if (version !== undefined) await setVersion(client, copying, version);
      } finally {
        await client.query(`alter database ${id(database)} allow_connections true`);
      }
      failpoint('snapshot:opened');
      await client.query(`alter database ${id(copying)} rename to ${id(snapshotOf(environment))}`);
    }),

  restore: (environment) =>
    as('postgres', async (client) => {
      const [database, snapshot] = [databaseOf(environment), snapshotOf(environment)];
      if (!(await exists(client, snapshot))) return;
      await dropDatabase(client, database);
      failpoint('restore:dropped');
      await client.query(`revoke connect, temporary on database ${id(snapshot)} from public`);
      await client.query(`alter database ${id(snapshot)} owner to ${id(roleOf(environment))}`);
      failpoint('restore:given-back');
      await client.query(`alter database ${id(snapshot)} allow_connections true`);
      failpoint('restore:opened');
      // Last: without the name of a copy there is nothing to restore any more.
      await client.query(`alter database ${id(snapshot)} rename to ${id(database)}`);
    }),

  dropSnapshot: (environment) =>
    as('postgres', async (client) => {
      await dropDatabase(client, snapshotOf(environment));
    }),
});
