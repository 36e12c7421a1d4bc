import type { BrowserContext, Page } from 'playwright-core';
import type { Subject } from '../access/subjects.ts';

/** The cookies that open the doors. */
export const keysIn = async (context: BrowserContext): Promise<readonly string[]> =>
  (await context.cookies())
    .filter(({ name }) => name.startsWith('__Host-Http-'))
    .map(({ name, value }) => `${name}=${value}`);

/** Signs out as a person does: by the menu of Airflow, then on the page of the door that asks. */
export const signOutByMenu = async (page: Page, s: Subject): Promise<void> => {
  if (s.airflow === 2) {
    await page.locator('.navbar-right .dropdown-toggle').last().click();
    await page.getByText('Log Out').click();
  } else {
    await page.getByRole('button', { name: 'User', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Logout' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  }
  await page.getByText(`Sign out of ${s.name}?`).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText(`You are signed out of ${s.name}`).waitFor();
};

/** Where the log of a task is read. */
export const logPath = (
  s: Subject,
  { dag, run, task }: { readonly dag: string; readonly run: string; readonly task: string },
): string =>
  s.airflow === 2
    ? `/dags/${dag}/grid?dag_run_id=${run}&task_id=${task}&tab=logs`
    : `/dags/${dag}/runs/${run}/tasks/${task}`;

/** The numbers of a ticking task's lines that are on the page, in their order. */
export const linesOn = async (page: Page): Promise<readonly number[]> => {
  const texts = await page.getByText(/line \d+ of \d+/).allInnerTexts();
  return [...texts.join('\n').matchAll(/line (\d+) of/g)].map(([, n]) => Number(n)).sort((a, b) => a - b);
};
