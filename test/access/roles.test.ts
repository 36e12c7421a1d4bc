// What each of Airflow's core roles may do, on real Airflow. One version of each major stands in stories.test.ts; here
// others, which are asked the same.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { launchBrowser } from '../harness/browser.ts';
import { putDag, sayingDag } from '../harness/dags.ts';
import { Iam } from '../harness/iam.ts';
import { leftOvers, type Place, type Running, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { customRoleStories } from './custom-role.ts';
import { Person } from './person.ts';
import { roleStories } from './role-stories.ts';
import { pausedDag, type Subject } from './subjects.ts';

const subjects: readonly Subject[] = (process.env['WINDSOCK_TEST_VERSIONS'] ?? '2.10.3,3.0.6')
  .split(',')
  .map((version) => ({
    name: `v${version.replaceAll('.', '-')}`,
    version,
    airflow: version.startsWith('2') ? 2 : 3,
    team: '',
  }));
let place: Place;
let server: Running;
let iam: Iam;
let browser: Browser;

const used = useServer();
beforeAll(async () => {
  ({ place, server } = used);
  iam = new Iam(place);
  browser = await launchBrowser();
  const api = new Api(place);
  for (const { name, version } of subjects) {
    putDag(place, name, 'paused.py', sayingDag(pausedDag, 'A role'));
    await api.create(name, version);
  }
  const admin = new Person(place, await iam.user('admin', { attached: ['AmazonMWAAFullConsoleAccess'] }));
  for (const s of subjects) {
    await api.available(s.name);
    await until('its DAG', 90, async () => {
      return (await admin.invoked(s, 'GET', `/dags/${pausedDag}`)) === 200;
    });
  }
}, 1_300_000);

afterAll(async () => {
  await browser?.close();
});

describe.for(subjects)('in $version', (s) => {
  roleStories(s, () => ({ place, iam, browser }));
  customRoleStories(s, () => ({ place, iam, browser }));
});

test('the server stops clean', async () => {
  expect(await stopServer(server)).toBe(0);
  expect(await leftOvers(place)).toEqual([]);
});
