import type { WebSession } from '../tokens/session-store.ts';
import type { Answer } from './answer.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { howToGetIn } from './how-to-get-in.ts';
import { nextPage, nextPageKey, signedInKey } from './next-page.ts';
import { escapeHtml, page } from './page.ts';
import { signOutPath } from './route.ts';

/**
 * Remembers the page that was asked for, for the tab in which the login ends, and goes on itself once another tab signed
 * in. What is in the address stays in it: nothing of it is sent anywhere.
 */
const script = `
(() => {
  const { next, keys } = JSON.parse(document.getElementById('data').textContent);
  try {
    if (next) localStorage.setItem(keys.next, JSON.stringify({ path: next, at: Date.now() }));
    else localStorage.removeItem(keys.next);
  } catch {}
  addEventListener('storage', (event) => {
    if (event.key === keys.signedIn && event.newValue) location.replace(next ?? '/');
  });
})();`;

/** For a browser without a session: what this is, how to get in, and that it then goes on to where it wanted to go. */
export const signInPage = (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Answer => {
  const next = nextPage(request, door);
  return page({
    status: 401,
    title: `Sign in to ${door.name}`,
    headers: { 'www-authenticate': 'Bearer realm="windsock"' },
    script,
    data: { next, keys: { next: nextPageKey, signedIn: signedInKey } },
    body:
      `<h1>Sign in to ${escapeHtml(door.name)}</h1><p>You are not signed in to the Airflow of this environment.</p>` +
      `${howToGetIn(deps, request, door)}${next === undefined || next === '/' ? '' : '<p>Then you come back to the page that you asked for.</p>'}`,
  });
};

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
