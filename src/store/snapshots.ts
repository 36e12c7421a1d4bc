import pg from 'pg';
import type { MetadataDatabases } from '../airflow/ports.ts';
import type { EnvironmentId } from '../environments/record.ts';
import { failpoint } from '../lib/failpoint.ts';
import { dropDatabase } from './drop-metadata.ts';
import { copyingOf, databaseOf, roleOf, snapshotOf } from './metadata-names.ts';

const id = pg.escapeIdentifier;

/** Runs work on a connection with the rights of a superuser; a statement may take `patience` milliseconds. */
export type AsAdministrator = <T>(
  database: string,
  work: (client: pg.Client) => Promise<T>,
  patience?: number,
) => Promise<T>;

export interface SnapshotDeps {
  readonly as: AsAdministrator;
  readonly exists: (client: pg.Client, database: string) => Promise<boolean>;
  readonly versionOf: (client: pg.Client, database: string) => Promise<string | undefined>;
  readonly setVersion: (client: pg.Client, database: string, version: string) => Promise<void>;
}

/** Milliseconds that a copy may take: a database of years has many gigabytes. */
const longestCopy = 2 * 3_600_000;

/**
 * Makes `copying` of a database that is closed. A copy that is not wanted any more is cancelled in PostgreSQL: without
 * its client it would go on, and keep the database from everybody.
 */
const copyDatabase = async (
  { as }: SnapshotDeps,
  client: pg.Client,
  [database, copying]: readonly [string, string],
  signal: AbortSignal,
): Promise<void> => {
  signal.throwIfAborted();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const cancel = (): void => {
    as('postgres', (other) => other.query('select pg_cancel_backend($1)', [rows[0]?.pid])).catch(() => {});
  };
  await client.query(`set statement_timeout = ${longestCopy}`);
  // PostgreSQL 14 and later end the copy of a server that was killed
  await client.query(
    `select set_config(name, '5s', false) from pg_settings where name = 'client_connection_check_interval'`,
  );
  signal.addEventListener('abort', cancel);
  try {
    await client.query(`create database ${id(copying)} template ${id(database)} allow_connections false`);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

const makeSnapshot = async (
  deps: SnapshotDeps,
  client: pg.Client,
  environment: EnvironmentId,
  signal: AbortSignal,
): Promise<void> => {
  const [database, copying] = [databaseOf(environment), copyingOf(environment)];
  await dropDatabase(client, copying);
  // PostgreSQL copies a database only while nobody is connected to it.
  await client.query(`alter database ${id(database)} allow_connections false`);
  failpoint('snapshot:closed');
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
  try {
    await copyDatabase(deps, client, [database, copying], signal);
    failpoint('snapshot:copied');
    const version = await deps.versionOf(client, database);
    if (version !== undefined) await deps.setVersion(client, copying, version);
  } finally {
    await client.query(`alter database ${id(database)} allow_connections true`);
  }
  failpoint('snapshot:opened');
  await client.query(`alter database ${id(copying)} rename to ${id(snapshotOf(environment))}`);
};

/**
 * Copies of metadata databases. A copy has its final name only once it is whole and the database it was made of is
 * open again; nobody may connect to it. Nothing is asked inside of either: what an environment has planted there
 * would run with the rights of whoever asks.
 */
export const snapshots = (
  deps: SnapshotDeps,
): Pick<MetadataDatabases, 'snapshot' | 'hasSnapshot' | 'restore' | 'dropSnapshot'> => {
  const { as, exists } = deps;
  return {
    hasSnapshot: (environment) => as('postgres', (client) => exists(client, snapshotOf(environment))),

    snapshot: (environment, signal) =>
      as('postgres', (client) => makeSnapshot(deps, client, environment, signal), longestCopy + 60_000),

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
  };
};
