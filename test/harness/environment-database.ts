import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Machine } from './environments.ts';
import type { Place } from './server.ts';

export const databaseOf = ({ id }: Pick<Machine, 'id'>): string => `airflow_${id}`;
export const roleOf = ({ id }: Pick<Machine, 'id'>): string => `environment_${id}`;

/** A connection as the role of an environment, with the password that its code reads in its airflow.cfg. */
export const connectAs = async (
  place: Place,
  machine: Machine,
  database = databaseOf(machine),
): Promise<pg.Client> => {
  const text = readFileSync(join(machine.folder, 'config', 'airflow.cfg'), 'utf8');
  const [, password] = /^sql_alchemy_conn = \S+?:\/\/[^:]+:([^@]+)@/m.exec(text) ?? [];
  const client = new pg.Client({
    host: join(place.data, 'run'),
    user: roleOf(machine),
    password: password ?? '',
    database,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
};
