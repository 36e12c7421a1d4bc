// Airflow's own operators and sensors for Amazon MWAA, unmodified, in a DAG of one environment against another one.
import { beforeAll, expect, test } from 'vitest';
import { putDag, sayingDag } from '../harness/dags.ts';
import { restPath, runCommand, type Session, signIn } from '../harness/door.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment, rootKey } from '../harness/mwaa.ts';
import type { Place } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

const caller = 'caller';
const target = 'target';

/** Each way triggers a run, waits for it, and looks at it and at its task once more. */
const operatorsDag = `from datetime import datetime

from airflow.providers.amazon.aws.operators.mwaa import MwaaTriggerDagRunOperator
from airflow.providers.amazon.aws.sensors.mwaa import MwaaDagRunSensor, MwaaTaskSensor
from airflow.sdk import DAG

credentials = {"aws_conn_id": "windsock"}
with DAG("operators", schedule=None, start_date=datetime(2024, 1, 1), catchup=False):
    for how in ("plain", "deferrable"):
        run = {
            "external_env_name": "${target}",
            "external_dag_id": "saying",
            "external_dag_run_id": "by_" + how,
        }
        later = {"deferrable": how == "deferrable"}
        trigger = MwaaTriggerDagRunOperator(
            task_id="trigger_" + how,
            env_name="${target}",
            trigger_dag_id="saying",
            trigger_run_id="by_" + how,
            wait_for_completion=True,
            waiter_delay=2,
            **credentials,
            **later,
        )
        of_run = MwaaDagRunSensor(task_id="run_" + how, poke_interval=2, **run, **credentials, **later)
        of_task = MwaaTaskSensor(
            task_id="task_" + how, external_task_id="speak", poke_interval=2, **run, **credentials, **later
        )
        trigger >> of_run >> of_task
`;

let place: Place;

const used = useServer({ airflow: ['2.7.2', '3.3.1'] });
beforeAll(async () => {
  ({ place } = used);
  putDag(place, caller, 'operators.py', operatorsDag);
  putDag(place, target, 'saying.py', sayingDag('saying', 'called from another environment'));
  const mwaa = new Mwaa(place);
  await mwaa.call('create_environment', newEnvironment(place, caller, '3.3.1'));
  await mwaa.call('create_environment', newEnvironment(place, target, '2.7.2'));
  for (const name of [caller, target]) {
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 400);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
  }
});

const command = (name: string, line: string) => runCommand(place, new Minter(place), name, line);

test('MwaaTriggerDagRunOperator, MwaaDagRunSensor and MwaaTaskSensor, plain and deferrable', async () => {
  const session: Session = await signIn(place, new Minter(place), caller, 3);
  const json = async (path: string) => JSON.parse((await session.get(`${restPath(3)}${path}`)).text);
  const { accessKeyId, secretAccessKey } = rootKey(place);
  await command(
    caller,
    `connections add windsock --conn-type aws --conn-login ${accessKeyId} --conn-password ${secretAccessKey}`,
  );
  const there = await signIn(place, new Minter(place), target, 2);
  const known = async () =>
    (await session.get(`${restPath(3)}/dags/operators`)).status === 200 &&
    (await there.get(`${restPath(2)}/dags/saying`)).status === 200;
  await until('the DAGs', 180, known, 2_000).catch(async (cause: unknown) => {
    throw new Error(`no DAGs: ${JSON.stringify(await json('/importErrors'))}`, { cause });
  });
  await command(target, 'dags unpause saying');
  await command(caller, 'dags unpause operators');
  await command(caller, 'dags trigger operators --run-id once');
  const state = await until(
    'the end of the run',
    300,
    async () => {
      const run = (await json('/dags/operators/dagRuns/once')) as { state: string };
      return ['success', 'failed'].includes(run.state) && run.state;
    },
    2_000,
  );
  const tasks = (await json('/dags/operators/dagRuns/once/taskInstances')) as {
    task_instances: { task_id: string; state: string }[];
  };
  const states = Object.fromEntries(tasks.task_instances.map((task) => [task.task_id, task.state]));
  expect(states).toEqual(
    Object.fromEntries(
      ['plain', 'deferrable'].flatMap((how) =>
        ['trigger', 'run', 'task'].map((what) => [`${what}_${how}`, 'success']),
      ),
    ),
  );
  expect(state).toBe('success');
});
