import type { Answer } from './answer.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { howToGetIn } from './how-to-get-in.ts';
import { nextPageKey, rememberedMinutes, signedInKey } from './next-page.ts';
import { escapeHtml, page } from './page.ts';
import { loginPath } from './route.ts';

/**
 * The token stands in the fragment, which no server ever sees. The script takes it out of the address first,
 * reads the claims for display only, and posts it; the server decides everything.
 */
const script = `
(async () => {
  const show = (id) => { for (const s of document.querySelectorAll('section')) s.hidden = s.id !== id; };
  const say = (id, text) => { for (const e of document.querySelectorAll('[data-say=' + id + ']')) e.textContent = text; };
  const { login, keys, remembered } = JSON.parse(document.getElementById('data').textContent);
  const token = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  const fail = (text) => { say('why', text); show('refused'); };
  if (!token) return fail('The address holds no web login token: it stands after the # and works once.');
  let claims = {};
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    claims = JSON.parse(new TextDecoder().decode(bytes));
  } catch {}
  say('user', typeof claims.user === 'string' ? claims.user : 'an unknown user');
  const next = () => {
    try {
      const { path, at } = JSON.parse(localStorage.getItem(keys.next));
      localStorage.removeItem(keys.next);
      const url = new URL(path, location.origin);
      const isHere = /^\\/(?![\\/\\\\])/.test(path) && url.origin === location.origin && !url.username;
      if (isHere && Date.now() - at < remembered && at <= Date.now()) return url.pathname + url.search;
    } catch {}
    return '/';
  };
  const goOn = () => {
    const path = next();
    try { localStorage.setItem(keys.signedIn, String(Date.now())); } catch {}
    location.replace(path);
  };
  const post = async (replace) => {
    show('busy');
    try {
      const body = new URLSearchParams(replace ? { token, replace: 'yes' } : { token });
      const answer = await fetch(login, { method: 'POST', body, credentials: 'same-origin', redirect: 'error' });
      if (answer.ok) return goOn();
      const problem = await answer.json();
      if (answer.status !== 409) return fail(problem.message);
      say('current', problem.current);
      show('switch');
    } catch {
      fail('The environment could not be reached. Ask for a new token when it runs again.');
    }
  };
  document.getElementById('yes').addEventListener('click', () => post(true));
  document.getElementById('no').addEventListener('click', () => location.replace('/'));
  await post(false);
})();`;

/** The page that AWS's console and every login URL lead to. It holds no secret and needs no session. */
export const consoleSsoPage = (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Answer => {
  const name = escapeHtml(door.name);
  return page({
    status: 200,
    title: `Sign in to ${door.name}`,
    script,
    data: {
      login: loginPath(door.airflow),
      keys: { next: nextPageKey, signedIn: signedInKey },
      remembered: rememberedMinutes * 60_000,
    },
    body:
      `<section id="busy"><h1>Signing in to ${name}</h1><p>as <b data-say="user">…</b></p><div class="bar"></div></section>` +
      `<section id="switch" hidden><h1>Switch user?</h1><p>You are signed in to <b>${name}</b> as <b data-say="current"></b>. ` +
      `This address signs you in as <b data-say="user"></b> instead and ends the other session.</p>` +
      `<div class="actions"><button id="yes" class="main">Switch user</button><button id="no">Stay signed in</button></div></section>` +
      `<section id="refused" hidden><h1>Not signed in to ${name}</h1><p data-say="why" role="alert"></p>${howToGetIn(deps, request, door)}</section>` +
      `<noscript><p>Signing in needs JavaScript: the token never leaves your browser's address bar by itself.</p></noscript>`,
  });
};
