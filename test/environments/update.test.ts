// An update changes what runs, or what ran before runs again: with the trivial Airflow.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, postLogin } from '../harness/door.ts';
import { lives, type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import type { Environment } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import { signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { s3Client } from '../harness/s3.ts';
import { failMigrations, migrations } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

const name = 'changing';
let rig: Rig;
let machine: Machine;

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create(name, '2.7.2');
  await rig.available(name);
  machine = await machineOf(rig.place, name);
}, 120_000);

afterAll(async () => {
  await rig?.remove();
}, 120_000);

afterEach(async () => {
  failMigrations(rig.place);
  for (const file of ['dies', 'busy']) rmSync(join(machine.home, file), { force: true });
  await untilNothingWrong(rig.place, rig.server.pid, 30);
});

const config = () => readFileSync(join(machine.folder, 'config', 'airflow.cfg'), 'utf8');
const databases = async () => {
  const rows = await ownQuery<{ name: string; version: string | null }>(
    rig.place,
    'postgres',
    `select datname as name, shobj_description(oid, 'pg_database') as version from pg_database
     where datname like '%\\_${machine.id}' order by 1`,
  );
  return rows.map((row) => `${row.name.replace(machine.id, '')}${row.version}`);
};
const pids = () => Object.fromEntries(machine.facts().processes.map((p) => [p.component, p.pid]));
const answers = async (): Promise<number> => {
  const token = await rig.mint.webToken(name);
  return (await ask(rig.place, token.WebServerHostname, '/health')).status;
};
const login = async () => (await postLogin(rig.place, await rig.mint.webToken(name), 2)).status;
const update = (change: object) => rig.api.update(name, change);
const failed = async (): Promise<Environment> => rig.becomes(name, 'UPDATE_FAILED');

