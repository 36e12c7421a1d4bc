import type { Browser, Page } from 'playwright-core';
import { address, gridPath, open } from './look.ts';
import type { Person } from './person.ts';
import type { Action } from './roles.ts';
import { pausedDag, type Subject } from './subjects.ts';

/** What a page of Airflow asks of its own server. */
interface Asked {
  readonly method: string;
  readonly path: string;
  /** Fields of a form, as the pages of Airflow 2 send them. */
  readonly form?: Readonly<Record<string, string>>;
  /** What the pages of Airflow 3 send. */
  readonly json?: object;
}

const get = (path: string): Asked => ({ method: 'GET', path });

/** A run that is there before anybody asks, and the one that whoever asks would make. */
export const earlierRun = 'earlier';
const ownRun = (who: string): string => `in-the-pages-of-${who}`;

const askedInTwo = (who: string) =>
  ({
    'see DAGs': get('/home'),
    'trigger a DAG': {
      ...{ method: 'POST', path: `/dags/${pausedDag}/trigger` },
      form: { run_id: ownRun(who) },
    },
    'pause a DAG': { method: 'POST', path: `/paused?is_paused=true&dag_id=${pausedDag}`, form: {} },
    'clear tasks': {
      ...{ method: 'POST', path: '/dagrun_clear' },
      form: { dag_id: pausedDag, dag_run_id: earlierRun, confirmed: 'false' },
    },
    'see variables': get('/variable/list/'),
    'see connections': get('/connection/list/'),
    'see pools': get('/pool/list/'),
    'see the configuration': get('/configuration'),
    'see the audit log': get('/log/list/'),
    'manage users': get('/users/list/'),
  }) satisfies Partial<Record<Action, Asked>>;

export type PageAction = keyof ReturnType<typeof askedInTwo>;

const askedInThree = (who: string, version: string): Readonly<Record<PageAction, Asked>> => ({
  'see DAGs': get(version.startsWith('3.0.') ? '/ui/dags/recent_dag_runs' : '/ui/dags'),
  'trigger a DAG': {
    ...{ method: 'POST', path: `/api/v2/dags/${pausedDag}/dagRuns` },
    json: { dag_run_id: ownRun(who), logical_date: null },
  },
  'pause a DAG': { method: 'PATCH', path: `/api/v2/dags/${pausedDag}`, json: { is_paused: true } },
  'clear tasks': {
    ...{ method: 'POST', path: `/api/v2/dags/${pausedDag}/dagRuns/${earlierRun}/clear` },
    json: { dry_run: true },
  },
  'see variables': get('/api/v2/variables'),
  'see connections': get('/api/v2/connections'),
  'see pools': get('/api/v2/pools'),
  'see the configuration': get('/api/v2/config'),
  'see the audit log': get('/api/v2/eventLogs'),
  'manage users': get('/auth/users/list/'),
});

interface PageAnswer {
  /** 0 when it leads elsewhere. */
  readonly status: number;
  readonly text: string;
}

/** Asks from inside of the page, as its own scripts do: with the cookies and the origin that Chromium sends. */
const askFrom = async (page: Page, asked: Asked, csrf: string): Promise<PageAnswer> => {
  const type = asked.json ? 'application/json' : 'application/x-www-form-urlencoded';
  const body = asked.json
    ? JSON.stringify(asked.json)
    : new URLSearchParams({ ...asked.form, csrf_token: csrf }).toString();
  const more = asked.method === 'GET' ? {} : { headers: { 'content-type': type }, body };
  return page.evaluate(
    async ({ path, ...rest }) => {
      const answer = await fetch(path, { ...rest, redirect: 'manual' });
      return { status: answer.status, text: await answer.text() };
    },
    { method: asked.method, path: asked.path, ...more },
  );
};

/** Airflow 2 gives it with each of its pages; who sees none has none. */
const csrfOf = async (page: Page): Promise<string> => {
  const meta = page.locator('meta[name=csrf_token]');
  return (await meta.count()) > 0 ? ((await meta.first().getAttribute('content')) ?? '') : '';
};

/** @throws Error for an answer that says neither yes nor no */
const isYes = (action: string, { status, text }: PageAnswer, csrf: string): boolean => {
  if (action === 'see DAGs') return status === 200 && text.includes(pausedDag);
  if (status === 200) return true;
  const hadNoToken = csrf === '' && status === 400;
  if (status === 0 || status === 403 || hadNoToken) return false;
  throw new Error(`${action}: ${status} ${text}`);
};

/** What somebody may do in Airflow's own pages, in Chromium; `admin` looks whether there is the run of theirs. */
export const allowedInPages = async (
  browser: Browser,
  s: Subject,
  who: string,
  { person, admin }: { readonly person: Person; readonly admin: Person },
): Promise<Readonly<Record<PageAction, boolean>>> => {
  const page = await open(browser, person, s);
  try {
    await page.goto(address(page, gridPath(s, pausedDag)));
    const csrf = await csrfOf(page);
    const found: Partial<Record<PageAction, boolean>> = {};
    for (const [action, asked] of Object.entries(
      s.airflow === 2 ? askedInTwo(who) : askedInThree(who, s.version),
    )) {
      const answer = await askFrom(page, asked, csrf);
      // after the form of a trigger Airflow 2 leads elsewhere, whatever came of it
      found[action as PageAction] =
        action === 'trigger a DAG'
          ? (await admin.invoked(s, 'GET', `/dags/${pausedDag}/dagRuns/${ownRun(who)}`)) === 200
          : isYes(action, answer, csrf);
    }
    return found as Readonly<Record<PageAction, boolean>>;
  } finally {
    await page.context().close();
  }
};
