// Real Airflow outlives its server: a task runs through crashes, an upgrade, and ends with everything else at a stop.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putDag } from '../harness/dags.ts';
import { restPath, runCommand, signIn } from '../harness/door.ts';
import { Failpoints } from '../harness/failpoints.ts';
import { prepare } from '../harness/golden.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import {
  environmentIds,
  launch,
  leftOvers,
  makePlace,
  type Place,
  processesAt,
  type Running,
  removePlace,
  serverLog,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

const full = process.env['WINDSOCK_TEST_FULL'] === '1';
const versions = full ? (['2.7.2', '3.3.1'] as const) : (['3.3.1'] as const);

/** A task that writes a line a second until a file says that it may end, and a shell task that does the same. */
const beatingDag = `import os, time
from datetime import datetime, timedelta

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator


# a machine that has too much to do may not let a task reach its API server in Airflow's five seconds: it begins again
again = {"retries": 5, "retry_delay": timedelta(seconds=5)}


@dag(dag_id="beating", schedule=None, start_date=datetime(2024, 1, 1), catchup=False, default_args=again)
def beating():
    @task
    def beat():
        home = os.environ["AIRFLOW_HOME"]
        with open(home + "/began", "a") as began:
            began.write("python\\n")
        for number in range(600):
            with open(home + "/beats", "a") as beats:
                beats.write(f"{number}\\n")
            if os.path.exists(os.path.join(os.path.dirname(__file__), "enough")):
                return number
            time.sleep(0.5)
        raise RuntimeError("nobody ended it")

    beat()
    BashOperator(
        task_id="shell",
        bash_command="""echo shell >> $AIRFLOW_HOME/began
for i in $(seq 1200); do [ -e {{ dag.folder }}/enough ] && exit 0; sleep 0.5; done; exit 1""",
    )


beating()
`;

/** The moments of a start, one after the other, at which the server is killed while the task runs. */
const moments = [
  'content:before',
  'database:after',
  'open:after',
  'configuration:before',
  'configuration:after',
  'ready:before',
] as const;

