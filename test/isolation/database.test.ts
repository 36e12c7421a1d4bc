// What the database role of one environment may do to others, and to the superuser that keeps house.
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectAs, databaseOf, roleOf } from '../harness/environment-database.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { ownQuery } from '../harness/own-database.ts';
import { Rig } from '../harness/rig.ts';

let rig: Rig;
let attacker: Machine;
let victim: Machine;
let own: pg.Client;

/** `done`, or PostgreSQL's code for why not. */
const outcome = (text: string, client = own): Promise<string> =>
  client.query(text).then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  );

const denied = '42501';

const superuser = <R extends pg.QueryResultRow>(text: string) => ownQuery<R>(rig.place, 'postgres', text);

beforeAll(async () => {
  rig = await Rig.make();
  for (const name of ['attacker', 'victim']) await rig.create(name, '3.3.1');
  for (const name of ['attacker', 'victim']) await rig.available(name);
  [attacker, victim] = [await machineOf(rig.place, 'attacker'), await machineOf(rig.place, 'victim')];
  own = await connectAs(rig.place, attacker);
}, 120_000);

afterAll(async () => {
  await own?.end().catch(() => {});
  await rig?.remove();
}, 120_000);

describe('the role of an environment', () => {
  test('owns its database, and is nothing more', async () => {
    expect(await outcome('create table mine (x int)')).toBe('done');
    const { rows } = await own.query(
      'select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = current_user',
    );
    expect(Object.values(rows[0])).toEqual([false, false, false, false, false]);
    const members = 'select 1 from pg_auth_members where member = current_user::regrole';
    expect((await own.query(members)).rowCount).toBe(0);
  });

  test('connects to its own database only', async () => {
    const all = await superuser<{ datname: string }>('select datname from pg_database');
    const names = all.map((row) => row.datname);
    expect(names).toEqual(expect.arrayContaining(['postgres', 'windsock', databaseOf(victim)]));
    const open: string[] = [];
    for (const name of names)
      await connectAs(rig.place, attacker, name).then(
        (client) => {
          open.push(name);
          return client.end();
        },
        () => {},
      );
    expect(open).toEqual([databaseOf(attacker)]);
  });

  test('reads no files, runs no programs, loads no code', async () => {
    const file = join(rig.place.data, 'secrets', 'root-access-key.json');
    for (const text of [
      `select pg_read_file('${file}')`,
      `select pg_read_binary_file('PG_VERSION')`,
      `select pg_ls_dir('.')`,
      `copy mine from '${file}'`,
      `copy mine to '/tmp/windsock-copied'`,
      `copy mine from program 'id'`,
      `copy mine to program 'cat'`,
      `select lo_import('${file}')`,
      `select lo_export(lo_creat(-1), '/tmp/windsock-exported')`,
      `create function run(text) returns int language c as '$libdir/plpgsql', 'plpgsql_call_handler'`,
      `create function run(text) returns int language internal as 'int4pl'`,
      `load '/tmp/windsock.so'`,
      `create event trigger each on ddl_command_end execute function pg_catalog.suppress_redundant_updates_trigger()`,
      'create subscription s connection $$host=/tmp$$ publication p',
    ])
      expect(await outcome(text), text).toMatch(/^(42501|42704|58P01|42883)$/);
    for (const extension of ['dblink', 'postgres_fdw', 'file_fdw', 'plpython3u', 'adminpack'])
      expect(await outcome(`create extension ${extension}`), extension).not.toBe('done');
  });

  test('reads no passwords, and nothing of what others ask', async () => {
    const other = await connectAs(rig.place, victim);
    const secret = `select 'a word of the victim'`;
    await other.query(secret);
    const seen = await own.query<{ query: string; usename: string }>('select * from pg_stat_activity');
    expect(JSON.stringify(seen.rows)).not.toContain('a word of the victim');
    const kept = await superuser<{ query: string }>('select query from pg_stat_activity');
    expect(kept.map((row) => row.query)).toContain(secret);
    for (const text of [
      'select * from pg_authid',
      'select * from pg_shadow',
      'select * from pg_file_settings',
    ])
      expect(await outcome(text), text).toBe(denied);
    await other.end();
  });

  test('ends nobody, changes nobody, becomes nobody', async () => {
    const other = await connectAs(rig.place, victim);
    const pid = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
    for (const text of [
      `select pg_terminate_backend(${pid})`,
      `select pg_cancel_backend(${pid})`,
      `alter role ${roleOf(victim)} password 'x'`,
      `alter role ${roleOf(victim)} set search_path = x`,
      'alter role windsock_boot set search_path = x',
      'alter role current_user superuser',
      'alter role current_user connection limit -1',
      `grant ${roleOf(victim)} to current_user`,
      `grant ${roleOf(attacker)} to ${roleOf(victim)}`,
      `set role ${roleOf(victim)}`,
      'set session authorization windsock_boot',
      `alter database ${databaseOf(victim)} set search_path = x`,
      'alter database postgres set search_path = x',
      'alter database template1 set search_path = x',
      `alter database ${databaseOf(attacker)} owner to ${roleOf(victim)}`,
      `alter database ${databaseOf(attacker)} set session_preload_libraries = 'x'`,
      `create database other template ${databaseOf(attacker)}`,
      `alter system set search_path = x`,
      'select pg_reload_conf()',
    ])
      expect(await outcome(text), text).toBe(denied);
    expect((await other.query('select 1')).rowCount).toBe(1);
    await other.end();
  });

  test('hears nothing of other databases', async () => {
    const heard: string[] = [];
    own.on('notification', ({ payload }) => heard.push(payload ?? ''));
    const other = await connectAs(rig.place, victim);
    await own.query('listen words');
    await other.query(`notify words, 'the victim'`);
    await ownQuery(rig.place, 'windsock', `notify words, 'windsock'`);
    await own.query(`notify words, 'itself'`);
    await own.query('select 1');
    expect(heard).toEqual(['itself']);
    await other.end();
  });
});
