// DAGs that work with AWS are given credentials of AWS: of their execution role, of the machine, of a profile. A second
// Windsock is AWS here. Airflow is trivial.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordedEvents } from '../harness/audit.ts';
import { Iam } from '../harness/iam.ts';
import { Probe, putProbe } from '../harness/probing.ts';
import type { Key } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { askForRole, keyOf } from '../harness/role-credentials.ts';
import { outcome, s3Client } from '../harness/s3.ts';
import { serverLog } from '../harness/server.ts';
import { useServer } from '../harness/use-server.ts';

const aws = useServer();
let iam: Iam;
/** A user of AWS who may take roles: what the machine has. */
let machine: Key;
const rigs: Rig[] = [];

beforeAll(async () => {
  iam = new Iam(aws.place);
  machine = await iam.user('machine', { statements: [{ Action: 'sts:AssumeRole' }] });
  for (const name of ['tasks', 'own'])
    await iam.role(name, { statements: [{ Action: 's3:ListAllMyBuckets' }] });
});

afterAll(async () => {
  for (const rig of rigs) await rig.remove();
});

/** Variables of a server whose AWS is the other one. */
const towardsAws = (more: Readonly<Record<string, string>> = {}) => ({
  AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${aws.place.ports.api}`,
  AWS_EC2_METADATA_DISABLED: 'true',
  ...more,
});
const machineKey = () => ({
  AWS_ACCESS_KEY_ID: machine.accessKeyId,
  AWS_SECRET_ACCESS_KEY: machine.secretAccessKey,
});

/** A server with an environment whose execution role is one of AWS. */
const start = async (whose: string, env: Readonly<Record<string, string>>) => {
  const args = ['--aws-endpoints', 'aws', '--aws-credentials', whose];
  const rig = await Rig.make({ args, env });
  rigs.push(rig);
  putProbe(rig.place, 'one');
  const role = whose === 'role' ? { ExecutionRoleArn: iam.arn('role', 'tasks') } : {};
  await rig.api.create('one', '3.3.1', role);
  await rig.available('one');
  return { rig, probe: await Probe.of(rig.place, 'one') };
};

const callerOf = async (key: Key): Promise<string | undefined> =>
  /<Arn>([^<]*)</.exec(await iam.call('GetCallerIdentity', {}, key))?.[1];

describe('role', () => {
  let rig: Rig;
  let probe: Probe;
  beforeAll(async () => {
    ({ rig, probe } = await start('role', towardsAws(machineKey())));
  });

  test('a process has the execution role in AWS, in a session that names its task', async () => {
    const answer = await askForRole(probe, { query: '?dag_id=load&task_id=copy' });
    const key = keyOf(answer);
    expect(await callerOf(key)).toMatch(/:assumed-role\/tasks\/one\.load\.copy$/);
    expect(await outcome(s3Client(aws.place, key).send(new ListBucketsCommand({})))).toBe('ok');
    const lifetime = Date.parse(answer.body.Expiration ?? '') - Date.now();
    expect(lifetime).toBeGreaterThan(55 * 60_000);
    expect(lifetime).toBeLessThanOrEqual(60 * 60_000);
  });

  test('it finds AWS itself where it finds Windsock for the API of Amazon MWAA only', async () => {
    const names = await probe.ask<string[]>(
      'import os\nreturn sorted(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL"))',
    );
    expect(names).toEqual(['AWS_ENDPOINT_URL_MWAA']);
  });

  test('each time is recorded, without a secret', async () => {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = keyOf(await askForRole(probe));
    expect(keyOf(await askForRole(probe)).accessKeyId).toBe(accessKeyId);
    const events = await recordedEvents(rig.place);
    const given = { credentials: expect.objectContaining({ accessKeyId }) };
    const ofIt = events.filter(({ responseElements }) =>
      expect.objectContaining(given).asymmetricMatch(responseElements),
    );
    expect(ofIt).toHaveLength(2);
    for (const event of ofIt)
      expect(event).toMatchObject({
        eventName: 'AssumeRole',
        userIdentity: { type: 'AWSService', invokedBy: 'airflow-env.amazonaws.com' },
        requestParameters: { roleArn: iam.arn('role', 'tasks'), roleSessionName: 'one' },
      });
    for (const secret of [secretAccessKey, sessionToken, machine.secretAccessKey]) {
      expect(JSON.stringify(events)).not.toContain(secret);
      expect(serverLog(rig.place)).not.toContain(secret);
    }
  });

  test('the keys of the machine are no variables of a process', async () => {
    const seen = await probe.ask<string>('import os\nreturn repr(dict(os.environ))');
    expect(seen).not.toContain(machine.accessKeyId);
  });

  test('a role that AWS does not let the machine take is told with what AWS says', async () => {
    await iam.drop('User', 'machine');
    const query = '?dag_id=load&task_id=later';
    const refused = await askForRole(probe, { query });
    expect(refused).toMatchObject({
      status: 400,
      body: {
        code: 'ExecutionRoleUnusable',
        message: expect.stringMatching(/AWS gives no credentials: .*not authorized/),
      },
    });
    expect(serverLog(rig.place)).toContain('execution role not given');
    await iam.put('User', 'machine', [{ Action: 'sts:AssumeRole' }]);
    expect((await askForRole(probe, { query })).status).toBe(200);
  });
});

describe('machine', () => {
  test('keys that never expire are handed to nobody', async () => {
    const { probe } = await start('machine', towardsAws(machineKey()));
    expect(await askForRole(probe)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('never expire') },
    });
  });

  test('without any credentials the answer says so', async () => {
    const { probe } = await start('machine', towardsAws());
    expect(await askForRole(probe)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('AWS gives no credentials') },
    });
  });
});

describe('profile', () => {
  test('one that cannot be used is not replaced by what the machine has, and tells nothing of its program', async () => {
    const folder = join(aws.place.folder, 'aws-broken');
    mkdirSync(folder);
    const config = join(folder, 'config');
    writeFileSync(config, '[profile broken]\ncredential_process = /bin/sh -c "echo hunter2 >&2; exit 1"\n');
    const env = towardsAws({ ...machineKey(), AWS_CONFIG_FILE: config });
    const { rig, probe } = await start('profile:broken', env);
    const refused = await askForRole(probe);
    expect(refused).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('cannot be used') },
    });
    const everything = `${JSON.stringify([refused, await recordedEvents(rig.place)])}${serverLog(rig.place)}`;
    expect(everything).not.toContain('hunter2');
    const keys = `aws_access_key_id = ${machine.accessKeyId}\naws_secret_access_key = ${machine.secretAccessKey}\n`;
    const role = `role_arn = ${iam.arn('role', 'own')}\nsource_profile = keys\nregion = us-east-1\n`;
    writeFileSync(config, `[profile keys]\n${keys}[profile broken]\n${role}`);
    expect((await askForRole(probe)).status).toBe(200);
  });

  test('all environments have what the profile has', async () => {
    const folder = join(aws.place.folder, 'aws-config');
    mkdirSync(folder);
    const config = join(folder, 'config');
    writeFileSync(
      config,
      `[profile keys]\naws_access_key_id = ${machine.accessKeyId}\naws_secret_access_key = ${machine.secretAccessKey}\n` +
        `[profile team]\nrole_arn = ${iam.arn('role', 'own')}\nsource_profile = keys\nregion = us-east-1\n`,
    );
    const { rig, probe } = await start('profile:team', towardsAws({ AWS_CONFIG_FILE: config }));
    const key = keyOf(await askForRole(probe));
    expect(await callerOf(key)).toMatch(/:assumed-role\/own\//);
    expect(keyOf(await askForRole(probe)).accessKeyId).toBe(key.accessKeyId);
    const given = (await recordedEvents(rig.place)).filter(
      ({ eventName }) => eventName === 'GiveMachineCredentials',
    );
    expect(given).toHaveLength(2);
  });
});
