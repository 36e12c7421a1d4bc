import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Place } from './server.ts';

/** How the superuser gets into the PostgreSQL of a place: as root by the account, else by the server's password. */
export const superuserOf = ({ data }: Pick<Place, 'data'>): pg.ClientConfig => {
  const file = join(data, 'secrets', 'database-password');
  const password = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  return { host: join(data, 'run'), user: 'windsock_boot', ...(password === undefined ? {} : { password }) };
};

/** One query to the PostgreSQL of a place, as its superuser. */
export const ownQuery = async <R extends pg.QueryResultRow>(
  place: Place,
  database: string,
  text: string,
): Promise<R[]> => {
  const client = new pg.Client({
    ...superuserOf(place),
    database,
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
};
