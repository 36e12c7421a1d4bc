import pg from 'pg';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { CautiousClient } from './cautious-client.ts';
import type { DatabaseServer } from './database-server.ts';
import { bootRole } from './postgres/cluster.ts';

const duplicateObject = '42710';
const duplicateDatabase = '42P04';
/** Any number that no other program's advisory lock uses: servers that start at once prepare one after the other. */
const lock = 7_400_002;

const administrator = async (server: DatabaseServer): Promise<pg.Client> => {
  const client = new CautiousClient({
    ...server.administrator('postgres'),
    connectionTimeoutMillis: 10_000,
    query_timeout: 60_000,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
};

const prepare = async (client: pg.Client, server: DatabaseServer): Promise<void> => {
  const once = async (code: string, sql: string): Promise<void> => {
    await client.query(sql).catch((error: unknown) => {
      if (codeOf(error) !== code) throw error;
    });
  };
  const database = pg.escapeIdentifier(server.own.database ?? '');
  const owner = pg.escapeIdentifier(server.own.user ?? '');
  await client.query('select pg_advisory_lock($1)', [lock]);
  await once(duplicateObject, `create role ${owner} login`);
  await once(duplicateDatabase, `create database ${database} owner ${owner}`);
  await client.query(`revoke connect, temporary on database ${database} from public`);
  if (!server.isEmbedded) return;
  const { password } = server.own;
  if (typeof password === 'string')
    await client.query(`alter role ${owner} password ${pg.escapeLiteral(password)}`);
  // Environments that use up all connections leave those that are reserved (reserved_connections).
  await client.query(`grant pg_use_reserved_connections to ${owner}`);
  await client.query('revoke connect, temporary on database postgres from public');
  // A connection to template1 would block every CREATE DATABASE.
  await client.query('revoke connect, temporary on database template1 from public');
};

/**
 * Makes Windsock's own role and database once, and keeps every other role out of them: any role may connect to
 * any database until that is taken away.
 * @throws WindsockError DatabaseUnreachable, WeakDatabaseLogin
 */
export const prepareOwnDatabase = async (server: DatabaseServer): Promise<void> => {
  const client = await administrator(server).catch((cause: unknown) => {
    if (cause instanceof WindsockError) throw cause;
    const text = `PostgreSQL cannot be reached: ${textOf(cause)}`;
    throw new WindsockError('DatabaseUnreachable', text, { cause });
  });
  try {
    await prepare(client, server);
  } finally {
    await client.end().catch(() => {});
  }
};

/** True when anybody but Windsock's administrator is connected; false also when that cannot be asked. */
export const othersAreConnected = async (server: DatabaseServer): Promise<boolean> => {
  const client = await administrator(server).catch(() => undefined);
  if (!client) return false;
  try {
    const { rowCount } = await client.query(
      `select 1 from pg_stat_activity where backend_type = 'client backend' and usename <> $1 limit 1`,
      [bootRole],
    );
    return rowCount !== 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
};
