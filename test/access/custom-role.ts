import type { Browser, Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { putDag, sharedDag } from '../harness/dags.ts';
import { restPath, type Session } from '../harness/door.ts';
import { until } from '../harness/until.ts';
import { address, open } from './look.ts';
import { rootOf, type Stage, withRoles } from './people.ts';
import { pausedDag, type Subject } from './subjects.ts';

const role = 'Guests';
const shared = 'shared_with_guests';

/** What it takes to see a shared DAG in a list; Airflow 3.3 asks for the last one too, which others do not have. */
const rights = [
  "Website 'DAG Runs' 'Task Instances' -a can_read",
  'DAGs -a menu_access',
  "'HITL Detail' -a can_read",
];

/** Opens the list of users of Airflow with this one in it; gives their row. */
const rowOf = async (page: Page, s: Subject, user: string): Promise<Locator> => {
  const list = `${s.airflow === 2 ? '' : '/auth'}/users/list/?_flt_0_username=${encodeURIComponent(user)}`;
  await page.goto(address(page, list));
  return page.getByRole('row').filter({ hasText: user });
};

/** Chooses roles for somebody in the form of Airflow. */
const giveRoles = async (page: Page, s: Subject, user: string, roles: readonly string[]): Promise<void> => {
  const edit = await (await rowOf(page, s, user)).locator('a[href*="/edit/"]').getAttribute('href');
  await page.goto(address(page, edit ?? ''));
  await page.locator('#roles').selectOption([...roles]);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/list\//).catch(async (error: unknown) => {
    throw new Error(`not saved: ${page.url()}\n${await page.innerText('body')}`, { cause: error });
  });
};

/** The DAGs that are listed, and what comes of asking for one that is shared, one that is not, and variables. */
const seenBy = async (s: Subject, session: Session) => {
  const api = restPath(s.airflow);
  const list = await session.get(`${api}/dags`);
  const found = list.status === 200 ? (JSON.parse(list.text) as { dags: { dag_id: string }[] }).dags : [];
  const [one, other, variables] = await Promise.all(
    [`/dags/${shared}`, `/dags/${pausedDag}`, '/variables'].map((path) => session.get(`${api}${path}`)),
  );
  return {
    ...{ dags: found.map((dag) => dag.dag_id), shared: one?.status },
    ...{ other: other?.status, variables: variables?.status },
  };
};

/** A role that was made in Airflow, on top of Public, as the guide of Amazon MWAA has it. */
export const customRoleStories = (s: Subject, given: () => Stage & { readonly browser: Browser }): void => {
  test('a role made in Airflow counts beside Public and outlives logins; a core role that is given there does not', async () => {
    const { place, browser } = given();
    const name = `guest-${s.name}`;
    const [admin, guest] = [rootOf(place), await withRoles(given(), s, name, 'Public')];
    const session = await guest.signIn(s);
    expect(await seenBy(s, session)).toEqual({ dags: [], shared: 403, other: 403, variables: 403 });

    const words = [`create ${role}`, ...rights.map((right) => `add-perms ${role} -r ${right}`)];
    for (const w of words) expect((await admin.command(s, `roles ${w}`)).status, w).toBe(200);
    putDag(place, s.name, 'shared.py', sharedDag(shared, role));
    await until('the shared DAG', 90, async () => (await admin.invoked(s, 'GET', `/dags/${shared}`)) === 200);
    expect((await seenBy(s, session)).shared).toBe(403);

    const page = await open(browser, admin, s);
    await giveRoles(page, s, `user/${name}`, [role, 'Op']);
    expect(await (await rowOf(page, s, `user/${name}`)).innerText()).toMatch(/\[.*\bOp\b.*\]/);
    const guests = { dags: [shared], shared: 200, other: 403, variables: 403 };
    expect(await seenBy(s, session)).toEqual(guests);
    expect(await seenBy(s, await guest.signIn(s))).toEqual(guests);
    expect(await (await rowOf(page, s, `user/${name}`)).innerText()).toContain(`[${role}]`);
    await page.context().close();

    const own = await open(browser, guest, s);
    await own.goto(address(own, s.airflow === 2 ? '/home' : '/dags'));
    await own.locator(`a[href*="/dags/${shared}"]`).first().waitFor();
    expect(await own.locator(`a[href*="/dags/${pausedDag}"]`).count()).toBe(0);
    await own.context().close();
  });
};
