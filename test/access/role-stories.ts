import type { Browser } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { restPath } from '../harness/door.ts';
import { machineOf } from '../harness/environments.ts';
import { ownQuery } from '../harness/own-database.ts';
import { allowedInPages, earlierRun } from './own-pages.ts';
import { entering, rootOf, type Stage, withRoles } from './people.ts';
import { Person } from './person.ts';
import { type Action, allowedBySession, allowedTo, type CoreRole, coreRoles, promisedIn } from './roles.ts';
import { pausedDag, type Subject } from './subjects.ts';

/** What each core role may do at one environment, over InvokeRestApi, by a session, and in Airflow's own pages. */
export const roleStories = (s: Subject, given: () => Stage & { readonly browser: Browser }): void => {
  const promised = promisedIn(s);
  const people = new Map<CoreRole, Person>();

  beforeAll(async () => {
    for (const role of coreRoles)
      people.set(role, await withRoles(given(), s, `only-${role}-${s.name}`, role));
  });
  const as = (role: CoreRole): Person => people.get(role) as Person;

  test('each core role may do what the table says, and nothing else', async () => {
    const found: Record<string, CoreRole[]> = Object.fromEntries(
      Object.keys(promised).map((action) => [action, []]),
    );
    for (const role of coreRoles) {
      const may = await allowedTo(as(role), s, `by-${role}`);
      for (const [action, yes] of Object.entries(may)) if (yes) found[action]?.push(role);
    }
    expect(found).toEqual(promised);
  });

  test("the pages of Airflow do for each core role what the table says, with a browser's session", async () => {
    const { place, browser } = given();
    const admin = rootOf(place);
    const run = { dag_run_id: earlierRun, ...(s.airflow === 3 ? { logical_date: null } : {}) };
    expect(await admin.invoked(s, 'POST', `/dags/${pausedDag}/dagRuns`, run)).toBe(200);
    for (const role of coreRoles) {
      const may = await allowedInPages(browser, s, role, { person: as(role), admin });
      const should = Object.keys(may).map((action) => [action, promised[action as Action].includes(role)]);
      expect(may, role).toEqual(Object.fromEntries(should));
    }
  });

  test.for(['Viewer', 'Op'] as const)('a session of %s may do the same', async (role) => {
    const session = await as(role).signIn(s);
    const found = await allowedBySession(given().place, session, s, `session-of-${role}`);
    for (const [action, yes] of Object.entries(found))
      expect(yes, action).toBe(promised[action as Action].includes(role));
  });

  test('several roles may do what one of them may', async () => {
    const several = await withRoles(given(), s, `many-${s.name}`, 'Viewer', 'Public', 'User');
    const may = await allowedTo(several, s, 'by-many');
    for (const [action, yes] of Object.entries(may))
      expect(yes, action).toBe(promised[action as Action].includes('User'));
  });

  test('two people, and one person in two roles, at the same time: each session has its own roles', async () => {
    const { place, iam } = given();
    const role = `shared-${s.name}`;
    await iam.role(role, { statements: [entering(s, 'Viewer', 'Op')] });
    const key = await iam.user(`holder-${s.name}`, { statements: [{ Action: 'sts:AssumeRole' }] });
    const limited = async (to: CoreRole) =>
      new Person(place, await iam.assume(key, role, 'ann', [entering(s, to)]));
    const [ann, annAsOp] = [await limited('Viewer'), await limited('Op')];
    const identities = [ann, annAsOp].map(async (p) => (await p.webToken(s.name)).AirflowIdentity);
    expect(new Set(await Promise.all(identities))).toEqual(new Set([`assumed-role/${role}/ann`]));
    const sessions = await Promise.all([ann, annAsOp, as('Viewer'), as('Op')].map((p) => p.signIn(s)));
    const variables = `${restPath(s.airflow)}/variables`;
    const rounds = Array.from({ length: 10 }, () =>
      Promise.all(sessions.map(async (session) => (await session.get(variables)).status)),
    );
    for (const statuses of await Promise.all(rounds)) expect(statuses).toEqual([403, 200, 403, 200]);
  });

  test.for(['Viewer', 'Public'] as const)(
    'A84: a DAG that makes a %s Admin in the tables of Airflow changes nothing',
    async (role) => {
      const { place } = given();
      const { id } = await machineOf(place, s.name);
      const grant = `insert into ab_user_role (id, user_id, role_id)
        select (select coalesce(max(id), 0) + 1000 from ab_user_role), u.id, r.id from ab_user u, ab_role r
        where u.username = 'user/only-${role}-${s.name}' and r.name = 'Admin' returning id`;
      expect(await ownQuery(place, `airflow_${id}`, grant)).toHaveLength(1);
      const may = await allowedTo(as(role), s, `by-a-promoted-${role}`);
      for (const [action, yes] of Object.entries(may))
        expect(yes, action).toBe(promised[action as Action].includes(role));
    },
  );

  test('A27: what Airflow tells of oneself holds nothing to sign in with', async () => {
    const session = await as('Admin').signIn(s);
    const pages =
      s.airflow === 2
        ? ['/users/userinfo/', '/home', '/configuration']
        : ['/ui/auth/me', '/ui/auth/menus', '/ui/config', '/auth/users/userinfo/', '/api/v2/config', '/'];
    for (const path of pages) {
      const { status, text, headers } = await session.get(path);
      expect(status, path).toBe(200);
      expect(JSON.stringify(headers) + text, path).not.toMatch(/wss_|eyJ[\w-]{8,}\.[\w-]+\./);
      expect(text).not.toContain(session.headers['authorization'] ?? session.headers['cookie']);
    }
  });
};
