import type { WebSession } from '../tokens/session-store.ts';
import type { Answer } from './answer.ts';
import type { DoorFacts } from './door-facts.ts';
import { escapeHtml, page } from './page.ts';
import { signOutPath } from './route.ts';

/** How to get a web login token, as HTML. */
export const howToGetIn = (name: string): string =>
  `<p>Open it from a terminal on this machine:</p><pre>windsock open ${escapeHtml(name)}</pre>` +
  `<p>Or ask the API for a web login token, and follow the address it belongs to within 60 seconds:</p>` +
  `<pre>aws mwaa create-web-login-token --name ${escapeHtml(name)}</pre>`;

/** For a browser without a session: what this is and how to get in. */
export const signInPage = (door: DoorFacts): Answer =>
  page({
    status: 401,
    title: `Sign in to ${door.name}`,
    headers: { 'www-authenticate': 'Bearer realm="windsock"' },
    body: `<h1>Sign in to ${escapeHtml(door.name)}</h1><p>You are not signed in to the Airflow of this environment.</p>${howToGetIn(door.name)}`,
  });

/** For a browser with a session that Airflow sent to its login page: it lacks a right, not a login. */
export const deniedPage = (door: DoorFacts, session: WebSession): Answer =>
  page({
    status: 403,
    title: 'Access denied',
    body:
      `<h1>Access denied</h1><p>You are signed in to <b>${escapeHtml(door.name)}</b> as <b>${escapeHtml(session.airflowIdentity)}</b>, ` +
      `and the Airflow roles that IAM grants you do not reach this page.</p>` +
      `<div class="actions"><a class="button main" href="/">Go to Airflow</a><a class="button" href="${signOutPath}">Sign out</a></div>`,
  });

/** For a browser whose request the door refused. */
export const refusedPage = (door: DoorFacts, status: number, text: string): Answer =>
  page({
    status,
    title: `${door.name}: not possible`,
    body:
      `<h1>That is not possible</h1><p>${escapeHtml(text)}</p>` +
      `<div class="actions"><a class="button main" href="/">Go to Airflow of ${escapeHtml(door.name)}</a></div>`,
  });
