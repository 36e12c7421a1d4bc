// What the role of an environment leaves in its database: nobody with more rights runs it, and nobody is held up by it.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { connectAs, databaseOf, roleOf } from '../harness/environment-database.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { ownQuery } from '../harness/own-database.ts';
import { Rig } from '../harness/rig.ts';
import { migrations } from '../harness/trivial-airflow.ts';
import { runWindsock } from '../harness/windsock.ts';

let rig: Rig;
let attacker: Machine;
let victim: Machine;

const superuser = <R extends Record<string, unknown>>(text: string, database = 'postgres') =>
  ownQuery<R>(rig.place, database, text);

const asAttacker = async (...texts: readonly string[]): Promise<void> => {
  const client = await connectAs(rig.place, attacker);
  try {
    for (const text of texts) await client.query(text);
  } finally {
    await client.end();
  }
};

beforeAll(async () => {
  rig = await Rig.make();
  for (const name of ['attacker', 'victim']) await rig.create(name, '3.2.1');
  for (const name of ['attacker', 'victim']) await rig.available(name);
  [attacker, victim] = [await machineOf(rig.place, 'attacker'), await machineOf(rig.place, 'victim')];
}, 120_000);

afterAll(async () => {
  await rig?.remove();
}, 120_000);

/** Whoever runs one of these in this database is written down. */
const traps = [
  'create table caught (who text, what text)',
  'grant insert on caught to public',
  'create schema traps',
  'grant usage on schema traps to public',
  `create function traps.spring(what text) returns bool language plpgsql as
   $$ begin insert into public.caught values (current_user, what); return true; end $$`,
  `create view traps.pg_database as select *, traps.spring('a view') from pg_catalog.pg_database`,
  `create view traps.pg_roles as select *, traps.spring('a view') from pg_catalog.pg_roles`,
  `create view traps.pg_stat_activity as select *, traps.spring('a view') from pg_catalog.pg_stat_activity`,
  `create function traps.pg_terminate_backend(int) returns bool language sql as $$ select traps.spring('a function') $$`,
  `create function traps.same(oid, oid) returns bool language sql as $$ select traps.spring('an operator') $$`,
  'create operator traps.= (leftarg = oid, rightarg = oid, function = traps.same)',
  `create function traps.cast(public.caught) returns text language sql as $$ select traps.spring('a cast')::text $$`,
  'create cast (public.caught as text) with function traps.cast(public.caught) as implicit',
  `create table watched as select 1 as x`,
  `create function traps.each() returns trigger language plpgsql as $$ begin perform traps.spring('a trigger'); return new; end $$`,
  'create trigger each before insert or update or delete on watched for each row execute function traps.each()',
  `create index on watched ((traps.unchanged(x)))`,
];

const unchanged = `create function traps.unchanged(int) returns int language plpgsql immutable as
  $$ begin perform traps.spring('an index'); return $1; end $$`;

test('the superuser’s work never runs what an environment has planted', async () => {
  const database = databaseOf(attacker);
  const [before, last] = [traps.slice(0, -1), traps.at(-1) ?? ''];
  await asAttacker(
    ...before,
    unchanged,
    last,
    `alter database ${database} set search_path = traps, pg_catalog, public`,
    `alter role ${roleOf(attacker)} set search_path = traps, pg_catalog, public`,
  );
  const caught = () =>
    superuser<{ who: string }>('select distinct who::text from public.caught order by who', database);
  await asAttacker('select * from pg_database');
  expect((await caught()).map((row) => row.who)).toEqual([roleOf(attacker)]);
  await rig.stop();
  await rig.start();
  await rig.available('attacker');
  const file = join(rig.place.folder, 'backup.tar.gz');
  const backup = await runWindsock(rig.place, ['backup', file]);
  expect(backup.code, backup.stderr).toBe(0);
  await rig.api.update('attacker', { AirflowVersion: '3.3.1' });
  await delay(500);
  await rig.available('attacker');
  expect((await rig.api.find('attacker'))?.AirflowVersion).toBe('3.3.1');
  expect((await caught()).map((row) => row.who)).toEqual([roleOf(attacker)]);
  // Migrations run what an environment has put into its database (pickle): in its view; that of a template needs none.
  expect(migrations(rig.place)).toEqual([
    { by: '3.2.1', down: false, sees: 'open' },
    { by: '3.3.1', down: false, sees: isRoot ? 'covered' : expect.any(String) },
  ]);
  // The traps are real: whoever asks here by hand is caught.
  await superuser('select datname from pg_database', database);
  expect((await caught()).map((row) => row.who)).toContain('windsock_boot');
}, 180_000);

test.each([
  ['a database', 'database:copied', '3.3.1', /^airflow_/],
  ['the template of a version', 'template:database-made', '2.7.2', /^unfinished_/],
])(
  '%s lets nobody else in while it is made',
  async (_, failpoint, version, name) => {
    const known = [databaseOf(attacker), databaseOf(victim)];
    rig.failpoints.sleepAt(failpoint, 1_500);
    await rig.create('third', version);
    const made = await rig.wait('the database', 60, async () => {
      const all = await superuser<{ datname: string }>('select datname from pg_database');
      return all.map((row) => row.datname).find((found) => name.test(found) && !known.includes(found));
    });
    await expect(connectAs(rig.place, attacker, made)).rejects.toThrow(/not currently accepting|permission/);
    await (await connectAs(rig.place, attacker)).end();
    rig.failpoints.disarm();
    await rig.available('third');
    await rig.api.delete('third');
    await rig.gone('third');
  },
  120_000,
);

test('an environment is deleted, whatever it and its neighbours did to its database and role', async () => {
  await asAttacker(
    'create table shared (x int)',
    `grant select on shared to ${roleOf(victim)}`,
    `grant connect on database ${databaseOf(attacker)} to ${roleOf(victim)}`,
    `alter database ${databaseOf(attacker)} is_template true`,
  );
  for (const name of ['victim', 'attacker']) {
    await rig.api.delete(name);
    await rig.gone(name);
  }
  const left = await superuser<{ name: string }>(
    `select datname::text as name from pg_database where datname ~ '${attacker.id}|${victim.id}'
     union all select rolname from pg_roles where rolname ~ '${attacker.id}|${victim.id}'`,
  );
  expect(left).toEqual([]);
}, 120_000);