describe('an update in place', () => {
  test('of an option restarts Airflow with it, and the web server answers all the time', async () => {
    const before = pids();
    let stopped = false;
    const statuses = new Set<number>();
    const watching = (async () => {
      const { WebServerHostname: host } = await rig.mint.webToken(name);
      while (!stopped) statuses.add((await ask(rig.place, host, '/aws_mwaa/aws-console-sso')).status);
    })();
    const web = (async () => {
      while (!stopped) statuses.add(await login());
    })();
    await update({
      AirflowConfigurationOptions: { 'core.dag_concurrency': '7', 'webserver.page_size': '3' },
    });
    await rig.becomes(name, 'AVAILABLE');
    stopped = true;
    await Promise.all([watching, web]);
    expect([...statuses]).toEqual([200]);
    expect(config()).toMatch(/\[webserver\][^[]*page_size = 3/);
    const after = pids();
    for (const component of ['webserver', 'scheduler']) {
      expect(after[component]).not.toBe(before[component]);
      expect(lives(before[component] ?? 0)).toBe(false);
    }
    expect((await rig.api.find(name))?.LastUpdate.Status).toBe('SUCCESS');
    await update({ AirflowConfigurationOptions: {} });
    await rig.becomes(name, 'AVAILABLE');
    expect(config()).not.toContain('page_size');
  });

  const variablesOf = (component: string) =>
    readFileSync(`/proc/${pids()[component]}/environ`, 'utf8').split('\0');
  const commandLines = () =>
    readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return '';
        }
      });

  test('of options is in the variables of every process, without what Windsock sets itself', async () => {
    const [word, evil] = ["quiet 'word' of theirs $HOME", 'evil-value'];
    const kept = ['core.fernet_key_cmd', 'core.sql_alchemy_conn', 'api.auth_backend', 'webserver.secret_key'];
    await update({
      AirflowConfigurationOptions: {
        ...Object.fromEntries(kept.map((option) => [option, evil])),
        'custom.queue': word,
      },
    });
    await rig.becomes(name, 'AVAILABLE');
    await until('the end of the web server of before', 30, () => !('retired webserver' in pids()));
    expect(Object.keys(pids())).toEqual(expect.arrayContaining(['webserver', 'scheduler']));
    for (const component of Object.keys(pids())) {
      // a moment ago it was the shell that it is started by
      await until(`the variables of ${component}`, 30, () =>
        variablesOf(component).includes('AIRFLOW_ENV_NAME=changing'),
      );
      expect(variablesOf(component), component).toContain(`AIRFLOW__CUSTOM__QUEUE=${word}`);
      expect(variablesOf(component).join(), component).not.toContain(evil);
    }
    expect(config()).not.toContain(evil);
    expect(commandLines().filter((line) => line.includes(word))).toEqual([]);
    await update({ AirflowConfigurationOptions: {} });
    await rig.becomes(name, 'AVAILABLE');
    await until('the end of the web server of before', 30, () => !('retired webserver' in pids()));
    for (const component of Object.keys(pids()))
      expect(variablesOf(component).join(), component).not.toContain('AIRFLOW__CUSTOM');
  });

  test('of what no process needs restarts nothing', async () => {
    const before = pids();
    await update({ WeeklyMaintenanceWindowStart: 'SUN:03:30', WebserverAccessMode: 'PUBLIC_ONLY' });
    expect(await rig.becomes(name, 'AVAILABLE')).toMatchObject({
      WeeklyMaintenanceWindowStart: 'SUN:03:30',
      WebserverAccessMode: 'PUBLIC_ONLY',
    });
    expect(pids()).toEqual(before);
  });

  test('of the DAG folder brings its files, without a restart', async () => {
    const before = pids();
    const other = join(rig.place.data, 'buckets', name, 'other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'second.py'), 'pass\n');
    await update({ DagS3Path: 'other' });
    await rig.becomes(name, 'AVAILABLE');
    expect(readdirSync(join(machine.folder, 'dags')).filter((file) => file.endsWith('.py'))).toEqual([
      'second.py',
    ]);
    expect(pids()).toEqual(before);
    await update({ DagS3Path: 'dags' });
    await rig.becomes(name, 'AVAILABLE');
  });

  test('of a file that is not in the bucket is refused at once', async () => {
    const change = { RequirementsS3Path: 'more/requirements.txt', RequirementsS3ObjectVersion: '1' };
    await expect(update(change)).rejects.toThrow(
      /There is no folder|There is no file more\/requirements.txt/,
    );
    mkdirSync(join(rig.place.data, 'buckets', name, 'more'));
    await expect(update(change)).rejects.toThrow('There is no file more/requirements.txt in arn:aws:s3:::');
    for (const file of ['more/requirements.txt', 'plugins.zip'])
      writeFileSync(join(rig.place.data, 'buckets', name, file), '');
    await expect(update(change)).rejects.toThrow(
      'There is no version 1 of more/requirements.txt in arn:aws:s3:::',
    );
    const s3 = s3Client(rig.place);
    const versionOf = async (Key: string) =>
      (await s3.send(new HeadObjectCommand({ Bucket: name, Key }))).VersionId;
    const wanted = {
      ...{ RequirementsS3Path: change.RequirementsS3Path, PluginsS3Path: 'plugins.zip' },
      RequirementsS3ObjectVersion: await versionOf('more/requirements.txt'),
      PluginsS3ObjectVersion: await versionOf('plugins.zip'),
    };
    s3.destroy();
    await update(wanted);
    expect(await rig.becomes(name, 'AVAILABLE')).toMatchObject(wanted);
  });

  test('of class, counts and logs shows in what runs', async () => {
    const log = join(machine.folder, 'logs', `airflow-${name}-Scheduler`, 'scheduler.log');
    expect(existsSync(log)).toBe(false);
    await update({
      EnvironmentClass: 'mw1.medium',
      MinWorkers: 2,
      LoggingConfiguration: { SchedulerLogs: { Enabled: true, LogLevel: 'ERROR' } },
    });
    await rig.becomes(name, 'AVAILABLE');
    expect(config()).toMatch(/parallelism = 20/);
    expect(existsSync(log)).toBe(true);
    const environ = readFileSync(`/proc/${pids()['scheduler']}/environ`, 'utf8');
    expect(environ.split('\0')).toContain('AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR');
    const limits = readFileSync(`/proc/${pids()['scheduler']}/limits`, 'utf8');
    expect(limits).toMatch(new RegExp(`^Max data size +${4 * 1024 ** 3} +${4 * 1024 ** 3} `, 'm'));
    await update({ EnvironmentClass: 'mw1.small', MinWorkers: 1 });
    await rig.becomes(name, 'AVAILABLE');
  });

  test('that Airflow cannot start with is rolled back: the old one runs, and the cause is said', async () => {
    await until('a steady start', 30, () => pids()['scheduler'] !== undefined);
    writeFileSync(join(machine.home, 'dies'), 'scheduler');
    await update({ AirflowConfigurationOptions: { 'core.x': 'unwanted' } });
    await rig.becomes(name, 'ROLLING_BACK', 90);
    rmSync(join(machine.home, 'dies'));
    const { LastUpdate, Status } = await failed();
    expect([Status, LastUpdate.Status]).toEqual(['UPDATE_FAILED', 'FAILED']);
    expect(LastUpdate.Error?.ErrorMessage).toMatch(/scheduler does not start .*the file `dies` says so/);
    expect(config()).not.toContain('unwanted');
    await until('a login', 30, async () => (await login()) === 200);
    await update({ WeeklyMaintenanceWindowStart: 'SUN:04:00' });
    await rig.becomes(name, 'AVAILABLE');
  });
});

