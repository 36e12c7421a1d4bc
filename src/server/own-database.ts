import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mostConnections } from '../airflow/classes.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { WindsockError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Account } from '../lib/process.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type DatabaseServer, embeddedServer, externalServer } from '../store/database-server.ts';
import { migrate } from '../store/migrate.ts';
import { programsFor } from '../store/postgres/binaries.ts';
import { clusterMajor, ensureCluster } from '../store/postgres/cluster.ts';
import { demandPassword, passwordIn } from '../store/postgres/own-password.ts';
import { type Postgres, type PostgresStatus, startPostgres } from '../store/postgres/supervisor.ts';
import { othersAreConnected, prepareOwnDatabase } from '../store/prepare-own-database.ts';
import type { ServerAccounts } from './accounts.ts';

/** How PostgreSQL is; `external` when it is one of the user's own, of which nothing more is known. */
export type OwnDatabaseStatus =
  | PostgresStatus
  | (Omit<PostgresStatus, 'state'> & { readonly state: 'external' });

export interface OwnDatabase {
  readonly server: DatabaseServer;
  readonly db: Database;
  status(): OwnDatabaseStatus;
  /** Closes the pool and stops the embedded server. */
  stop(): Promise<void>;
  /** Closes the pool only: the embedded server runs on, and nothing here looks after it any more. */
  leave(): Promise<void>;
}

export interface OwnDatabaseOptions {
  readonly folders: DataFolder;
  readonly accounts: Pick<ServerAccounts, 'postgres'> | undefined;
  /** A PostgreSQL of the user's own. */
  readonly url: string | undefined;
  /** How many there may be; by default as many as MWAA allows. */
  readonly environments?: number;
  readonly log: Log;
}

const usualEnvironments = 10;

/** The folder of the embedded server's cluster. */
export const clusterFolder = (folders: DataFolder): string => join(folders.postgres, 'data');

/** PostgreSQL's superuser_reserved_connections: for making and dropping databases, and for backups. */
const superuserConnections = 3;

/** The connections that PostgreSQL lets in for so many environments, each of the largest class. */
const limitsFor = (environments: number) => {
  // Windsock's own: the pool, ownership, notifications, and one for the lock of each environment that is being acted
  // on, with some to spare
  const ownConnections = 10 + 2 + environments + 8;
  const maxConnections = environments * mostConnections + ownConnections + superuserConnections;
  return { maxConnections, ownConnections };
};

/** A PostgreSQL in the data folder, looked after until it is stopped or left. */
export interface Embedded {
  readonly server: DatabaseServer;
  readonly postgres: Postgres;
}

/** Nothing of a cluster is touched that another account made: PostgreSQL would not start, nor let this one in. */
const checkOwner = (folder: string, account: Account | undefined): void => {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (owner === undefined || owner === (account?.uid ?? process.geteuid?.())) return;
  throw new WindsockError(
    'OtherAccount',
    `The databases in ${folder} belong to another account (number ${owner}). Run this as the account that made the data folder.`,
  );
};

/**
 * Starts the embedded PostgreSQL of a data folder, or takes over the one that runs there.
 * @throws WindsockError OtherAccount, NoEmbeddedPostgres, PostgresMajorMissing, ClusterNotMade, PostgresNotStarted
 */
export const startEmbedded = async (o: Omit<OwnDatabaseOptions, 'url'>): Promise<Embedded> => {
  const account = o.accounts?.postgres;
  const folder = clusterFolder(o.folders);
  checkOwner(folder, account);
  const programs = await programsFor(clusterMajor(folder), o.folders.programs);
  if (programs.warning !== undefined)
    o.log.warn('postgres not renewed', { reason: programs.warning, version: programs.version });
  const own = (path: string, mode: number): string => {
    mkdirSync(path, { recursive: true, mode });
    if (account) chownSync(path, account.uid, account.gid);
    chmodSync(path, mode);
    return path;
  };
  own(o.folders.postgres, 0o700);
  // Everybody connects to the socket in it, nobody else may replace it.
  const socketFolder = own(o.folders.sockets, account ? 0o755 : 0o700);
  // Under accounts of their own DAGs are told from this process by PostgreSQL itself.
  const passwordFile = account ? undefined : join(o.folders.secrets, 'database-password');
  const password = passwordFile === undefined ? undefined : () => passwordIn(passwordFile);
  const place = { binaries: programs.folder, folder, account, ...(password ? { password } : {}) };
  await ensureCluster(place, { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' });
  const logFile = join(o.folders.logs, 'postgres.log');
  const limits = limitsFor(o.environments ?? usualEnvironments);
  const postgres = await startPostgres({ ...place, ...limits, socketFolder, logFile, log: o.log });
  const embedded = () => ({ server: embeddedServer(socketFolder, account?.name, password?.()), postgres });
  try {
    if (passwordFile !== undefined) await demandPassword(place, socketFolder, passwordFile);
    return embedded();
  } catch (error) {
    await stopUnlessUsed(embedded());
    throw error;
  }
};

/** Ends PostgreSQL, unless another server uses it. */
export const stopUnlessUsed = async ({ server, postgres }: Embedded): Promise<void> => {
  if (await othersAreConnected(server)) postgres.leave();
  else await postgres.stop();
};

const openAt = async (o: OwnDatabaseOptions, server: DatabaseServer): Promise<Database> => {
  await prepareOwnDatabase(server);
  const db = openDatabase(server.own, (error) =>
    o.log.warn('database connection lost', { reason: error.message }),
  );
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.close().catch(() => {});
    throw error;
  }
};

const openExternal = async (o: OwnDatabaseOptions, url: string): Promise<OwnDatabase> => {
  const server = externalServer(url);
  const db = await openAt(o, server);
  const since = Date.now();
  const close = () => db.close().catch(() => {});
  return {
    server,
    db,
    status: () => ({
      state: 'external',
      since,
      pid: undefined,
      restarts: 0,
      adopted: false,
      lastError: undefined,
    }),
    leave: close,
    stop: close,
  };
};

/** Starts or finds PostgreSQL, makes Windsock's own database and brings its tables up to date. */
export const openOwnDatabase = async (o: OwnDatabaseOptions): Promise<OwnDatabase> => {
  if (o.url !== undefined) return openExternal(o, o.url);
  const embedded = await startEmbedded(o);
  const { server, postgres } = embedded;
  try {
    const db = await openAt(o, server);
    return {
      server,
      db,
      status: () => postgres.status(),
      leave: async () => {
        postgres.leave();
        await db.close().catch(() => {});
      },
      stop: async () => {
        await db.close().catch(() => {});
        await postgres.stop();
      },
    };
  } catch (error) {
    await stopUnlessUsed(embedded);
    throw error;
  }
};
