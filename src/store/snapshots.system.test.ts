// Copies of metadata databases, on a real PostgreSQL.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MetadataDatabases } from '../airflow/ports.ts';
import { metadataDatabases } from './metadata-databases.ts';
import { startTestDatabase, type TestDatabase } from './testing.ts';

const environment = 'abcdefghijkl';
const [database, copying] = [`airflow_${environment}`, `copying_${environment}`];
const access = { password: 'secret', connections: 5, version: '3.3.1' };
const never = new AbortController().signal;

let t: TestDatabase;
let databases: MetadataDatabases;

const sql = async (text: string, at = 'postgres'): Promise<readonly Record<string, unknown>[]> => {
  const client = new pg.Client(t.server.administrator(at));
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};
const isOpen = async (): Promise<unknown> =>
  (await sql(`select datallowconn from pg_database where datname = '${database}'`))[0]?.['datallowconn'];

beforeAll(async () => {
  t = await startTestDatabase();
  databases = metadataDatabases(t.server);
  await databases.ensureTemplate('base', async () => {});
  await databases.ensure(environment, 'base', access);
  await sql(
    `create table large as select i, repeat(md5(i::text), 20) as text from generate_series(1, 200000) i`,
    database,
  );
}, 60_000);
afterAll(() => t?.end(), 60_000);

test('a copy that is not wanted any more is ended, and its database is open again', async () => {
  const stop = new AbortController();
  const made = databases.snapshot(environment, stop.signal);
  const outcome = made.then(
    () => 'made',
    (error: unknown) => String(error),
  );
  const copies = `select 1 from pg_stat_activity where query like 'create database%' and state = 'active'`;
  while ((await sql(copies)).length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  stop.abort();
  expect(await outcome).toMatch(/cancel/);
  expect(await sql(copies)).toEqual([]);
  expect(await isOpen()).toBe(true);
  expect(await sql(`select 1 from pg_database where datname = '${copying}'`)).toEqual([]);
  expect(await databases.hasSnapshot(environment)).toBe(false);
});

test('a database that was left closed is opened when it is configured', async () => {
  await sql(`alter database ${database} allow_connections false`);
  await databases.ensure(environment, 'base', access);
  expect(await isOpen()).toBe(true);
});

test('a copy takes the place of its database, with the version of its tables', async () => {
  await databases.snapshot(environment, never);
  expect(await isOpen()).toBe(true);
  await databases.setVersion(environment, '3.4.0');
  await sql('drop table large', database);
  await databases.restore(environment);
  expect(await databases.hasSnapshot(environment)).toBe(false);
  expect(await databases.version(environment)).toBe('3.3.1');
  expect(await sql('select count(*)::int as rows from large', database)).toEqual([{ rows: 200000 }]);
});
