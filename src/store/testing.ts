import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAccount } from '../lib/accounts.ts';
import { silentLog } from '../lib/log.ts';
import { type Database, openDatabase } from './database.ts';
import { type DatabaseServer, embeddedServer } from './database-server.ts';
import { migrate } from './migrate.ts';
import { programsFor } from './postgres/binaries.ts';
import { ensureCluster } from './postgres/cluster.ts';
import { startPostgres } from './postgres/supervisor.ts';
import { prepareOwnDatabase } from './prepare-own-database.ts';

const isRoot = process.getuid?.() === 0;

/** A real PostgreSQL with Windsock's own database, for tests; `end` stops it and removes its folder. */
export interface TestDatabase {
  readonly db: Database;
  /** Another pool on the same database, as a second server would have. */
  readonly another: () => Database;
  readonly server: DatabaseServer;
  readonly end: () => Promise<void>;
}

/** Starts an empty PostgreSQL in a folder of its own. */
export const startTestDatabase = async (): Promise<TestDatabase> => {
  const place = mkdtempSync(join(tmpdir(), 'windsock-store-'));
  chmodSync(place, 0o755);
  const account = isRoot ? await ensureAccount('windsock-pg') : undefined;
  const own = (name: string, mode: number): string => {
    const folder = join(place, name);
    mkdirSync(folder, { mode });
    if (account) chownSync(folder, account.uid, account.gid);
    return folder;
  };
  const folder = join(own('postgres', 0o700), 'data');
  const socketFolder = own('run', 0o755);
  const { folder: binaries } = await programsFor(undefined, join(place, 'programs'));
  const cluster = { binaries, folder, account };
  await ensureCluster(cluster, { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' });
  const limits = { maxConnections: 60, ownConnections: 40 };
  const logFile = join(place, 'log');
  const postgres = await startPostgres({ ...cluster, ...limits, socketFolder, logFile, log: silentLog });
  const server = embeddedServer(socketFolder, account?.name);
  const pools: Database[] = [];
  const another = (): Database => {
    const db = openDatabase(server.own, () => {});
    pools.push(db);
    return db;
  };
  await prepareOwnDatabase(server);
  const db = another();
  await migrate(db);
  return {
    db,
    another,
    server,
    end: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await postgres.stop();
      rmSync(place, { recursive: true, force: true });
    },
  };
};
