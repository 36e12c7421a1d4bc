// Tasks of a real Airflow are the execution role of their environment: boto3, Airflow's own connection, sensors (also
// deferred ones), remote logs and a call of Amazon MWAA, each without a key anywhere.
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { recordedEvents } from '../harness/audit.ts';
import { putDag } from '../harness/dags.ts';
import { runCommand } from '../harness/door.ts';
import { Iam } from '../harness/iam.ts';
import { Minter } from '../harness/minter.ts';
import { Mwaa, newEnvironment } from '../harness/mwaa.ts';
import { makeBucket, putText, s3Client } from '../harness/s3.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

const subjects = [
  { name: 'three', version: '3.3.1' },
  { name: 'two', version: '2.7.2' },
] as const;

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'airflow-env.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
});

const dagOf = (name: string): string => `from datetime import datetime

import boto3
from botocore.exceptions import ClientError

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor


@dag(dag_id="roles", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def roles():
    @task
    def who():
        return boto3.client("sts").get_caller_identity()["Arn"]

    @task
    def keeps():
        s3 = boto3.client("s3")
        s3.put_object(Bucket="${name}", Key="made/by-a-task", Body=b"made")
        return s3.get_object(Bucket="${name}", Key="made/by-a-task")["Body"].read().decode()

    @task
    def hook():
        return S3Hook("aws_default").list_keys("${name}", prefix="made/")

    @task
    def may_not():
        try:
            return boto3.client("s3").list_buckets()
        except ClientError as error:
            return error.response["Error"]["Code"]

    @task
    def asks():
        return boto3.client("mwaa").get_environment(Name="${name}")["Environment"]["Status"]

    @task.sensor(poke_interval=2, timeout=60)
    def looks():
        return boto3.client("s3").list_objects_v2(Bucket="${name}")["KeyCount"] > 0

    looks()
    key = "s3://${name}/made/by-a-task"
    waits = S3KeySensor(task_id="waits", bucket_key=key, poke_interval=2, timeout=60)
    defers = S3KeySensor(task_id="defers", bucket_key=key, poke_interval=2, timeout=120, deferrable=True)
    keeps() >> [hook(), waits, defers]
    who()
    may_not()
    asks()


roles()
`;

const used = useServer({ airflow: ['2.7.2', '3.3.1'], args: ['--tokens-per-second', '1000'] });
let iam: Iam;
let mwaa: Mwaa;
let mint: Minter;

beforeAll(async () => {
  const { place } = used;
  iam = new Iam(place);
  mwaa = new Mwaa(place);
  mint = new Minter(place);
  const s3 = s3Client(place);
  for (const { name, version } of subjects) {
    await makeBucket(s3, name);
    await iam.call('CreateRole', { RoleName: `of-${name}`, AssumeRolePolicyDocument: trust });
    await iam.put('Role', `of-${name}`, [
      {
        Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'],
        Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
      },
      {
        Action: 'airflow:GetEnvironment',
        Resource: `arn:aws:airflow:us-east-1:${iam.accountId}:environment/${name}`,
      },
    ]);
    putDag(place, name, 'roles.py', dagOf(name));
    await putText(s3, name, 'requirements.txt', '');
    await mwaa.call(
      'create_environment',
      newEnvironment(place, name, version, {
        ExecutionRoleArn: iam.arn('role', `of-${name}`),
        AirflowConfigurationOptions: {
          'logging.remote_logging': 'True',
          'logging.remote_base_log_folder': `s3://${name}/task-logs`,
          'logging.remote_log_conn_id': 'aws_default',
        },
      }),
    );
  }
  for (const { name } of subjects) {
    const { environment } = await mwaa.wait(name, 'AVAILABLE', 540);
    expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
  }
}, 700_000);

describe.each(subjects)('Airflow $version', ({ name }) => {
  const invoke = async (Method: string, Path: string, more: object = {}) =>
    (
      await mwaa.call<{ RestApiResponse: Record<string, unknown> }>('invoke_rest_api', {
        ...{ Name: name, Method, Path, Body: {}, QueryParameters: {} },
        ...more,
      })
    ).RestApiResponse;
  const run = '/dags/roles/dagRuns/as-a-role';
  const given = async (task: string): Promise<unknown> => {
    const path = `${run}/taskInstances/${task}/xcomEntries/return_value`;
    return (await invoke('GET', path))['value'];
  };

  test('every task succeeds', async () => {
    await until('the DAG', 120, async () => {
      const answer = await runCommand(used.place, mint, name, 'dags unpause roles');
      return answer.status === 200;
    });
    const triggered = await runCommand(used.place, mint, name, 'dags trigger roles --run-id as-a-role');
    expect(triggered, triggered.stderr).toMatchObject({ status: 200 });
    const state = await until('the end of the run', 240, async () => {
      const found = await invoke('GET', run);
      return ['success', 'failed'].includes(String(found['state'])) && found['state'];
    });
    const tasks = (await invoke('GET', `${run}/taskInstances`))['task_instances'] as readonly {
      readonly task_id: string;
      readonly state: string;
    }[];
    expect(state, JSON.stringify(tasks.map(({ task_id, state: s }) => [task_id, s]))).toBe('success');
  });

  test('with the rights of the role, named after environment, DAG and task', async () => {
    expect(await given('who')).toBe(
      `arn:aws:sts::${iam.accountId}:assumed-role/of-${name}/${name}.roles.who`,
    );
    expect(await given('keeps')).toBe('made');
    expect(JSON.stringify(await given('hook'))).toContain('made/by-a-task');
    expect(await given('may_not')).toBe('AccessDenied');
    expect(await given('asks')).toBe('AVAILABLE');
  });

  test('its logs are in the bucket, and the record has the writers', async () => {
    const s3 = s3Client(used.place);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: name, Prefix: 'task-logs/' }));
    const keys = Contents.map(({ Key }) => Key ?? '');
    expect(
      keys.filter((key) => key.includes('who')),
      keys.join('\n'),
    ).not.toEqual([]);
    const events = await recordedEvents(used.place);
    const puts = events.filter((e) => e.eventName === 'PutObject').map((e) => e.userIdentity['arn']);
    expect(puts).toContain(`arn:aws:sts::${iam.accountId}:assumed-role/of-${name}/${name}.roles.keeps`);
    const taken = events.filter((e) => e.eventName === 'AssumeRole').map((e) => e.requestParameters);
    expect(taken).toContainEqual(expect.objectContaining({ dagId: 'roles', taskId: 'keeps' }));
  });
});
