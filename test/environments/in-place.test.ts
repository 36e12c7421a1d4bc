// Real Airflow is changed while it works: people are let in all the time, running tasks end or are stopped as was asked
// for, and settings that it cannot start with are taken back.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { putDag } from '../harness/dags.ts';
import { ask, restPath, type Session, signIn } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import { type Place, serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { majorOf } from '../harness/versions.ts';

const full = process.env['WINDSOCK_TEST_FULL'] === '1';
const versions = full ? (['2.7.2', '3.3.1'] as const) : (['3.3.1'] as const);

/** Its task writes a line a second until a file says that it may end. */
const waitingDag = `import os, time
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="waiting", schedule=None, start_date=datetime(2024, 1, 1), catchup=False, is_paused_upon_creation=False)
def waiting():
    @task
    def wait(dag_run=None):
        file = os.path.join(os.environ["AIRFLOW_HOME"], dag_run.run_id)
        for number in range(600):
            print("one more beat")
            with open(file, "a") as beats:
                beats.write(f"{number}\\n")
            if os.path.exists(os.path.join(os.path.dirname(__file__), "enough")):
                return number
            time.sleep(1)

    wait()


waiting()
`;

describe.each(versions)('Airflow %s', (version) => {
  const name = 'steady';
  const rest = `${restPath(majorOf(version))}/dags/waiting`;
  let place: Place;
  let mwaa: Mwaa;
  let machine: Machine;
  let session: Session;

  const used = useServer({ airflow: [version] });
  beforeAll(async () => {
    ({ place } = used);
    putDag(place, name, 'waiting.py', waitingDag);
    mwaa = new Mwaa(place);
    await mwaa.call('create_environment', newEnvironment(place, name, version));
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 400);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
    machine = await machineOf(place, name);
    session = await signIn(place, new Minter(place), name, majorOf(version));
    await until('the DAG is known', 120, async () => (await session.get(rest)).status === 200, 1000);
  });

  const enough = () => join(place.data, 'buckets', name, 'dags', 'enough');
  const beats = (run: string): readonly string[] => {
    const file = join(machine.home, run);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const stateOf = async (run: string) =>
    (JSON.parse((await session.get(`${rest}/dagRuns/${run}`)).text) as { state: string }).state;
  const trigger = async (run: string) => {
    const body = { dag_run_id: run, ...(majorOf(version) === 3 ? { logical_date: null } : {}) };
    const sent = await ask(place, session.hostname, `${rest}/dagRuns`, {
      method: 'POST',
      headers: { ...session.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(sent.status, sent.text).toBe(200);
    await until('the task runs', 60, () => beats(run).length > 0);
  };
  const update = (more: object) => mwaa.call('update_environment', { Name: name, ...more });

  test('GRACEFUL lets a running task end, with people let in all the time; the new setting then counts', async () => {
    await trigger('patient');
    const statuses = new Set<number>();
    let done = false;
    const watching = (async () => {
      while (!done) statuses.add((await session.get(rest)).status);
    })();
    await update({
      AirflowConfigurationOptions: { 'core.default_task_retries': '4' },
      WorkerReplacementStrategy: 'GRACEFUL',
    });
    const seen = beats('patient').length;
    await until('it goes on', 30, () => beats('patient').length > seen + 4);
    expect((await mwaa.wait(name, 'UPDATING', 5)).environment?.Status).toBe('UPDATING');
    putDag(place, name, 'enough', '');
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 200);
    done = true;
    await watching;
    expect(environment?.LastUpdate.Status).toBe('SUCCESS');
    expect([...statuses]).toEqual([200]);
    await until('the run succeeds', 60, async () => (await stateOf('patient')) === 'success', 1000);
    expect(beats('patient')).toEqual(beats('patient').map((_, number) => String(number)));
    const config = readFileSync(join(machine.folder, 'config', 'airflow.cfg'), 'utf8');
    expect(config).toContain('default_task_retries = 4');
    rmSync(enough());
  });

  test('FORCED stops a running task', async () => {
    await until('the file is gone', 20, () => !existsSync(join(machine.folder, 'dags', 'enough')));
    await trigger('cut');
    await update({
      AirflowConfigurationOptions: {},
      LoggingConfiguration: { TaskLogs: { Enabled: true, LogLevel: 'ERROR' } },
      WorkerReplacementStrategy: 'FORCED',
    });
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 200);
    expect(environment?.LastUpdate.Status).toBe('SUCCESS');
    // Airflow may begin the task anew, from 0, once it has seen that its scheduler is gone
    const firstTry = () => {
      const all = beats('cut');
      const again = all.indexOf('0', 1);
      return again < 0 ? all.length : again;
    };
    const after = firstTry();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(firstTry()).toBe(after);
  });

  test('the level of task logs counts for tasks', async () => {
    const logOf = async (run: string) =>
      (await session.get(`${rest}/dagRuns/${run}/taskInstances/wait/logs/1`)).text;
    await until(
      'the log of before',
      30,
      async () => (await logOf('patient')).includes('one more beat'),
      1000,
    );
    putDag(place, name, 'enough', '');
    await trigger('quiet');
    await until('the run succeeds', 90, async () => (await stateOf('quiet')) === 'success', 1000);
    expect(await logOf('quiet')).not.toContain('one more beat');
    rmSync(enough());
  });

  test.runIf(full)(
    'what the scheduler does not start with is taken back, and the cause is said',
    async () => {
      await update({ AirflowConfigurationOptions: { 'scheduler.max_tis_per_query': 'many' } });
      const { environment } = await mwaa.wait(name, 'UPDATE_FAILED', 300);
      expect(environment?.Status).toBe('UPDATE_FAILED');
      expect(environment?.LastUpdate.Error?.ErrorMessage).toMatch(/max_tis_per_query/);
      const answer = await session.get(rest);
      expect(answer.status, `${answer.text}\n${serverLog(place).slice(-5000)}`).toBe(200);
      const healthy = await session.get(majorOf(version) === 2 ? '/health' : '/api/v2/monitor/health');
      expect(JSON.parse(healthy.text)).toMatchObject({ scheduler: { status: 'healthy' } });
    },
  );
});
