// Real Airflow behind the door, as people meet it in Chromium: two environments in one browser, Airflow's own menu, a
// session that is revoked under an open page, roles and their buttons, logs that grow, an Airflow that comes back.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { customRoleStories } from '../access/custom-role.ts';
import { address, enter, gridPath, open, openIn, trigger } from '../access/look.ts';
import { rootOf, withRoles } from '../access/people.ts';
import { Person } from '../access/person.ts';
import { dag, otherOf, pausedDag, type Subject, subjects } from '../access/subjects.ts';
import { Api } from '../harness/api.ts';
import { launchBrowser, newContext } from '../harness/browser.ts';
import { putDag, sayingDag, tickingDag } from '../harness/dags.ts';
import { machineOf } from '../harness/environments.ts';
import { Iam } from '../harness/iam.ts';
import { leftOvers, type Place, type Running, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { runWindsock } from '../harness/windsock.ts';
import { keysIn, linesOn, logPath, signOutByMenu } from './airflow-pages.ts';

const ticking = 'ticking';
let place: Place;
let server: Running;
let iam: Iam;
let admin: Person;
let browser: Browser;

const used = useServer({
  airflow: subjects.map(({ version }) => version),
  args: ['--tokens-per-second', '1000'],
});
beforeAll(async () => {
  ({ place, server } = used);
  iam = new Iam(place);
  admin = rootOf(place);
  const api = new Api(place);
  for (const { name, version } of subjects) {
    for (const id of [dag, pausedDag]) putDag(place, name, `${id}.py`, sayingDag(id, 'In a browser'));
    putDag(place, name, `${ticking}.py`, tickingDag(ticking, 40));
    await api.create(name, version);
  }
  browser = await launchBrowser();
  for (const s of subjects) {
    await api.available(s.name);
    for (const id of [dag, ticking])
      await until(`${id} in ${s.name}`, 90, async () => {
        return (await admin.invoked(s, 'PATCH', `/dags/${id}`, { is_paused: false })) === 200;
      });
  }
}, 700_000);

afterAll(async () => {
  await browser?.close();
});

const begin = async (s: Subject, run: string): Promise<void> => {
  const body = { dag_run_id: run, ...(s.airflow === 3 ? { logical_date: null } : {}) };
  expect(await admin.invoked(s, 'POST', `/dags/${ticking}/dagRuns`, body)).toBe(200);
};

const runsOf = async (s: Subject): Promise<number> => {
  const answer = await admin.invoke(s, 'GET', `/dags/${dag}/dagRuns`);
  return (answer.body['RestApiResponse'] as { total_entries: number }).total_entries;
};

/** What `windsock session list` says of somebody. */
const sessionsOf = async (person: string) => {
  const { stdout } = await runWindsock(place, ['session', 'list', '--person', person, '--json']);
  return JSON.parse(stdout) as readonly { SessionId: string; EnvironmentName: string }[];
};
const environmentsOf = async (person: string) =>
  (await sessionsOf(person)).map((session) => session.EnvironmentName).sort();

const statusAt = async (page: Page, s: Subject): Promise<number | undefined> =>
  (await page.goto(address(page, gridPath(s, dag))))?.status();

test.for(subjects)('two environments in one browser, signed out of $version by its own menu', async (s) => {
  const name = `traveller-${s.name}`;
  const Resource = 'arn:aws:airflow:*:*:role/*/User';
  const rights = { statements: [{ Action: 'airflow:CreateWebLoginToken', Resource }] };
  const person = new Person(place, await iam.user(name, rights));
  const context = await newContext(browser);
  const first = await openIn(context, person, s);
  const own = await keysIn(context);
  const other = await openIn(context, person, otherOf(s));
  for (const [page, at] of [
    [first, s],
    [other, otherOf(s)],
    [first, s],
    [other, otherOf(s)],
  ] as const)
    expect(await trigger(page, at)).toBe('runs');
  const both = await keysIn(context);
  expect(both).toHaveLength(2);
  expect(both).toEqual(expect.arrayContaining([...own]));
  expect(await environmentsOf(`user/${name}`)).toEqual(['three', 'two']);

  await signOutByMenu(first, s);
  expect(await environmentsOf(`user/${name}`)).toEqual([otherOf(s).name]);
  expect(await statusAt(first, s)).toBe(401);
  await first.getByText(`Sign in to ${s.name}`).waitFor();
  expect(await trigger(other, otherOf(s))).toBe('runs');
  expect(await keysIn(context)).toEqual(both.filter((key) => !own.includes(key)));
  await context.close();
});

test.for(subjects)('$version: a session that is revoked ends under an open page', async (s) => {
  const name = `revoked-${s.name}`;
  const person = await withRoles({ place, iam }, s, name, 'User');
  const page = await open(browser, person, s);
  await begin(s, 'watched');
  await page.goto(address(page, gridPath(s, ticking)));
  const own = (status: number) =>
    page.waitForResponse((r) => r.request().resourceType() !== 'document' && r.status() === status);
  await own(200);
  const [session] = await sessionsOf(`user/${name}`);
  const refused = own(401);
  expect((await runWindsock(place, ['session', 'revoke', session?.SessionId ?? ''])).stdout).toBe(
    '1 ended.\n',
  );
  const revoked = performance.now();
  await refused;
  expect(performance.now() - revoked).toBeLessThan(10_000);
  // Airflow 3 then goes to the door by itself, the page of Airflow 2 when it is used
  if (s.airflow === 2) await page.getByLabel('Trigger DAG').first().click();
  await page.getByText(`Sign in to ${s.name}`).waitFor();
  expect(await statusAt(page, s)).toBe(401);
  await enter(page, person, s);
  expect(await trigger(page, s)).toBe('runs');
  await page.context().close();
});

test.for(subjects)('$version: a Viewer has no button that triggers, an Op has', async (s) => {
  const before = await runsOf(s);
  const viewer = await open(browser, await withRoles({ place, iam }, s, `viewer-${s.name}`, 'Viewer'), s);
  expect(await trigger(viewer, s)).toBe(s.airflow === 2 ? 'off' : 'refused');
  if (s.airflow === 2) {
    // the button is a link that is greyed out; who goes where it leads is refused
    const link = await viewer.getByLabel('Trigger DAG').first().getAttribute('href');
    expect((await viewer.goto(address(viewer, link ?? '')))?.status()).toBe(403);
  }
  expect(await runsOf(s)).toBe(before);
  const op = await open(browser, await withRoles({ place, iam }, s, `op-${s.name}`, 'Op'), s);
  expect(await trigger(op, s)).toBe('runs');
  expect(await runsOf(s)).toBe(before + 1);
  for (const page of [viewer, op]) await page.context().close();
});

test.for(subjects)('$version: the page of a log grows while its task runs', async (s) => {
  const page = await open(browser, admin, s);
  await begin(s, 'read');
  await page.goto(address(page, logPath(s, { dag: ticking, run: 'read', task: 'speak' })));
  await page.evaluate('window.isUntouched = true');
  const first = await until('the first lines', 60, async () => (await linesOn(page)).at(-1));
  const later = await until('more lines', 30, async () => {
    const last = (await linesOn(page)).at(-1);
    return last !== undefined && last > first && last;
  });
  const path = `/dags/${ticking}/dagRuns/read/taskInstances/speak`;
  const task = (await admin.invoke(s, 'GET', path)).body['RestApiResponse'] as { state: string };
  expect([task.state, later]).toEqual(['running', expect.any(Number)]);
  expect(await page.evaluate('window.isUntouched')).toBe(true);
  await page.context().close();
});

test.for(subjects)(
  '$version: while Airflow restarts the door says so, and the page comes back by itself',
  async (s) => {
    const page = await open(browser, admin, s);
    await page.goto(address(page, gridPath(s, dag)));
    const pid = (await machineOf(place, s.name)).pidOf('webserver');
    process.kill(pid ?? 0, 'SIGKILL');
    const answer = await page.reload();
    expect([answer?.status(), answer?.headers()['retry-after']]).toEqual([503, '2']);
    await page.getByText(`${s.name} is starting`).waitFor();
    await page
      .getByLabel(/^Trigger DAG$/i)
      .first()
      .waitFor({ timeout: 90_000 });
    expect(page.url()).toBe(address(page, gridPath(s, dag)));
    await page.context().close();
  },
);

describe.for(subjects)('$version:', (s) => customRoleStories(s, () => ({ place, iam, browser })));

test('the server stops clean', async () => {
  await browser.close();
  expect(await stopServer(server)).toBe(0);
  expect(await leftOvers(place)).toEqual([]);
});