describe('an update to another version', () => {
  test('copies the database, migrates it, and leaves no copy', async () => {
    expect(await databases()).toEqual(['airflow_2.7.2']);
    await update({ AirflowVersion: '2.11.2' });
    expect(await rig.becomes(name, 'AVAILABLE')).toMatchObject({ AirflowVersion: '2.11.2' });
    expect(await databases()).toEqual(['airflow_2.11.2']);
    expect(migrations(rig.place).at(-1)).toMatchObject({ by: '2.11.2', down: false });
    expect(await login()).toBe(200);
  });

  test('that goes down is done by the newer Airflow', async () => {
    await update({ AirflowVersion: '2.10.3' });
    await rig.becomes(name, 'AVAILABLE');
    expect(migrations(rig.place).at(-1)).toMatchObject({ by: '2.11.2', down: true });
    expect(await databases()).toEqual(['airflow_2.10.3']);
  });

  test('whose migration fails is rolled back to the data of before', async () => {
    failMigrations(rig.place, 'column "x" is in the way');
    await update({ AirflowVersion: '2.11.2' });
    const environment = await failed();
    expect(environment.AirflowVersion).toBe('2.10.3');
    expect(environment.LastUpdate.Error?.ErrorMessage).toMatch(
      /airflow db migrate failed: .*column "x" is in the way/,
    );
    expect(await databases()).toEqual(['airflow_2.10.3']);
    await until('a login', 30, async () => (await login()) === 200);
  });
});

describe('running tasks', () => {
  const toldToEnd = () => existsSync(join(machine.home, 'told-to-end'));

  test('end first under GRACEFUL, also when the server is killed meanwhile', async () => {
    rmSync(join(machine.home, 'told-to-end'), { force: true });
    writeFileSync(join(machine.home, 'busy'), '');
    const { scheduler = 0 } = pids();
    await update({
      AirflowConfigurationOptions: { 'core.x': '1' },
      WorkerReplacementStrategy: 'GRACEFUL',
    });
    await until('the scheduler was told', 20, toldToEnd);
    expect(await answers()).toBeGreaterThan(0);
    // whoever has the pages open does not wait for the tasks
    const { webserver = 0 } = pids();
    process.kill(webserver, 'SIGKILL');
    const isNew = async () => pids()['webserver'] !== webserver && (await login()) === 200;
    await until('a login at a new web server', 30, isNew);
    expect(lives(scheduler)).toBe(true);
    await rig.crash();
    await rig.start();
    await until('a login after the restart', 30, async () => (await login().catch(() => 0)) === 200);
    expect(lives(scheduler)).toBe(true);
    expect((await rig.api.find(name))?.Status).toBe('UPDATING');
    rmSync(join(machine.home, 'busy'));
    await rig.becomes(name, 'AVAILABLE');
    expect(lives(scheduler)).toBe(false);
  });

  test('are stopped under FORCED', async () => {
    writeFileSync(join(machine.home, 'busy'), '');
    const { scheduler = 0 } = pids();
    await update({ AirflowConfigurationOptions: {}, WorkerReplacementStrategy: 'FORCED' });
    await rig.becomes(name, 'AVAILABLE');
    expect(lives(scheduler)).toBe(false);
  });
});

test('stopped, it keeps everything and runs nothing, also after a restart, until it is started', async () => {
  const { WebServerHostname: host } = await rig.mint.webToken(name);
  const ownCall = (what: string) =>
    signed(rig.place, {
      method: 'POST',
      path: `/windsock/environments/${name}/${what}`,
      service: 'windsock',
    });
  expect((await ownCall('stop')).status).toBe(200);
  await until('nothing runs', 30, () => Object.values(pids()).every((pid) => !lives(pid)));
  const refused = await rig.mint.webToken(name).catch((error: unknown) => String(error));
  expect(refused).toContain(`Environment ${name} is stopped. Start it first`);
  const page = await ask(rig.place, host, '/aws_mwaa/aws-console-sso');
  expect(page.status).toBe(200);
  await expect(update({ MinWorkers: 2 })).rejects.toThrow('is stopped');
  expect((await rig.api.find(name))?.LastUpdate.Error?.ErrorCode).toBe('ENVIRONMENT_STOPPED');
  const shown = async () => JSON.parse((await runWindsock(rig.place, ['status', '--json'])).stdout);
  await until('the status says so', 30, async () => (await shown()).environments[0]?.status === 'STOPPED');
  expect(await shown()).toMatchObject({ ok: true, environments: [{ status: 'STOPPED' }] });
  await rig.stop();
  await rig.start();
  await until('the API', 20, async () => (await rig.api.find(name))?.Status === 'AVAILABLE');
  expect(Object.values(pids()).some(lives)).toBe(false);
  expect((await ownCall('start')).status).toBe(200);
  await until('a login', 30, async () => (await login().catch(() => 0)) === 200);
  expect((await rig.mint.webToken(name)).WebServerHostname).toBe(host);
});

test('two updates at once: one is refused as busy', async () => {
  const results = await Promise.allSettled([
    update({ WeeklyMaintenanceWindowStart: 'MON:01:00' }),
    update({ WeeklyMaintenanceWindowStart: 'MON:02:00' }),
  ]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await rig.becomes(name, 'AVAILABLE');
});
