// What a plugin brings on real Airflow, who reaches it through the gateway, a provider in another version, and packages
// that cannot be used: a creation ends with the reason, an update leaves what runs as it is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootOf } from '../access/people.ts';
import { type Subject, subjects } from '../access/subjects.ts';
import { Api } from '../harness/api.ts';
import { askAirflow } from '../harness/assertion.ts';
import { componentsAt } from '../harness/components.ts';
import { putDag } from '../harness/dags.ts';
import { ask, type Session } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { Iam } from '../harness/iam.ts';
import type { Environment } from '../harness/mwaa.ts';
import { putPlugins, putRequirements, putText, s3Client } from '../harness/s3.ts';
import { leftOvers, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { stepSeconds } from '../harness/weight.ts';
import { AirflowRest } from './airflow-rest.ts';
import { brokenPackages } from './broken-packages.ts';
import { pages, sessionsOfRoles, statusesFor } from './reached-pages.ts';
import { reportingDag, reportingDagText, reportsArchive, versionDagText } from './reports-plugin.ts';

/** A provider that comes with that Airflow, and another version of it, with the constraints that let it in. */
const providers = {
  2: { name: 'apache-airflow-providers-imap', own: '3.3.2', other: '3.3.1', head: '# --constraint "none"\n' },
  3: {
    ...{ name: 'apache-airflow-providers-smtp', own: '3.0.3', other: '3.0.2' },
    head: '--constraint "/usr/local/airflow/dags/constraints.txt"\n',
  },
};

const used = useServer({
  airflow: subjects.map(({ version }) => version),
  args: ['--tokens-per-second', '1000'],
});
let api: Api;
let s3: S3Client;
beforeAll(() => {
  api = new Api(used.place);
  s3 = s3Client(used.place);
});
afterAll(() => {
  s3?.destroy();
});

const settled = (name: string): Promise<Environment> =>
  until(`${name} is changed no more`, 400, async () => {
    const found = await api.find(name);
    return found && !/ING|SNAPSHOT/.test(found.Status) && found;
  });
const failed = (Status: string, told: RegExp) => ({
  ...{ Status, LastUpdate: { Error: { ErrorMessage: expect.stringMatching(told) } } },
});
const pidsOf = ({ id }: Machine): readonly number[] =>
  componentsAt(used.place)
    .filter((component) => component.id === id)
    .map(({ pid }) => pid)
    .sort();

describe.each(subjects)('Airflow $version', (s: Subject) => {
  const { name, version, airflow } = s;
  const provider = providers[airflow];
  // the bucket has the name of the environment
  const bucket = name;
  const stage = () => ({ place: used.place, iam: new Iam(used.place) });
  const admin = () => rootOf(used.place);
  let machine: Machine;
  let session: Session;
  let rest: AirflowRest;
  /** One for each role. */
  let sessions: readonly Session[];

  const task = (run: string): string => `/dags/${reportingDag}/dagRuns/${run}/taskInstances/say`;
  /** How a new run of the DAG ended. */
  const runs = async (run: string): Promise<string> => {
    const body = { dag_run_id: run, ...(airflow === 3 ? { logical_date: null } : {}) };
    const asked = await admin().invoked(s, 'POST', `/dags/${reportingDag}/dagRuns`, body);
    if (asked !== 200) return `not asked for: ${asked}`;
    return rest.endOf(reportingDag, run);
  };
  const providerInCommand = async (): Promise<string | undefined> => {
    const { stdout } = await admin().command(s, 'providers list --output json');
    const list = JSON.parse(stdout.slice(stdout.indexOf('['))) as { package_name: string; version: string }[];
    return list.find((one) => one.package_name === provider.name)?.version;
  };

  test.each(brokenPackages)('is not created with $what, and the reason is told', async (broken) => {
    const into = `${name}-broken`;
    putDag(used.place, bucket, 'reporting.py', reportingDagText);
    await api.create(into, version, {
      SourceBucketArn: `arn:aws:s3:::${bucket}`,
      ...(await putRequirements(s3, bucket, broken.requirements ?? '')),
      ...(await putPlugins(s3, bucket, reportsArchive(airflow, broken.more))),
    });
    expect(await settled(into)).toMatchObject(failed('CREATE_FAILED', broken.told));
    expect([...stepSeconds(used.place, into).keys()]).not.toContain('start');
    await api.delete(into);
    await until(`${into} is gone`, 60, async () => (await api.find(into)) === undefined);
  });

  test('is created with the plugin: its macro, its listener and its links work', async () => {
    await putText(s3, bucket, 'dags/version.py', versionDagText(provider.name));
    await putText(s3, bucket, 'dags/constraints.txt', `${provider.name}==${provider.other}\n`);
    await api.create(name, version, await putPlugins(s3, bucket, reportsArchive(airflow)));
    await api.available(name);
    machine = await machineOf(used.place, name);
    session = await admin().signIn(s);
    rest = new AirflowRest(session, airflow);
    await until('the DAG', 90, async () => (await rest.dagIds()).includes(reportingDag));
    expect(await runs('first')).toBe('success');
    expect(await rest.get(`${task('first')}/xcomEntries/return_value`)).toMatchObject({ value: 'HELLO!' });
    const heard = await until('the listener', 30, () => {
      const lines = readFileSync(join(machine.home, 'heard'), 'utf8').split('\n');
      return lines.includes('run first') && lines;
    });
    expect(heard).toContain('task say of first');
    const links = { Report: `https://reports.example/${reportingDag}/say`, Help: 'https://help.example/say' };
    expect(await rest.get(`${task('first')}/links`)).toMatchObject(
      airflow === 2 ? links : { extra_links: links },
    );
  });

  test('Airflow decides which roles reach its pages', async () => {
    sessions = await sessionsOfRoles(stage(), s);
    expect(await statusesFor(sessions, pages[airflow])).toEqual(pages[airflow].statuses);
  });

  test('nobody reaches its pages without a session, nor past the gateway', async () => {
    for (const path of pages[airflow].paths) {
      const answers = [
        await ask(used.place, session.hostname, path),
        await askAirflow(machine.facts().webPort, path),
      ];
      expect([path, ...answers.map(({ status }) => status)]).toEqual([path, 401, 401]);
    }
  });

  test('Airflow lists the plugin and shows its pages', async () => {
    const list = await rest.plugins();
    expect(list).toContain('reports_plugin');
    if (airflow === 3) expect(list).toContain('All figures');
    else {
      const homes = await Promise.all(sessions.map((one) => one.get('/home')));
      const shown = homes.map(({ text }) => text.includes('Monthly reports'));
      expect(shown).toEqual([true, false, false, false]);
    }
  });

  test('a role that is given the permission of its view reaches that', async () => {
    // the permission has the name of the class and of the method
    const given = await admin().command(s, 'roles add-perms Viewer -r ReportsView -a can_list');
    expect(given, given.stderr).toMatchObject({ status: 200 });
    const found = await statusesFor(sessions, pages[airflow]);
    expect(found[pages[airflow].view]).toEqual([200, 302, 200, 302]);
  });

  test.each(brokenPackages)('an update to $what leaves everything as it is', async (broken) => {
    const before = pidsOf(machine);
    expect(before).toHaveLength(airflow === 2 ? 3 : 4);
    await api.update(name, {
      ...(await putRequirements(s3, bucket, broken.requirements ?? '')),
      ...(await putPlugins(s3, bucket, reportsArchive(airflow, broken.more))),
    });
    expect(await settled(name)).toMatchObject(failed('UPDATE_FAILED', broken.told));
    expect(pidsOf(machine)).toEqual(before);
    expect(await runs(`after-${broken.what.replaceAll(' ', '-')}`)).toBe('success');
    expect((await session.get(pages[airflow].view)).text).toBe('the monthly reports');
  });

  test('a provider in another version is what commands and DAGs find, until requirements.txt is empty', async () => {
    expect(await providerInCommand()).toBe(provider.own);
    const wanted = `${provider.head}${provider.name}==${provider.other}\n`;
    await api.update(name, {
      ...(await putRequirements(s3, bucket, wanted)),
      ...(await putPlugins(s3, bucket, reportsArchive(airflow))),
    });
    expect(await settled(name)).toMatchObject({ Status: 'AVAILABLE' });
    expect(await providerInCommand()).toBe(provider.other);
    await until('the DAG', 90, async () => (await rest.dagIds()).includes(`found_${provider.other}`));
    await api.update(name, {
      ...(await putRequirements(s3, bucket, '')),
      ...(await putPlugins(s3, bucket, new Uint8Array())),
    });
    expect(await settled(name)).toMatchObject({ Status: 'AVAILABLE' });
    expect(await providerInCommand()).toBe(provider.own);
    expect(await rest.plugins()).not.toContain('reports_plugin');
  });
});

test('the server stops clean', async () => {
  expect(await stopServer(used.server)).toBe(0);
  expect(await leftOvers(used.place)).toEqual([]);
});
