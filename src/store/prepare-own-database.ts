import pg from 'pg';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { CautiousClient } from './cautious-client.ts';
import type { DatabaseServer } from './database-server.ts';

const duplicateObject = '42710';
const duplicateDatabase = '42P04';

/**
 * Makes Windsock's own role and database once, and keeps every other role out of them: any role may connect to
 * any database until that is taken away.
 * @throws WindsockError DatabaseUnreachable, WeakDatabaseLogin
 */
export const prepareOwnDatabase = async (server: DatabaseServer): Promise<void> => {
  const client = new CautiousClient({ ...server.administrator('postgres'), connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect().catch((cause: unknown) => {
    if (cause instanceof WindsockError) throw cause;
    throw new WindsockError('DatabaseUnreachable', `PostgreSQL cannot be reached: ${textOf(cause)}`, {
      cause,
    });
  });
  const once = async (code: string, sql: string): Promise<void> => {
    await client.query(sql).catch((error: unknown) => {
      if (codeOf(error) !== code) throw error;
    });
  };
  const database = pg.escapeIdentifier(server.own.database ?? '');
  const owner = pg.escapeIdentifier(server.own.user ?? '');
  try {
    await once(duplicateObject, `create role ${owner} login`);
    await once(duplicateDatabase, `create database ${database} owner ${owner}`);
    await client.query(`revoke connect, temporary on database ${database} from public`);
    if (server.peer !== undefined || server.own.password === undefined) {
      await client.query('revoke connect, temporary on database postgres from public');
      // A connection to template1 would block every CREATE DATABASE.
      await client.query('revoke connect, temporary on database template1 from public');
    }
  } finally {
    await client.end();
  }
};
