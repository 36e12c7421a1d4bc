import pg from 'pg';
import type { EnvironmentId } from '../environments/record.ts';
import { codeOf } from '../lib/errors.ts';
import { goneOf, goneRoles, roleOf } from './metadata-names.ts';

const id = pg.escapeIdentifier;

const dependentObjects = '2BP01';

/** Drops a database, if it is there. Its owner may have made a template of it, which PostgreSQL refuses to drop. */
export const dropDatabase = async (client: pg.Client, database: string): Promise<void> => {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [
    database,
  ]);
  if (rowCount === 1) await client.query(`alter database ${id(database)} is_template false`);
  await client.query(`drop database if exists ${id(database)} with (force)`);
};

const exists = async (client: pg.Client, role: string): Promise<boolean> =>
  (await client.query('select 1 from pg_roles where rolname = $1', [role])).rowCount === 1;

/** Drops a role; false when a privilege that another environment gave it in its own database keeps it. */
const dropped = async (client: pg.Client, role: string): Promise<boolean> => {
  try {
    await client.query(`drop role if exists ${id(role)}`);
    return true;
  } catch (error) {
    if (codeOf(error) !== dependentObjects) throw error;
    return false;
  }
};

/**
 * Drops the role of an environment whose databases are gone. Others may have given it privileges in theirs, which
 * keeps a role in PostgreSQL, and nothing is asked inside of their databases: then it loses its password and its name,
 * and is dropped once those databases are gone too.
 */
export const dropRole = async (client: pg.Client, environment: EnvironmentId): Promise<void> => {
  const role = roleOf(environment);
  if (!(await dropped(client, role)) && (await exists(client, role))) {
    await client.query(`alter role ${id(role)} nologin password null`);
    await client.query(`alter role ${id(role)} rename to ${id(goneOf(environment))}`);
  }
  const { rows } = await client.query<{ role: string }>(
    'select rolname as role from pg_roles where starts_with(rolname, $1)',
    [goneRoles],
  );
  for (const { role: gone } of rows) await dropped(client, gone);
};
