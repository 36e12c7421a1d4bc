import type { Browser, Page } from 'playwright-core';
import { loginUrl, newContext } from '../harness/browser.ts';
import type { Person } from './person.ts';
import { dag, type Subject } from './subjects.ts';

/** What somebody sees in a browser. */
export interface Look {
  /** The user and the roles, as Airflow shows them. */
  readonly who: string;
  /** Menus for administrators that are there. */
  readonly menus: readonly string[];
  /** What comes of the button that triggers the DAG. */
  readonly trigger: 'runs' | 'refused' | 'off';
  /** What comes of asking for connections. */
  readonly connections: 'shown' | 'refused';
}

const wait = { timeout: 60_000 };

/** Opens Airflow with a web login token, in a browser of their own. */
export const open = async (browser: Browser, person: Person, s: Subject): Promise<Page> => {
  const page = await (await newContext(browser)).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(loginUrl(await person.webToken(s.name)));
  await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), wait);
  return page;
};

const address = (page: Page, path: string): string => new URL(path, page.url()).href;

/** Menus that only administrators have, of those that are on the page. */
const menusOf = (texts: readonly string[]): readonly string[] =>
  ['Security', 'Admin'].filter((name) => texts.some((text) => text.trim() === name));

const lookAtTwo = async (page: Page): Promise<Look> => {
  await page.goto(address(page, `/dags/${dag}/grid`));
  const menus = menusOf(await page.locator('.navbar-nav > li > a').allInnerTexts());
  const button = page.getByLabel('Trigger DAG').first();
  const isOff = /\bdisabled\b/.test((await button.getAttribute('class', wait)) ?? '');
  const trigger = isOff ? 'off' : await triggerTwo(page);
  const connections = (await page.goto(address(page, '/connection/list/')))?.status() === 200;
  await page.goto(address(page, '/users/userinfo/'));
  const text = await page.locator('body').innerText();
  const [, user, roles] = /User Name\s+(\S+)[\s\S]*Role\s+\[(.*)\]/.exec(text) ?? [];
  return { who: `${user} (${roles})`, menus, trigger, connections: connections ? 'shown' : 'refused' };
};

const triggerTwo = async (page: Page): Promise<Look['trigger']> => {
  await page.getByLabel('Trigger DAG').first().click();
  await page.getByText(`Triggered ${dag}, it should start any moment now.`).waitFor();
  return 'runs';
};

const lookAtThree = async (page: Page): Promise<Look> => {
  await page.goto(address(page, `/dags/${dag}`));
  await page.getByRole('button', { name: 'User', exact: true }).click(wait);
  const who = await page
    .getByText(/^\S+ \(.*\) \(id: \d+\)$|^\S+ \([^()]*\)/)
    .first()
    .innerText();
  await page.keyboard.press('Escape');
  const menus = menusOf(await page.getByRole('button').allInnerTexts());
  const trigger = await triggerThree(page);
  const connections = await page.evaluate(async () => (await fetch('/api/v2/connections')).status);
  return {
    who: who.replace(/ \(id: \d+\)$/, ''),
    ...{ menus, trigger, connections: connections === 200 ? 'shown' : 'refused' },
  };
};

/** The button is there for everybody who sees the DAG: Airflow 3 says no when it is pressed. */
const triggerThree = async (page: Page): Promise<Look['trigger']> => {
  await page.getByTestId('trigger-dag-button').click();
  const answered = page.waitForResponse(
    (r) => r.request().method() === 'POST' && r.url().endsWith('/dagRuns'),
  );
  await page.getByRole('dialog').getByRole('button', { name: 'Trigger' }).click();
  const isAllowed = (await answered).status() === 200;
  await page
    .getByText(isAllowed ? 'Dag Run Triggered' : 'Access Denied')
    .first()
    .waitFor();
  return isAllowed ? 'runs' : 'refused';
};

/** Looks around as somebody and closes the browser. */
export const look = async (browser: Browser, person: Person, s: Subject): Promise<Look> => {
  const page = await open(browser, person, s);
  try {
    return await (s.airflow === 2 ? lookAtTwo : lookAtThree)(page);
  } finally {
    await page.context().close();
  }
};
