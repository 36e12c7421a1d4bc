// Real Airflow goes from 2.7.2 over 2.11.2 to 3.3.1 and back, with everything that was in it; and comes back whole
// when its migration fails.
import { beforeAll, expect, test } from 'vitest';
import { putDag, sayingDag } from '../harness/dags.ts';
import { ask, restPath, runCommand, type Session, signIn } from '../harness/door.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import type { Place } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { majorOf } from '../harness/versions.ts';

const name = 'moving';
const words = 'kept through every version';

let place: Place;
let mwaa: Mwaa;
let session: Session;
let version = '2.7.2';

const rest = () => restPath(majorOf(version));
const json = async (path: string) => {
  const answer = await session.get(`${rest()}${path}`);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Record<string, unknown>;
};
const command = (line: string) => runCommand(place, new Minter(place), name, line);

const updateTo = async (wanted: string, status = 'AVAILABLE') => {
  await mwaa.call('update_environment', { Name: name, AirflowVersion: wanted });
  const { environment, seen } = await mwaa.wait(name, status, 500);
  expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe(status);
  if (status === 'AVAILABLE') version = wanted;
  session = await signIn(place, new Minter(place), name, majorOf(version));
  return { environment, seen };
};

const runDag = async (run: string) => {
  await until(
    'the DAG is known',
    120,
    async () => (await session.get(`${rest()}/dags/saying`)).status === 200,
    1000,
  );
  const sent = await ask(place, session.hostname, `${rest()}/dags/saying/dagRuns`, {
    method: 'POST',
    headers: { ...session.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ dag_run_id: run, ...(majorOf(version) === 3 ? { logical_date: null } : {}) }),
  });
  expect(sent.status, sent.text).toBe(200);
  const state = async () => (await json(`/dags/saying/dagRuns/${run}`))['state'];
  await until(`${run} succeeds`, 120, async () => (await state()) === 'success', 1000);
};

/** What was made on 2.7.2 is there, and the log of its task can be read. */
const everythingIsThere = async () => {
  expect(await json('/variables/colour')).toMatchObject({ value: 'green' });
  expect(await json('/connections/warehouse')).toMatchObject({
    host: 'db.example',
    login: 'me',
    schema: 'x',
  });
  expect(await json('/dags/saying/dagRuns/first')).toMatchObject({ state: 'success' });
  const log = await session.get(`${rest()}/dags/saying/dagRuns/first/taskInstances/speak/logs/1`);
  expect(log.text).toContain(words);
};

const used = useServer({ airflow: ['2.7.2', '3.3.1'] });
beforeAll(async () => {
  ({ place } = used);
  putDag(place, name, 'saying.py', sayingDag('saying', words));
  mwaa = new Mwaa(place);
  await mwaa.call('create_environment', newEnvironment(place, name, version));
  const { environment } = await mwaa.wait(name, 'AVAILABLE', 400);
  expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
  session = await signIn(place, new Minter(place), name, 2);
  await command('variables set colour green');
  const connection =
    "connections add warehouse --conn-type postgres --conn-host db.example --conn-schema x --conn-login me --conn-password 's3cret'";
  expect((await command(connection)).stdout).toContain('Successfully added');
  await command('dags unpause saying');
  await runDag('first');
});

test('2.7.2 to 2.11.2 keeps connections, variables, runs and their logs', async () => {
  const { seen } = await updateTo('2.11.2');
  expect(seen).toEqual(['CREATING_SNAPSHOT', 'UPDATING', 'AVAILABLE']);
  await everythingIsThere();
  await runDag('second');
});

test('a migration that fails comes back to the version and the data of before', async () => {
  // a table of a name that the migration to Airflow 3 makes
  const [row] = await ownQuery<{ id: string }>(place, 'windsock', 'select id from environments');
  const database = `airflow_${row?.id}`;
  await ownQuery(place, database, 'create table dag_version (in_the_way integer)');
  const { environment } = await updateTo('3.3.1', 'UPDATE_FAILED');
  expect(environment?.AirflowVersion).toBe('2.11.2');
  expect(environment?.LastUpdate.Error?.ErrorMessage).toMatch(/dag_version/);
  await everythingIsThere();
  await ownQuery(place, database, 'drop table dag_version');
});

test('2.11.2 to 3.3.1 keeps them too, and runs go on', async () => {
  await updateTo('3.3.1');
  await everythingIsThere();
  await runDag('third');
});

test('3.3.1 goes back to 2.11.2 with what it has', async () => {
  await updateTo('2.11.2');
  await everythingIsThere();
  await runDag('fourth');
});
