import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from '../config/data-folder.ts';
import type { Log } from '../lib/log.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type DatabaseServer, embeddedServer, externalServer } from '../store/database-server.ts';
import { migrate } from '../store/migrate.ts';
import { installBinaries } from '../store/postgres/binaries.ts';
import { ensureCluster } from '../store/postgres/cluster.ts';
import { startPostgres } from '../store/postgres/supervisor.ts';
import { prepareOwnDatabase } from '../store/prepare-own-database.ts';
import type { ServerAccounts } from './accounts.ts';

export interface OwnDatabase {
  readonly server: DatabaseServer;
  readonly db: Database;
  /** Closes the pool and stops the embedded server. */
  stop(): Promise<void>;
  /** Closes the pool only: another server uses this PostgreSQL. */
  leave(): Promise<void>;
}

export interface OwnDatabaseOptions {
  readonly folders: DataFolder;
  readonly accounts: ServerAccounts | undefined;
  /** A PostgreSQL of the user's own. */
  readonly url: string | undefined;
  readonly log: Log;
}

/** Ten environments of the largest class stay below this; an idle connection costs next to nothing. */
const maxConnections = 300;

const startEmbedded = async (
  o: OwnDatabaseOptions,
): Promise<{ server: DatabaseServer; stop: () => Promise<void> }> => {
  const account = o.accounts?.postgres;
  const binaries = installBinaries(o.folders.programs);
  const own = (folder: string, mode: number): string => {
    mkdirSync(folder, { recursive: true, mode });
    if (account) chownSync(folder, account.uid, account.gid);
    chmodSync(folder, mode);
    return folder;
  };
  own(o.folders.postgres, 0o700);
  // Everybody connects to the socket in it, nobody else may replace it.
  const socketFolder = own(o.folders.sockets, account ? 0o755 : 0o700);
  const place = { binaries, folder: join(o.folders.postgres, 'data'), account };
  await ensureCluster(place, { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' });
  const logFile = join(o.folders.logs, 'postgres.log');
  const postgres = await startPostgres({ ...place, socketFolder, logFile, maxConnections, log: o.log });
  return { server: embeddedServer(socketFolder, account?.name), stop: () => postgres.stop() };
};

/** Starts or finds PostgreSQL, makes Windsock's own database and brings its tables up to date. */
export const openOwnDatabase = async (o: OwnDatabaseOptions): Promise<OwnDatabase> => {
  const running =
    o.url === undefined ? await startEmbedded(o) : { server: externalServer(o.url), stop: async () => {} };
  try {
    await prepareOwnDatabase(running.server);
    const db = openDatabase(running.server.own, (error) =>
      o.log.warn('database connection lost', { reason: error.message }),
    );
    await migrate(db);
    return {
      server: running.server,
      db,
      leave: () => db.close().catch(() => {}),
      stop: async () => {
        await db.close().catch(() => {});
        await running.stop();
      },
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
};
