// Who may do what, told as stories about people and programs, on real Airflow in two versions: over the API, as
// commands, over REST and in the browser.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { launchBrowser, loginUrl } from '../harness/browser.ts';
import { putDag, sayingDag } from '../harness/dags.ts';
import { Iam, type Rights, type Statement } from '../harness/iam.ts';
import type { Key } from '../harness/raw.ts';
import { leftOvers, type Place, type Running, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { look, open, whoIn } from './look.ts';
import { denied, noRole, Person, roleReach } from './person.ts';
import { roleStories } from './role-stories.ts';
import { dag, otherOf, pausedDag, type Subject, subjects, three, two } from './subjects.ts';
import { type Ending, Withdrawals } from './withdrawals.ts';

const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';
let place: Place;
let server: Running;
let iam: Iam;
let browser: Browser;
let admin: { readonly key: Key; readonly person: Person };
let withdrawals: Withdrawals;

const environment = ({ name }: Subject): string =>
  `arn:aws:airflow:us-east-1:${iam.accountId}:environment/${name}`;
const roleIn = (environmentName: string, role: string): string =>
  `arn:aws:airflow:us-east-1:${iam.accountId}:role/${environmentName}/${role}`;
const entering = (...resources: string[]): Statement => ({
  Action: ['airflow:CreateWebLoginToken', 'airflow:InvokeRestApi'],
  Resource: resources,
});
const looking: Statement = { Action: ['airflow:ListEnvironments', 'airflow:GetEnvironment'] };

const user = async (name: string, rights: Rights): Promise<Person> =>
  new Person(place, await iam.user(name, rights));
const overTheApi = ({
  dags,
  connections,
  variables,
  trigger,
}: (typeof roleReach)[keyof typeof roleReach]) => ({
  ...{ dags, connections, variables, trigger },
});

/** The environments are made by the administrator of the first story, at the same time. */
const used = useServer({ airflow: ['2.7.2', '3.3.1'] });
beforeAll(async () => {
  ({ place, server } = used);
  iam = new Iam(place);
  const key = await iam.user('admin', { attached: ['AmazonMWAAFullConsoleAccess'] });
  admin = { key, person: new Person(place, key) };
  const api = new Api(place, key);
  for (const { name, version, team } of [two, three]) {
    for (const id of [dag, pausedDag]) putDag(place, name, `${id}.py`, sayingDag(id, 'A story'));
    const ExecutionRoleArn = iam.arn('role', 'execution');
    await api.create(name, version, { ExecutionRoleArn, Tags: { team, stage: 'open' } });
  }
  browser = await launchBrowser();
  for (const { name } of [two, three]) await api.available(name);
  for (const s of [two, three])
    for (const id of [dag, pausedDag])
      await until(`${id} in ${s.name}`, 90, async () => {
        return (await admin.person.invoke(s, 'GET', `/dags/${id}`)).status === 200;
      });
  withdrawals = await Withdrawals.begin({ place, iam, browser });
});

afterAll(async () => {
  await browser?.close();
});

describe.for(isFull ? subjects : [three])('in $version', (s) => {
  test('the administrator of the platform does everything, and is Admin', async () => {
    const all = { list: 'yes', get: 'yes', update: 'yes', web: 'yes', cli: 'yes', rest: 'yes' };
    expect(await admin.person.reach(s)).toEqual(all);
    expect(await admin.person.inAirflow(s)).toEqual(roleReach.Admin);
    expect(await look(browser, admin.person, s)).toEqual({
      who: expect.stringMatching(/^user\/admin \(.*Admin.*\)$/),
      ...{ menus: ['Security', 'Admin'], trigger: 'runs', connections: 'shown' },
    });
    const api = new Api(place, admin.key);
    await api.update(s.name, { WeeklyMaintenanceWindowStart: 'SUN:03:30' });
    await until('the update', 60, async () => (await api.find(s.name))?.Status === 'AVAILABLE');
  });

  test('a data engineer is User in one environment and nobody in the other', async () => {
    const name = `engineer-${s.name}`;
    const engineer = await user(name, { statements: [entering(roleIn(s.name, 'User'))] });
    const who = iam.arn('user', name);
    const no = (action: string, resource = environment(s)) => denied(who, `airflow:${action}`, resource);
    expect(await engineer.reach(s)).toEqual({
      ...{ web: 'yes', rest: 'yes' },
      ...{ list: no('ListEnvironments', '*'), get: no('GetEnvironment') },
      ...{ update: no('UpdateEnvironment'), cli: no('CreateCliToken') },
    });
    expect(await engineer.reach(otherOf(s))).toMatchObject({ web: noRole, rest: noRole });
    expect(await engineer.inAirflow(s)).toEqual(roleReach.User);
    expect(await engineer.overInvoke(s)).toEqual(overTheApi(roleReach.User));
    expect(await look(browser, engineer, s)).toEqual({
      who: `user/${name} (User)`,
      ...{ menus: [], trigger: 'runs', connections: 'refused' },
    });
  });

  test('an auditor looks and changes nothing', async () => {
    const name = `auditor-${s.name}`;
    const auditor = await user(name, { statements: [looking, entering(roleIn('*', 'Viewer'))] });
    const no = (action: string) => denied(iam.arn('user', name), `airflow:${action}`, environment(s));
    expect(await auditor.reach(s)).toEqual({
      ...{ list: 'yes', get: 'yes', web: 'yes', rest: 'yes' },
      ...{ update: no('UpdateEnvironment'), cli: no('CreateCliToken') },
    });
    expect(await auditor.inAirflow(s)).toEqual(roleReach.Viewer);
    expect(await auditor.overInvoke(s)).toEqual(overTheApi(roleReach.Viewer));
    expect(await look(browser, auditor, s)).toEqual({
      who: `user/${name} (Viewer)`,
      ...{ menus: [], trigger: s.airflow === 2 ? 'off' : 'refused', connections: 'refused' },
    });
  });

  test('a pipeline assumes a role that runs commands and gets in nowhere else', async () => {
    const name = `ci-${s.name}`;
    await iam.role(name, { statements: [{ Action: 'airflow:CreateCliToken', Resource: environment(s) }] });
    const runner = await iam.user(`runner-of-${name}`, {
      statements: [{ Action: 'sts:AssumeRole', Resource: iam.arn('role', name) }],
    });
    const ci = new Person(place, await iam.assume(runner, name, 'build-7'));
    expect(await new Person(place, runner).reach(s)).toMatchObject({ web: noRole, rest: noRole });
    expect(await ci.reach(s)).toMatchObject({ cli: 'yes', web: noRole, rest: noRole });
    const who = `arn:aws:sts::${iam.accountId}:assumed-role/${name}/build-7`;
    const other = environment(otherOf(s));
    expect((await ci.reach(otherOf(s))).cli).toBe(denied(who, 'airflow:CreateCliToken', other));
    const list = await ci.command(s, 'dags list -o json');
    expect(JSON.parse(list.stdout)).toMatchObject([{ dag_id: pausedDag }, { dag_id: dag }]);
    const trigger = await ci.command(s, `dags trigger ${dag} --run-id by-ci`);
    expect(trigger.status, trigger.stderr).toBe(200);
    expect(await admin.person.invoked(s, 'GET', `/dags/${dag}/dagRuns/by-ci`)).toBe(200);
  });

  test('a contractor may do what the role and the session both allow', async () => {
    const name = `helper-${s.name}`;
    await iam.role(name, {
      statements: [
        looking,
        entering(roleIn('*', 'User'), roleIn('*', 'Viewer')),
        { Action: 'airflow:CreateCliToken' },
      ],
    });
    const agency = await iam.user(`agency-${s.name}`, { statements: [{ Action: 'sts:AssumeRole' }] });
    const limits = [
      entering(roleIn(s.name, 'Viewer'), roleIn(s.name, 'Admin')),
      { Action: ['airflow:GetEnvironment', 'airflow:UpdateEnvironment'] },
    ];
    const contractor = new Person(place, await iam.assume(agency, name, 'ann', limits));
    const who = `arn:aws:sts::${iam.accountId}:assumed-role/${name}/ann`;
    const no = (action: string, resource: string, why?: string) =>
      denied(who, `airflow:${action}`, resource, why);
    expect(await contractor.reach(s)).toEqual({
      ...{ get: 'yes', web: 'yes', rest: 'yes' },
      list: no('ListEnvironments', '*', 'session policy'),
      cli: no('CreateCliToken', environment(s), 'session policy'),
      update: no('UpdateEnvironment', environment(s)),
    });
    expect(await contractor.reach(otherOf(s))).toMatchObject({ get: 'yes', web: noRole, rest: noRole });
    expect(await contractor.inAirflow(s)).toEqual(roleReach.Viewer);
    expect(await contractor.overInvoke(s)).toEqual(overTheApi(roleReach.Viewer));
  });

  test('a boundary leaves a Viewer of somebody with every right', async () => {
    const name = `bounded-${s.name}`;
    const bounded = await user(name, {
      attached: ['AmazonMWAAFullApiAccess'],
      boundary: [entering(roleIn('*', 'Viewer'))],
    });
    const no = (action: string, resource = environment(s)) =>
      denied(iam.arn('user', name), `airflow:${action}`, resource, 'permissions boundary');
    expect(await bounded.reach(s)).toEqual({
      ...{ web: 'yes', rest: 'yes' },
      ...{ list: no('ListEnvironments', '*'), get: no('GetEnvironment') },
      ...{ update: no('UpdateEnvironment'), cli: no('CreateCliToken') },
    });
    expect(await bounded.inAirflow(s)).toEqual(roleReach.Viewer);
    expect(await bounded.overInvoke(s)).toEqual(overTheApi(roleReach.Viewer));
  });

  test('several roles count together, those of each way in for themselves; the environment itself grants none', async () => {
    const name = `several-${s.name}`;
    const several = await user(name, {
      statements: [entering(roleIn(s.name, 'Viewer')), entering(roleIn(s.name, 'Op'))],
    });
    expect(await several.inAirflow(s)).toEqual(roleReach.Op);
    if (isFull)
      expect(await look(browser, several, s)).toEqual({
        who: `user/${name} (Viewer, Op)`,
        ...{ menus: ['Admin'], trigger: 'runs', connections: 'shown' },
      });
    const apart = await user(`apart-${s.name}`, {
      statements: [
        { Action: 'airflow:CreateWebLoginToken', Resource: roleIn(s.name, 'Viewer') },
        { Action: 'airflow:InvokeRestApi', Resource: roleIn(s.name, 'Op') },
      ],
    });
    expect(await apart.inAirflow(s)).toEqual(roleReach.Viewer);
    expect(await apart.overInvoke(s)).toEqual(overTheApi(roleReach.Op));
    const visitor = await user(`public-${s.name}`, { statements: [entering(roleIn(s.name, 'Public'))] });
    expect(await visitor.inAirflow(s)).toEqual(roleReach.Public);
    const nothings = {
      none: [],
      itself: [entering(environment(s))],
      unknown: [entering(roleIn(s.name, 'user'))],
    };
    for (const [what, statements] of Object.entries(nothings)) {
      const nobody = await user(`${what}-${s.name}`, { statements });
      expect(await nobody.reach(s), what).toMatchObject({ web: noRole, rest: noRole });
    }
  });

  describe('a role', () => roleStories(s, () => ({ place, iam, browser })));

  test.runIf(isFull)(
    'of two people in one browser the second is asked, and gets nothing of the first',
    async () => {
      const [ann, ben] = [`ann-${s.name}`, `ben-${s.name}`];
      const first = await user(ann, { statements: [entering(roleIn(s.name, 'Op'))] });
      const second = await user(ben, { statements: [entering(roleIn(s.name, 'Viewer'))] });
      const page = await open(browser, first, s);
      for (const answer of ['Stay signed in', 'Switch user']) {
        await page.goto(loginUrl(await second.webToken(s.name)));
        await page.getByText('This address signs you in as').waitFor();
        await page.getByRole('button', { name: answer }).click();
        await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'));
        expect(await whoIn(page, s)).toBe(
          answer === 'Switch user' ? `user/${ben} (Viewer)` : `user/${ann} (Op)`,
        );
      }
      await page.context().close();
    },
  );
});

test('tags decide who gets in where, as they are now', async () => {
  const sameTeam = { StringEquals: { 'aws:ResourceTag/team': `\${aws:PrincipalTag/team}` } };
  const actions = ['CreateWebLoginToken', 'InvokeRestApi', 'CreateCliToken', 'GetEnvironment'];
  const rita = await user('rita', {
    statements: [{ Action: actions.map((action) => `airflow:${action}`), Condition: sameTeam }],
    tags: { team: two.team },
  });
  const tag = (s: Subject, team: string) =>
    admin.person.call('POST', `/tags/${encodeURIComponent(environment(s))}`, { Tags: { team } });
  const inside = { get: 'yes', web: 'yes', cli: 'yes', rest: 'yes' };
  const outside = { get: expect.stringContaining('AccessDenied'), web: noRole, rest: noRole };
  const session = await rita.signIn(two);
  expect((await session.get('/api/v1/dags')).status).toBe(200);
  expect(await rita.reach(two)).toMatchObject(inside);
  expect(await rita.reach(three)).toMatchObject(outside);

  await iam.call('TagUser', { UserName: 'rita', Tags: [{ Key: 'team', Value: three.team }] });
  expect(await rita.reach(two)).toMatchObject(outside);
  expect(await rita.reach(three)).toMatchObject(inside);

  expect((await tag(three, 'nobody')).status).toBe(200);
  expect(await rita.reach(three)).toMatchObject(outside);
  expect((await tag(two, three.team)).status).toBe(200);
  expect(await rita.reach(two)).toMatchObject(inside);
});

describe('a right that is withdrawn', () => {
  let endings: readonly Ending[];

  test('ends sessions within a minute, open streams too', { timeout: 90_000 }, async () => {
    endings = await withdrawals.endings();
    for (const { what, seconds } of endings) expect(seconds, what).toBeLessThan(60);
    expect(endings).toHaveLength(15);
    for (const { what, refusal } of endings)
      if (refusal)
        expect(refusal, what).toMatch(
          /key/.test(what) ? /^UnrecognizedClientException|^InvalidClientTokenId/ : noRole,
        );
  });

  test('leaves the browser with a page that says so', async () => {
    for (const page of withdrawals.pages) {
      // Airflow 3 asks again and again by itself, and is led to the door
      if (page === withdrawals.pages[0]) await page.getByText('You are not signed in').waitFor();
      const answer = await page.reload();
      expect([401, 403]).toContain(answer?.status());
      expect(answer?.headers()['content-type']).toContain('text/html');
      expect(await page.locator('main').innerText()).toMatch(/not signed in|No Airflow role granted in IAM/);
    }
  });

  test('when it is given again, no ended session comes to life, and a new token gets in', async () => {
    await withdrawals.restore();
    for (const { what, session, path } of endings)
      if (session) expect((await session.get(path)).status, what).toBe(401);
    for (const page of withdrawals.pages) expect((await page.reload())?.status()).toBe(401);
    for (const { what, again } of endings)
      expect(await again?.(), what).toSatisfy((v) => v === undefined || v === 200);
  });
});

test('the server stops clean', async () => {
  await browser.close();
  expect(await stopServer(server)).toBe(0);
  expect(await leftOvers(place)).toEqual([]);
});
