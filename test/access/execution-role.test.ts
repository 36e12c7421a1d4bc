// The processes of an environment have its execution role: who is given its credentials, who is not, and what they are
// good for. Airflow is trivial here.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { HeadBucketCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { auditEvents } from '../harness/audit.ts';
import { machineOf } from '../harness/environments.ts';
import { Iam, type Statement } from '../harness/iam.ts';
import { Probe, putProbe } from '../harness/probing.ts';
import { Rig } from '../harness/rig.ts';
import { askForRole, keyOf } from '../harness/role-credentials.ts';
import { outcome, s3Client } from '../harness/s3.ts';
import { serverLog } from '../harness/server.ts';
import { runWindsock } from '../harness/windsock.ts';

const service = 'airflow-env.amazonaws.com';
let rig: Rig;
let iam: Iam;
/** Airflow 3.3.1 and 2.7.2, with a role each; the third has a role that is not there. */
let one: Probe;
let two: Probe;
let three: Probe;

const trust = (Principal: object, Condition?: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...(Condition ? { Condition } : {}) },
    ],
  });

const makeRole = async (
  name: string,
  statements: readonly Statement[],
  document = trust({ Service: service }),
) => {
  await iam.call('CreateRole', { RoleName: name, AssumeRolePolicyDocument: document });
  if (statements.length > 0) await iam.put('Role', name, statements);
};

const bucketOf = (name: string): Statement => ({
  Action: ['s3:Get*', 's3:List*'],
  Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
});

beforeAll(async () => {
  rig = await Rig.make();
  iam = new Iam(rig.place);
  await makeRole('one', [bucketOf('one')]);
  await makeRole('two', [bucketOf('two')]);
  for (const [name, version] of [
    ['one', '3.3.1'],
    ['two', '2.7.2'],
    ['three', '3.3.1'],
  ] as const) {
    putProbe(rig.place, name);
    await rig.api.create(name, version, { ExecutionRoleArn: iam.arn('role', name) });
  }
  for (const name of ['one', 'two', 'three']) await rig.available(name);
  [one, two, three] = await Promise.all([
    Probe.of(rig.place, 'one'),
    Probe.of(rig.place, 'two'),
    Probe.of(rig.place, 'three'),
  ]);
}, 180_000);
afterAll(() => rig?.remove(), 60_000);

const tokenOf = async (name: string): Promise<string> => {
  const { folder } = await machineOf(rig.place, name);
  return readFileSync(join(folder, 'config', 'role-token'), 'utf8');
};

/** Sends a request as the account of this test. */
const askFromHere = (headers: Record<string, string>, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    const path = '/-/role-credentials';
    const target = { host: '127.0.0.1', port: rig.place.ports.api, path, method, headers, agent: false };
    const sent = request(target, (answer) => resolve(answer.resume().statusCode ?? 0));
    sent.on('error', reject);
    sent.end();
  });

test('both are given their own role, for an hour', async () => {
  for (const [probe, name] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const answer = await askForRole(probe);
    expect(answer.body).toMatchObject({ RoleArn: iam.arn('role', name) });
    const key = keyOf(answer);
    expect(key.accessKeyId).toMatch(/^ASIA/);
    const lasts = Date.parse(answer.body.Expiration ?? '') - Date.now();
    expect(lasts).toBeGreaterThan(3_500_000);
    expect(lasts).toBeLessThanOrEqual(3_600_000);
    expect(await iam.call('GetCallerIdentity', {}, key)).toContain(
      `arn:aws:sts::${iam.accountId}:assumed-role/${name}/${name}<`,
    );
  }
});

test('with the rights of the role and no others', async () => {
  const s3 = s3Client(rig.place, keyOf(await askForRole(one)));
  expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'one' })))).toBe('ok');
  expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'two' })))).toBe('403 AccessDenied');
  expect(await outcome(s3.send(new ListBucketsCommand({})))).toBe('403 AccessDenied');
});

