import type { WebSession } from '../tokens/session-store.ts';
import { type Answer, json, Refusal } from './answer.ts';
import { recordAtDoor } from './audited.ts';
import { forgetSession } from './cookies.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { howToGetIn } from './how-to-get-in.ts';
import { isSameOrigin } from './origin.ts';
import { escapeHtml, page } from './page.ts';
import { signOutPath } from './route.ts';
import { sessionOf } from './session-of.ts';
import { signInPage } from './sign-in-page.ts';

const askPage = (door: DoorFacts, session: WebSession): Answer =>
  page({
    status: 200,
    title: 'Sign out',
    // With no-referrer the browser would send `Origin: null` with the form.
    headers: { 'referrer-policy': 'same-origin' },
    body:
      `<h1>Sign out of ${escapeHtml(door.name)}?</h1><p>You are signed in as <b>${escapeHtml(session.airflowIdentity)}</b>.</p>` +
      `<form class="actions" method="post" action="${signOutPath}"><button class="main">Sign out</button>` +
      `<a class="button" href="/">Back to Airflow</a></form>`,
  });

const donePage = (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Answer =>
  page({
    status: 200,
    title: 'Signed out',
    headers: { 'set-cookie': forgetSession(door) },
    body: `<h1>You are signed out of ${escapeHtml(door.name)}</h1>${howToGetIn(deps, request, door)}`,
  });

const end = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  session: WebSession,
): Promise<void> => {
  const announce = await deps.environments.inTransaction(async (tx) => {
    const after = await deps.tokens.sessions.end(tx, session, 'signed-out');
    const event = { eventName: 'WebSignOut', principal: session.mint.principal, session: session.mint };
    await recordAtDoor(deps, request, door, event, tx);
    return after;
  });
  announce();
};

/** A POST of this door's own page, or of a script, ends the session; a GET only asks, so that an image cannot. */
export const signOut = async (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Promise<Answer> => {
  const session = await sessionOf(deps, request, door);
  if (request.method === 'POST') {
    if (request.browser && !isSameOrigin(request, door)) {
      throw new Refusal(403, `Only a page of ${door.origin} may sign a browser out here.`);
    }
    if (session) await end(deps, request, door, session);
    return request.browser ? donePage(deps, request, door) : json(200, { message: 'Signed out' });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'Send POST to sign out.');
  return session ? askPage(door, session) : signInPage(deps, request, door);
};
