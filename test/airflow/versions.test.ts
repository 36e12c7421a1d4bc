// Every Airflow version that Amazon MWAA offers, made, entered, used and removed.
import { beforeAll, describe, expect, test } from 'vitest';
import { askAirflow, assertionFor } from '../harness/assertion.ts';
import { putDag, sayingDag } from '../harness/dags.ts';
import { restPath, runCommand, type Session, signIn } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { endOfExecutor } from '../harness/executor-end.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import { environmentIds, leftOvers, type Place, type Running, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { majorOf, mwaaVersions } from '../harness/versions.ts';
import { stepSeconds, weightOf } from '../harness/weight.ts';

const chosen: readonly string[] = process.env['WINDSOCK_TEST_VERSIONS']?.split(',') ?? mwaaVersions;

let place: Place;
let server: Running;
let mwaa: Mwaa;
let mint: Minter;

const used = useServer();
beforeAll(async () => {
  ({ place, server } = used);
  mwaa = new Mwaa(place);
  mint = new Minter(place);
});

/** One line of the table in docs/measurements.md. */
const tell = (version: string, name: string, machine: Machine): void => {
  const { processes, residentMb, ownMb } = weightOf(machine);
  const took = stepSeconds(place, name);
  const seconds = ['base', 'template', 'ready'].map((step) => `${step} ${took.get(step)?.toFixed(1)} s`);
  process.stdout.write(
    `airflow/versions: ${version}: ${seconds.join(', ')}, ${processes} processes, RSS ${residentMb} MB, PSS ${ownMb} MB\n`,
  );
};

describe.each(chosen)('Airflow %s', (version) => {
  const airflow = majorOf(version);
  const name = `v${version.replaceAll('.', '-')}`;
  const dag = `saying_${version.replaceAll('.', '_')}`;
  const api = restPath(airflow);
  let machine: Machine;
  let session: Session;

  const as = (...roles: string[]) => {
    const user = `${roles.join('-').toLowerCase()}-of-${name}`;
    return (path: string, body?: object) =>
      askAirflow(machine.facts().webPort, path, {
        assertion: assertionFor(place, machine.id, { user, roles }),
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
  };

  test('becomes AVAILABLE', { timeout: 900_000 }, async () => {
    putDag(place, name, 'saying.py', sayingDag(dag, `Airflow ${version} speaks`));
    await mwaa.call('create_environment', newEnvironment(place, name, version));
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 840);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
    machine = await machineOf(place, name);
  });

  test('a web login token opens the REST API, as Admin', async () => {
    session = await signIn(place, mint, name, airflow);
    const dags = await session.get(`${api}/dags`);
    expect(dags.status, dags.text).toBe(200);
    const users = airflow === 2 ? '/users/list/' : '/auth/users/list/';
    const page = await session.get(users);
    expect(page.status).toBe(200);
    expect(page.text).toContain('root');
  });

  test('commands: version, dags list', async () => {
    const answer = await runCommand(place, mint, name, 'version');
    expect(answer.status, answer.stderr).toBe(200);
    expect(answer.stdout.trim()).toBe(version);
    const list = await until('the DAG in the list', 60, async () => {
      const found = await runCommand(place, mint, name, 'dags list -o json');
      return found.stdout.includes(dag) ? found : undefined;
    });
    expect(list.status).toBe(200);
    expect(JSON.parse(list.stdout)).toMatchObject([{ dag_id: dag }]);
  });

  test('past the door nobody gets in without an assertion', async () => {
    const { webPort } = machine.facts();
    const pages =
      airflow === 2
        ? ['/', '/home', '/login/', '/api/v1/dags', '/users/list/', '/static/pin_32.png']
        : ['/', '/auth/login/', '/api/v2/dags', '/api/v2/version', '/docs', '/openapi.json', '/ui/config'];
    for (const path of pages) expect((await askAirflow(webPort, path)).status, path).toBe(401);
    const health = airflow === 2 ? '/health' : '/api/v2/monitor/health';
    expect((await askAirflow(webPort, health)).status).toBe(200);
  });

  test('each role may what it may', async () => {
    const run = (id: string) => ({ dag_run_id: id, ...(airflow === 3 ? { logical_date: null } : {}) });
    const runs = `${api}/dags/${dag}/dagRuns`;
    const viewer = as('Viewer');
    expect((await viewer(`${api}/dags`)).status).toBe(200);
    expect((await viewer(runs, run('by-viewer'))).status).toBe(403);
    const user = as('User');
    const made = await user(runs, run('by-user'));
    expect(made.status, made.text).toBe(200);
    expect((await user(`${api}/variables`)).status).toBe(403);
    const op = as('Op');
    expect((await op(`${api}/variables`, { key: 'made-by', value: 'op' })).status).toBeLessThan(300);
    expect((await op(`${api}/connections`)).status).toBe(200);
    const people = airflow === 2 ? '/users/list/' : '/auth/users/list/';
    expect((await op(people)).status).not.toBe(200);
    expect((await as('Admin')(people)).status).toBe(200);
    expect((await as('Public')(`${api}/dags`)).status).toBe(403);
  });

  test('a run succeeds, and its log is readable', { timeout: 300_000 }, async () => {
    expect((await runCommand(place, mint, name, `dags unpause ${dag}`)).status).toBe(200);
    const trigger = await runCommand(place, mint, name, `dags trigger ${dag} --run-id by-cli`);
    expect(trigger, trigger.stderr).toMatchObject({ status: 200 });
    for (const id of ['by-cli', 'by-user']) {
      const state = await until(`the end of ${id}`, 120, async () => {
        const answer = await session.get(`${api}/dags/${dag}/dagRuns/${id}`);
        const run = JSON.parse(answer.text) as { state: string };
        return ['success', 'failed'].includes(run.state) ? run.state : undefined;
      });
      expect(state).toBe('success');
    }
    const log = `${api}/dags/${dag}/dagRuns/by-cli/taskInstances/speak/logs/1`;
    expect((await session.get(log)).text).toContain(`Airflow ${version} speaks`);
    tell(version, name, machine);
  });

  test.runIf(airflow === 3)('a scheduler that ends waits for no worker for ever', async () => {
    expect(await endOfExecutor(place, version)).toBe('ended');
  });

  test('is removed without a trace', { timeout: 120_000 }, async () => {
    await mwaa.call('delete_environment', { Name: name });
    const { error } = await mwaa.wait(name, 'ResourceNotFoundException', 100);
    expect(error?.status).toBe(404);
    expect(environmentIds(place)).toEqual([]);
  });
});

test('the server stops clean', async () => {
  expect(await stopServer(server)).toBe(0);
  expect(await leftOvers(place)).toEqual([]);
});
