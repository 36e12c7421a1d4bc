import { isChangingPage } from './changes.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { routeOf } from './route.ts';
import { readTarget } from './target.ts';

/** Longer addresses lead to the first page. */
const longest = 2_000;

/** Where Airflow wants to go back to, of its own login page; a path of this door, or nothing. */
const wantedBack = (query: string, door: DoorFacts): string | undefined => {
  const next = new URLSearchParams(query).get('next') ?? undefined;
  return next?.startsWith(`${door.origin}/`) ? next.slice(door.origin.length) : next;
};

/**
 * The page of Airflow that somebody without a session asked for, to go on to once signed in: path and query, always of this door.
 * Undefined for anything that two programs could read differently, for the door's own paths, and for pages that a GET changes
 * something with: a link from elsewhere must not be followed as if a page of this door had it.
 */
export const nextPage = (request: DoorRequest, door: DoorFacts): string | undefined => {
  if (request.method !== 'GET') return undefined;
  const { to } = routeOf(request, door);
  const raw = to === 'sign-in' ? wantedBack(request.target.query, door) : request.target.raw;
  if (raw === undefined || raw.length > longest) return undefined;
  const target = readTarget(raw);
  if ('refused' in target || isChangingPage({ target }, door)) return undefined;
  return routeOf({ method: 'GET', target }, door).to === 'proxy' ? target.raw : undefined;
};

/** Minutes that a page is remembered: from the sign-in page to the end of a login. */
export const rememberedMinutes = 15;

/** Where the browser keeps the page to go on to, of this origin alone; no cookie, no query. */
export const nextPageKey = 'windsock-next-page';
/** What tells the other tabs that somebody signed in. */
export const signedInKey = 'windsock-signed-in';
