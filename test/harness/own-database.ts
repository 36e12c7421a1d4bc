import { join } from 'node:path';
import pg from 'pg';
import type { Place } from './server.ts';

/** One query to the PostgreSQL of a place, as its superuser. */
export const ownQuery = async <R extends pg.QueryResultRow>(
  place: Place,
  database: string,
  text: string,
): Promise<R[]> => {
  const client = new pg.Client({
    host: join(place.data, 'run'),
    user: 'windsock_boot',
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
