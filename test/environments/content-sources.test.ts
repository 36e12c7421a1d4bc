// One suite for every place that DAGs come from: a folder that is followed, a bucket of the server, and buckets elsewhere,
// of a second Windsock and, where there is a `go`, of versitygw. Airflow is trivial.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bucketOfOther,
  type ContentPlace,
  followedFolder,
  Gateway,
  ownBucket,
} from '../harness/content-places.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { hasGo } from '../harness/go.ts';
import { Iam } from '../harness/iam.ts';
import type { Key } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { makeBucket, putPlugins, putText, s3Client } from '../harness/s3.ts';
import { makePlace, removePlace, serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { runWindsock } from '../harness/windsock.ts';

const other = useServer();
const withGateway = hasGo && process.env['WINDSOCK_TEST_FULL'] === '1';
const names = ['followed', 'own', 'other', ...(withGateway ? ['gateway'] : [])];
const places = new Map<string, ContentPlace>();
let rig: Rig;
let iam: Iam;
let reader: Key;
let gateway: Gateway | undefined;
/** Writes the settings of the server. */
let settings: (more?: object) => void;

const profiles = (keys: Readonly<Record<string, Key>>): string =>
  Object.entries(keys)
    .map(
      ([name, key]) =>
        `[${name}]\naws_access_key_id=${key.accessKeyId}\naws_secret_access_key=${key.secretAccessKey}\n`,
    )
    .join('\n');

beforeAll(async () => {
  const place = await makePlace();
  const otherEndpoint = `http://127.0.0.1:${other.place.ports.api}`;
  iam = new Iam(other.place);
  reader = await iam.user('reader', {
    statements: [
      { Action: ['s3:ListBucket', 's3:GetObject', 's3:GetObjectVersion'], Resource: ['arn:aws:s3:::other*'] },
      { Action: 'sts:AssumeRole' },
    ],
  });
  await iam.role('tasks', {
    statements: [{ Action: ['s3:ListBucket', 's3:GetObject'], Resource: ['arn:aws:s3:::of-role*'] }],
  });
  for (const bucket of ['other', 'of-role', 'closed']) await makeBucket(s3Client(other.place), bucket);
  const keys: Record<string, Key> = {};
  const gatewayPort = place.ports.all.at(-1) ?? 0;
  if (withGateway) {
    gateway = new Gateway(gatewayPort, join(place.folder, 'gateway'));
    await gateway.start();
    keys['gateway'] = gateway.key;
    places.set('gateway', await gateway.place('gateway'));
  }
  mkdirSync(place.data, { recursive: true });
  const remoteBuckets = {
    other: { endpoint: otherEndpoint },
    closed: { endpoint: otherEndpoint },
    'of-*': { endpoint: otherEndpoint, credentials: 'role' },
    nowhere: { endpoint: 'http://127.0.0.1:1' },
    'elsewhere-*': { endpoint: otherEndpoint, region: 'eu-west-9' },
    unknown: { endpoint: otherEndpoint, credentials: 'profile:nobody' },
    gateway: { endpoint: `http://127.0.0.1:${gatewayPort}`, credentials: 'profile:gateway' },
  };
  writeFileSync(join(place.folder, 'credentials'), profiles(keys), { mode: 0o600 });
  const folder = join(place.folder, 'followed-dags');
  const first = { environment: 'followed', dags: folder };
  settings = (more = {}) =>
    writeFileSync(
      join(place.data, 'settings.json'),
      JSON.stringify({ remoteBuckets, awsEndpoints: 'aws', awsCredentials: 'role', ...first, ...more }),
    );
  settings();
  mkdirSync(folder);
  places.set('followed', followedFolder('followed', folder));
  places.set(
    'own',
    ownBucket('own', () => place),
  );
  places.set('other', bucketOfOther('other', other));
  rig = await Rig.make({
    ...{ place, demo: true },
    env: {
      AWS_ACCESS_KEY_ID: reader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: reader.secretAccessKey,
      AWS_SHARED_CREDENTIALS_FILE: join(place.folder, 'credentials'),
      AWS_ENDPOINT_URL_STS: otherEndpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
}, 900_000);
afterAll(async () => {
  await gateway?.stop();
  await rig?.remove();
  if (rig) removePlace(rig.place);
}, 120_000);

const placeOf = (name: string): ContentPlace => places.get(name) ?? expect.unreachable(name);
const machines = new Map<string, Machine>();
const live = (name: string): Readonly<Record<string, string>> => {
  const root = join(machines.get(name)?.folder ?? '', 'dags');
  if (!existsSync(root)) return {};
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files.flatMap((file) =>
      statSync(join(root, file)).isFile() ? [[file, readFileSync(join(root, file), 'utf8')]] : [],
    ),
  );
};
const isLive = (name: string, files: Readonly<Record<string, string>>): Promise<unknown> =>
  until(
    `${name}: ${JSON.stringify(files)}, not ${JSON.stringify(live(name))}`,
    60,
    () =>
      Object.entries(files).length === Object.entries(live(name)).length &&
      Object.entries(files).every(([path, text]) => live(name)[path] === text),
  );

describe('when it is made', () => {
  test.concurrent.each(names)(
    '%s: an environment begins with what is there',
    { timeout: 120_000 },
    async (name) => {
      const place = placeOf(name);
      if (name === 'own') await s3Client(rig.place).send(new CreateBucketCommand({ Bucket: name }));
      await place.put('dag.py', 'one\n');
      await place.put('deep/er/helper.py', 'helps\n');
      await place.put('__pycache__/dag.pyc', 'nobody needs it\n');
      if (name !== 'followed') await rig.api.create(name, '3.3.1');
      await rig.available(name);
      machines.set(name, await machineOf(rig.place, name));
      await isLive(name, { 'dag.py': 'one\n', 'deep/er/helper.py': 'helps\n' });
    },
  );
});

describe('from then on', () => {
  test.concurrent.each(names)('%s: every change is followed', { timeout: 120_000 }, async (name) => {
    const place = placeOf(name);
    const helper = join(machines.get(name)?.folder ?? '', 'dags/deep/er/helper.py');
    const before = statSync(helper).ino;
    await place.put('dag.py', 'two\n');
    await place.put('ünï code+%20.py', 'new\n');
    await isLive(name, { 'dag.py': 'two\n', 'deep/er/helper.py': 'helps\n', 'ünï code+%20.py': 'new\n' });
    await place.remove('ünï code+%20.py');
    await isLive(name, { 'dag.py': 'two\n', 'deep/er/helper.py': 'helps\n' });
    expect(statSync(helper).ino, 'what did not change stays as it is').toBe(before);
  });
});

interface StatusContent {
  readonly fault?: { readonly since: number; readonly reason: string };
}
const statusOf = async (name: string): Promise<StatusContent | undefined> => {
  const { stdout } = await runWindsock(rig.place, ['status', '--json']);
  const { environments } = JSON.parse(stdout) as {
    environments: { name: string; content?: StatusContent }[];
  };
  return environments.find((e) => e.name === name)?.content;
};

describe('while it cannot be read', () => {
  let began: number;
  beforeAll(async () => {
    began = Date.now();
    for (const name of names) await placeOf(name).away();
  }, 60_000);

  test.concurrent.each(names)(
    '%s: what is live stays, and it is told since when',
    { timeout: 120_000 },
    async (name) => {
      const fault = await until(`a fault of ${name}`, 60, async () => (await statusOf(name))?.fault, 1_000);
      expect(fault.reason).toMatch(placeOf(name).awayText);
      expect(fault.since).toBeGreaterThanOrEqual(began - 1);
      expect(fault.since).toBeLessThanOrEqual(Date.now());
      expect(live(name)).toEqual({ 'dag.py': 'two\n', 'deep/er/helper.py': 'helps\n' });
      const shown = await runWindsock(rig.place, ['status']);
      expect(shown.stdout).toMatch(new RegExp(`${name}: its DAG files have not been updated for \\d+ .*`));
    },
  );

  test('a server that starts goes on with what it has', { timeout: 120_000 }, async () => {
    await rig.stop();
    // a start that names a folder that is not there ends
    settings({ dags: undefined });
    await rig.start();
    for (const name of names) {
      await rig.wait(`${name} runs`, 60, () => machines.get(name)?.pidOf('webserver') !== undefined);
      expect(live(name)).toEqual({ 'dag.py': 'two\n', 'deep/er/helper.py': 'helps\n' });
    }
  });

  test('when it is back everything is followed again', { timeout: 180_000 }, async () => {
    for (const name of names) await placeOf(name).back();
    for (const name of names) {
      await placeOf(name).put('dag.py', 'three\n');
      await isLive(name, { 'dag.py': 'three\n', 'deep/er/helper.py': 'helps\n' });
      await until(`no fault of ${name}`, 90, async () => (await statusOf(name))?.fault === undefined, 1_000);
    }
    expect(serverLog(rig.place)).toContain('DAGs published again');
  });
});

describe('a bucket elsewhere', () => {
  const refused = async (bucket: string, more: object = {}): Promise<string> => {
    const asked = rig.api.create('refused', '3.3.1', { SourceBucketArn: `arn:aws:s3:::${bucket}`, ...more });
    return asked.then(
      () => expect.unreachable(`${bucket} was taken`),
      (error: unknown) => String(error),
    );
  };

  test.each([
    ['closed', /Cannot read arn:aws:s3:::closed \(http.*AccessDenied/],
    ['nowhere', /cannot be reached \(ECONNREFUSED\)/],
    ['elsewhere-x', /us-east-1/],
    ['unknown', /there are no credentials for it: .*nobody/],
    ['of-nothing', /there are no credentials for it: .*not authorized|NoSuchBucket/],
  ])('that cannot be read is refused: %s', async (bucket, why) => {
    expect(await refused(bucket)).toMatch(why);
  });

  test('lacks a file, or a version of it', async () => {
    const file = { PluginsS3Path: 'plugins.zip', PluginsS3ObjectVersion: 'none' };
    expect(await refused('other', file)).toContain('There is no file plugins.zip in arn:aws:s3:::other');
    await putText(s3Client(other.place), 'other', 'plugins.zip', 'no zip');
    expect(await refused('other', file)).toContain('There is no version none of plugins.zip');
  });

  test('gives an environment its plugins by version', { timeout: 120_000 }, async () => {
    const empty = await putPlugins(s3Client(other.place), 'other', new Uint8Array());
    await rig.api.update('other', empty);
    await rig.becomes('other', 'AVAILABLE');
    expect(await rig.api.find('other')).toMatchObject(empty);
  });

  test('is read by the rights of the execution role where the settings say so', {
    timeout: 120_000,
  }, async () => {
    const of = (role: string) => ({ ExecutionRoleArn: iam.arn('role', role) });
    expect(await refused('of-role', of('nobody'))).toMatch(/there are no credentials for it/);
    await putText(s3Client(other.place), 'of-role', 'dags/dag.py', 'mine\n');
    await rig.api.create('of-role', '3.3.1', of('tasks'));
    await rig.available('of-role');
    machines.set('of-role', await machineOf(rig.place, 'of-role'));
    await isLive('of-role', { 'dag.py': 'mine\n' });
  });

  test('is written by windsock deploy with the credentials of whoever calls it', async () => {
    const folder = join(rig.place.folder, 'to-deploy');
    mkdirSync(folder);
    writeFileSync(join(folder, 'deployed.py'), 'deployed\n');
    const deployAs = ({ accessKeyId, secretAccessKey }: Key) =>
      runWindsock(rig.place, ['deploy', 'other', folder, '--timeout', '1'], {
        env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      });
    const denied = await deployAs(reader);
    expect([denied.code, denied.stderr]).toEqual([
      1,
      expect.stringMatching(/^windsock: other: AccessDenied/),
    ]);
    const statements = [{ Action: 's3:PutObject', Resource: 'arn:aws:s3:::other/dags/*' }];
    const { stdout } = await deployAs(await iam.user('writer', { statements }));
    expect(stdout).toMatch(/^new +deployed\.py/m);
    const object = { Bucket: 'other', Key: 'dags/deployed.py' };
    const { Body } = await s3Client(other.place).send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe('deployed\n');
  });

  test('no secret is in the log', () => {
    expect(serverLog(rig.place)).not.toContain(reader.secretAccessKey);
  });
});
