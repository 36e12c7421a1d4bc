import type { Browser, BrowserContext, Page } from 'playwright-core';
import { loginUrl, newContext } from '../harness/browser.ts';
import type { Person } from './person.ts';
import { dag, type Subject, three, two } from './subjects.ts';

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

/** Gets in on that page with a web login token. */
export const enter = async (page: Page, person: Person, s: Subject): Promise<void> => {
  await page.goto(loginUrl(await person.webToken(s.name)));
  await page.waitForURL((url) => !url.pathname.startsWith('/aws_mwaa'), wait);
};

/** Opens Airflow with a web login token, in a browser that may be signed in elsewhere. */
export const openIn = async (context: BrowserContext, person: Person, s: Subject): Promise<Page> => {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await enter(page, person, s);
  return page;
};

/** The same in a browser of their own. */
export const open = async (browser: Browser, person: Person, s: Subject): Promise<Page> =>
  openIn(await newContext(browser), person, s);

/** The page of one DAG, with its grid. */
export const gridPath = (s: Subject, id: string): string =>
  s.airflow === 2 ? `/dags/${id}/grid` : `/dags/${id}`;

export const address = (page: Page, path: string): string => new URL(path, page.url()).href;

/** Menus that only administrators have, of those that are on the page. */
const menusOf = (texts: readonly string[]): readonly string[] =>
  ['Security', 'Admin'].filter((name) => texts.some((text) => text.trim() === name));

const whoInTwo = async (page: Page): Promise<string> => {
  await page.goto(address(page, '/users/userinfo/'));
  const text = await page.locator('body').innerText();
  const [, user, roles] = /User Name\s+(\S+)[\s\S]*Role\s+\[(.*)\]/.exec(text) ?? [];
  return `${user} (${roles})`;
};

const lookAtTwo = async (page: Page): Promise<Look> => {
  await page.goto(address(page, gridPath(two, dag)));
  const menus = menusOf(await page.locator('.navbar-nav > li > a').allInnerTexts());
  const trigger = await triggerTwo(page);
  const isShown = (await page.goto(address(page, '/connection/list/')))?.status() === 200;
  const who = await whoInTwo(page);
  return { who, menus, trigger, connections: isShown ? 'shown' : 'refused' };
};

const triggerTwo = async (page: Page): Promise<Look['trigger']> => {
  const button = page.getByLabel('Trigger DAG').first();
  if (/\bdisabled\b/.test((await button.getAttribute('class', wait)) ?? '')) return 'off';
  await button.click();
  await page.getByText(`Triggered ${dag}, it should start any moment now.`).waitFor();
  return 'runs';
};

/** From the user menu, which adds the number of the user. */
const whoInThree = async (page: Page): Promise<string> => {
  await page.getByRole('button', { name: 'User', exact: true }).click(wait);
  const text = await page
    .getByText(/^\S+ \(.*\) \(id: \d+\)$/)
    .first()
    .innerText();
  await page.keyboard.press('Escape');
  return text.replace(/ \(id: \d+\)$/, '');
};

const lookAtThree = async (page: Page): Promise<Look> => {
  await page.goto(address(page, gridPath(three, dag)));
  const who = await whoInThree(page);
  const menus = menusOf(await page.getByRole('button').allInnerTexts());
  const trigger = await triggerThree(page);
  const status = await page.evaluate(async () => (await fetch('/api/v2/connections')).status);
  return { who, menus, trigger, connections: status === 200 ? 'shown' : 'refused' };
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

/** Presses the button that triggers the DAG, on its page. */
export const trigger = async (page: Page, s: Subject): Promise<Look['trigger']> => {
  await page.goto(address(page, gridPath(s, dag)));
  return (s.airflow === 2 ? triggerTwo : triggerThree)(page);
};

/** The user and the roles of whoever is signed in there. */
export const whoIn = (page: Page, s: Subject): Promise<string> =>
  (s.airflow === 2 ? whoInTwo : whoInThree)(page);

/** Looks around as somebody and closes the browser. */
export const look = async (browser: Browser, person: Person, s: Subject): Promise<Look> => {
  const page = await open(browser, person, s);
  try {
    return await (s.airflow === 2 ? lookAtTwo : lookAtThree)(page);
  } finally {
    await page.context().close();
  }
};