test('the token is in a file that nobody else reads; on 2.7.2, whose botocore reads no file, a variable', async () => {
  const variables = `import os
return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}`;
  const [three31, two72] = [
    await one.ask<Record<string, string>>(variables),
    await two.ask<Record<string, string>>(variables),
  ];
  const endpoint = `http://127.0.0.1:${rig.place.ports.api}`;
  for (const found of [three31, two72])
    expect(found).toMatchObject({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/-/role-credentials`,
      AWS_ENDPOINT_URL_MWAA: `http://localhost:${rig.place.ports.api}`,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_STS: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  expect(three31).not.toHaveProperty('AWS_CONTAINER_AUTHORIZATION_TOKEN');
  expect(two72).toHaveProperty('AWS_CONTAINER_AUTHORIZATION_TOKEN');
  expect(await tokenOf('one')).not.toMatch(/\s/);
});

test('the record has who took which role, for which task', async () => {
  const query = '?dag_id=daily%20load&task_id=copy';
  const key = keyOf(await askForRole(one, { query }));
  const arn = `arn:aws:sts::${iam.accountId}:assumed-role/one/one.daily_load.copy`;
  expect(await iam.call('GetCallerIdentity', {}, key)).toContain(`${arn}<`);
  const s3 = s3Client(rig.place, key);
  expect(await outcome(s3.send(new HeadBucketCommand({ Bucket: 'two' })))).toMatch(/^403/);
  const events = await auditEvents(rig.place);
  const taken = events.filter((e) => e.eventName === 'AssumeRole').at(-1);
  expect(taken).toMatchObject({
    userIdentity: { type: 'AWSService', invokedBy: service },
    requestParameters: {
      roleArn: iam.arn('role', 'one'),
      roleSessionName: 'one.daily_load.copy',
      dagId: 'daily load',
      taskId: 'copy',
    },
    responseElements: { credentials: { accessKeyId: key.accessKeyId }, assumedRoleUser: { arn } },
    additionalEventData: { environmentId: one.machine.id },
  });
  expect(JSON.stringify(taken)).not.toContain(key.secretAccessKey);
  expect(events.at(-1)).toMatchObject({ eventName: 'HeadBucket', userIdentity: { arn } });
});

test('a name of a task cannot pretend to be another environment, and is cut where STS cuts it', async () => {
  const sessionOf = async (dag: string, task: string) => {
    const query = `?${new URLSearchParams({ dag_id: dag, task_id: task })}`;
    const xml = await iam.call('GetCallerIdentity', {}, keyOf(await askForRole(one, { query })));
    return /assumed-role\/one\/([^<]*)</.exec(xml)?.[1];
  };
  expect(await sessionOf('../two', 'x/y\n<z>')).toBe('one..._two.x_y__z_');
  expect(await sessionOf('d'.repeat(250), 't'.repeat(250))).toBe(`one.${'d'.repeat(60)}`);
  expect(await sessionOf('', 'task')).toBe('one');
});

test('rights that are withdrawn are withdrawn from credentials that were given', async () => {
  const s3 = s3Client(rig.place, keyOf(await askForRole(one)));
  const list = () => outcome(s3.send(new ListObjectsV2Command({ Bucket: 'one' })));
  expect(await list()).toBe('ok');
  await iam.drop('Role', 'one');
  expect(await list()).toBe('403 AccessDenied');
  await iam.put('Role', 'one', [bucketOf('one')]);
  expect(await list()).toBe('ok');
});

test('a role that is not there: said to the process, in the status, in the log; made, it is given', async () => {
  const without = await askForRole(three);
  expect(without).toMatchObject({ status: 400, body: { code: 'ExecutionRoleUnusable' } });
  expect(without.body.message).toMatch(/role\/three does not exist .* aws iam create-role/);
  expect(serverLog(rig.place)).toContain('role/three does not exist');
  const status = await runWindsock(rig.place, ['status']);
  expect(status.stdout).toMatch(/^three: its tasks have no AWS credentials\. .*role\/three does not exist/m);
  expect(status.stdout).not.toMatch(/^one: /m);

  await makeRole('three', [], trust({ Service: 'ec2.amazonaws.com' }));
  const distrusted = await askForRole(three);
  expect(distrusted.status).toBe(400);
  expect(distrusted.body.message).toMatch(/trust policy .* does not let airflow-env\.amazonaws\.com/);

  const update = (document: string) =>
    iam.call('UpdateAssumeRolePolicy', { RoleName: 'three', PolicyDocument: document });
  const environment = (name: string) => `arn:aws:airflow:us-east-1:${iam.accountId}:environment/${name}`;
  const source = (name: string) => ({ ArnLike: { 'aws:SourceArn': environment(name) } });
  for (const [document, expected] of [
    [trust({ AWS: '*' }), 400],
    [trust({ AWS: iam.accountId }), 400],
    [trust({ Service: service }, source('one')), 400],
    [trust({ Service: service }, { StringEquals: { 'aws:SourceAccount': '999999999999' } }), 400],
    [trust({ Service: ['airflow.amazonaws.com', service] }, source('three')), 200],
  ] as const) {
    await update(document);
    expect((await askForRole(three)).status, document).toBe(expected);
  }
});

test('what is not a token is none, and that of another environment is not one here', async () => {
  const own = await tokenOf('one');
  const last = own.at(-1) === 'A' ? 'B' : 'A';
  const { id } = two.machine;
  for (const token of [
    '',
    'x',
    '.',
    `${own.slice(0, -1)}${last}`,
    `${own}=`,
    `${id}${own.slice(id.length)}`,
    'a'.repeat(8_000),
  ])
    expect((await askForRole(one, { token })).status, token.slice(0, 60)).toBe(401);
  // under one ordinary account all environments are of one account
  const stolen = await askForRole(one, { token: await tokenOf('two') });
  expect(stolen.status).toBe(isRoot ? 403 : 200);
});

test.runIf(isRoot)('the token is of no use to another account, be it root', async () => {
  expect(await askFromHere({ authorization: await tokenOf('one') })).toBe(403);
  const refused = (await auditEvents(rig.place)).filter((e) => e.eventName === 'AssumeRole').at(-1);
  expect(refused).toMatchObject({ errorCode: 'AccessDenied', requestParameters: null });
});

test('only GET leads there', async () => {
  const token = await tokenOf('one');
  for (const method of ['POST', 'PUT', 'HEAD', 'DELETE'])
    expect(await askFromHere({ authorization: token }, method), method).toBe(405);
});

test('a role may take another role, with the name of the environment in the record', async () => {
  await iam.role('further', { statements: [{ Action: 's3:ListAllMyBuckets' }] });
  await iam.put('Role', 'one', [bucketOf('one'), { Action: 'sts:AssumeRole' }]);
  const key = await iam.assume(keyOf(await askForRole(one)), 'further', 'on-behalf');
  expect(await outcome(s3Client(rig.place, key).send(new ListBucketsCommand({})))).toBe('ok');
});

test('programs that reach 127.0.0.1 by a socket of IPv6 are known as well', async () => {
  const answer = await one.ask<string>(
    `import os, socket
with open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]) as file:
    token = file.read()
spoken = socket.socket(socket.AF_INET6)
spoken.connect(("::ffff:127.0.0.1", port))
spoken.sendall(f"GET /-/role-credentials HTTP/1.1\\r\\nhost: localhost\\r\\nauthorization: {token}\\r\\nconnection: close\\r\\n\\r\\n".encode())
return spoken.recv(12).decode()`,
    { port: rig.place.ports.api },
  );
  expect(answer).toBe('HTTP/1.1 200');
});

test('after kill -9 the processes that went on are given it by the next server', async () => {
  const before = keyOf(await askForRole(one));
  const { folder } = await machineOf(rig.place, 'one');
  const held = readFileSync(join(folder, 'config', 'role-token'), 'utf8');
  await rig.crash();
  await rig.start();
  await rig.available('one');
  const s3 = s3Client(rig.place, before);
  expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'one' })))).toBe('ok');
  expect((await askForRole(one, { token: held })).status).toBe(200);
  expect((await askForRole(two)).status).toBe(200);
});

test('an environment that is deleted has no role any more', async () => {
  const token = await tokenOf('three');
  await rig.api.delete('three');
  await rig.gone('three');
  expect((await askForRole(one, { token })).status).toBe(403);
});
