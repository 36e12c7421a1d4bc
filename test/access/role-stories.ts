import { beforeAll, expect, test } from 'vitest';
import { machineOf } from '../harness/environments.ts';
import type { Iam } from '../harness/iam.ts';
import { ownQuery } from '../harness/own-database.ts';
import type { Place } from '../harness/server.ts';
import { Person } from './person.ts';
import { type Action, allowedBySession, allowedTo, type CoreRole, coreRoles, promisedIn } from './roles.ts';
import type { Subject } from './subjects.ts';

/** What each core role may do at one environment, over InvokeRestApi and by a session. */
export const roleStories = (s: Subject, given: () => { readonly place: Place; readonly iam: Iam }): void => {
  const promised = promisedIn(s);
  const people = new Map<CoreRole, Person>();

  const withRoles = async (name: string, ...roles: readonly CoreRole[]): Promise<Person> => {
    const { place, iam } = given();
    const Resource = roles.map((role) => `arn:aws:airflow:us-east-1:${iam.accountId}:role/${s.name}/${role}`);
    const Action = ['airflow:CreateWebLoginToken', 'airflow:InvokeRestApi'];
    return new Person(place, await iam.user(name, { statements: [{ Action, Resource }] }));
  };

  beforeAll(async () => {
    for (const role of coreRoles) people.set(role, await withRoles(`only-${role}-${s.name}`, role));
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

  test.for(['Viewer', 'Op'] as const)('a session of %s may do the same', async (role) => {
    const session = await as(role).signIn(s);
    const found = await allowedBySession(given().place, session, s, `session-of-${role}`);
    for (const [action, yes] of Object.entries(found))
      expect(yes, action).toBe(promised[action as Action].includes(role));
  });

  test('several roles may do what one of them may', async () => {
    const several = await withRoles(`many-${s.name}`, 'Viewer', 'Public', 'User');
    const may = await allowedTo(several, s, 'by-many');
    for (const [action, yes] of Object.entries(may))
      expect(yes, action).toBe(promised[action as Action].includes('User'));
  });

  test('A84: a DAG that makes somebody Admin in the tables of Airflow changes nothing', async () => {
    const { place } = given();
    const { id } = await machineOf(place, s.name);
    const grant = `insert into ab_user_role (id, user_id, role_id)
      select (select coalesce(max(id), 0) + 1000 from ab_user_role), u.id, r.id from ab_user u, ab_role r
      where u.username = 'user/only-Viewer-${s.name}' and r.name = 'Admin' returning id`;
    expect(await ownQuery(place, `airflow_${id}`, grant)).toHaveLength(1);
    const may = await allowedTo(as('Viewer'), s, 'by-a-promoted-one');
    for (const [action, yes] of Object.entries(may))
      expect(yes, action).toBe(promised[action as Action].includes('Viewer'));
  });

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