describe.each(versions)('Airflow %s outlives its server', (version) => {
  const airflow = version.startsWith('2') ? 2 : 3;
  const name = 'lasting';
  let place: Place;
  let server: Running;
  let failpoints: Failpoints;

  beforeAll(async () => {
    place = await makePlace();
    await prepare(place, [version]);
    failpoints = new Failpoints(place);
    server = await startServer({ place, args: ['--no-demo'], env: failpoints.env });
    putDag(place, name, 'beating.py', beatingDag);
    const mwaa = new Mwaa(place);
    await mwaa.call('create_environment', newEnvironment(place, name, version));
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 400);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
  });

  afterAll(async () => {
    if (server && !server.hasEnded) await stopServer(server);
    if (place) removePlace(place);
  });

  const home = () => join(place.data, 'environments', environmentIds(place)[0] ?? '', 'home');
  const lines = (file: string) =>
    readdirSync(home()).includes(file) ? readFileSync(join(home(), file), 'utf8').trim().split('\n') : [];
  const factsOf = () =>
    JSON.parse(readFileSync(join(home(), '..', 'facts.json'), 'utf8')).processes as {
      component: string;
      pid: number;
    }[];
  const pids = () => Object.fromEntries(factsOf().map((fact) => [fact.component, fact.pid]));
  const start = () => startServer({ place, args: ['--no-demo'], env: failpoints.env });
  const runState = async () => {
    const session = await signIn(place, new Minter(place), name, airflow);
    const answer = await session.get(`${restPath(airflow)}/dags/beating/dagRuns/one`);
    return JSON.parse(answer.text) as { state: string };
  };
  const restAnswers = async () => (await runState()).state !== undefined;

  test('a task runs on while the server is killed at six moments of its start', async () => {
    await until('the DAG is known', 90, async () => {
      const answer = await runCommand(place, new Minter(place), name, 'dags unpause beating');
      return answer.stderr === '' || /paused/i.test(answer.stdout);
    });
    await until('the run is made', 90, async () => {
      const answer = await runCommand(place, new Minter(place), name, 'dags trigger beating --run-id one');
      return /one/.test(answer.stdout) || /already exists/i.test(answer.stderr);
    });
    await until('both tasks run', 180, () => lines('began').length === 2 && lines('beats').length > 2);
    const before = pids();
    server.child.kill('SIGKILL');
    await server.end(10);
    for (const moment of moments) {
      failpoints.killAt(moment);
      server = launch({ place, args: ['--no-demo'], env: failpoints.env });
      expect(await server.end(60), `${moment}\n${server.output}`).toBe(137);
    }
    failpoints.disarm();
    server = await start();
    await until('REST behind the door', 60, restAnswers);
    expect(pids()).toEqual(before);
    expect(lines('began').sort()).toEqual(['python', 'shell']);
    const seen = lines('beats').length;
    await until('it beats on', 20, () => lines('beats').length > seen);
  });

  test('it runs on while Windsock is stopped to be upgraded, and then ends as it would have', async () => {
    const before = pids();
    const stopped = await runWindsock(place, ['stop', '--keep-running']);
    expect(stopped.code, stopped.stderr).toBe(0);
    expect(await server.end(30)).toBe(0);
    const seen = lines('beats').length;
    await until('it beats without a server', 20, () => lines('beats').length > seen + 2);
    server = await start();
    await until('REST behind the door', 60, restAnswers);
    expect(pids()).toEqual(before);
    putDag(place, name, 'enough', '');
    await until('the run succeeds', 120, async () => (await runState()).state === 'success', 1000);
    expect(lines('began').sort()).toEqual(['python', 'shell']);
    expect(lines('beats')).toEqual(lines('beats').map((_, number) => String(number)));
  });

  test('a component that was taken over and ends is started again', async () => {
    const before = pids();
    process.kill(Number(before['scheduler']), 'SIGKILL');
    await until('another scheduler', 60, () => pids()['scheduler'] !== before['scheduler']);
    const leaders = processesAt(place).filter((p) => p.pid === pids()['scheduler']);
    expect(leaders).toHaveLength(1);
    // it is written down before it begins, and does not begin when its server ends between
    const commandLine = () => readFileSync(`/proc/${leaders[0]?.pid}/cmdline`, 'utf8');
    await until('it runs', 20, () => /airflow/.test(commandLine()) && !/^(sh|bash)\0/.test(commandLine()));
    expect(pids()).toEqual({ ...before, scheduler: leaders[0]?.pid });
  });

  test('what died with the server is ended whole and started anew', async () => {
    const before = pids();
    server.child.kill('SIGKILL');
    await server.end(10);
    process.kill(Number(before['webserver']), 'SIGKILL');
    server = await start();
    await until('REST behind the door', 120, restAnswers, 500);
    const after = pids();
    expect(after['webserver']).not.toBe(before['webserver']);
    expect(after['scheduler']).toBe(before['scheduler']);
  });

  test('TERM ends what was taken over; a second start makes nothing anew and finds everything', async () => {
    const session = await signIn(place, new Minter(place), name, airflow);
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
    const before = serverLog(place).length;
    server = await start();
    // the session of before, at the address of before
    const run = await until('the history', 120, async () => {
      const answer = await session.get(`${restPath(airflow)}/dags/beating/dagRuns/one`);
      return answer.status === 200 && (JSON.parse(answer.text) as { state: string });
    });
    expect(run.state).toBe('success');
    const steps = serverLog(place)
      .slice(before)
      .split('\n')
      .flatMap((line) => /"step":"([a-z-]+)".*"message":"step started"/.exec(line)?.[1] ?? []);
    expect(steps).toEqual(expect.arrayContaining(['configuration', 'start', 'ready']));
    for (const done of ['base', 'template', 'account', 'folders', 'available'])
      expect(steps).not.toContain(done);
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
  });
});
