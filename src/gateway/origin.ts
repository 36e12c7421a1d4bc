import { isChangingPage, isSafeMethod } from './changes.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

const isTopLevelNavigation = (r: DoorRequest): boolean =>
  r.method === 'GET' &&
  r.headers.get('sec-fetch-mode') === 'navigate' &&
  r.headers.get('sec-fetch-dest') === 'document';

/** True when a page of this very door sent the request; both headers must agree when both are there. */
export const isSameOrigin = (r: DoorRequest, door: DoorFacts): boolean => {
  const origin = r.headers.get('origin');
  const site = r.headers.get('sec-fetch-site');
  if (origin !== undefined && origin !== door.origin) return false;
  if (site !== undefined && site !== 'same-origin') return false;
  return origin !== undefined || site !== undefined;
};

/** Whether a browser's request may use the browser's session. */
export const mayUseSession = (r: DoorRequest, door: DoorFacts, upgrade: boolean): boolean => {
  if (upgrade || !isSafeMethod(r) || isChangingPage(r, door)) return isSameOrigin(r, door);
  const site = r.headers.get('sec-fetch-site');
  // Other environments are same-site with this one: ports do not count.
  if (site === 'cross-site' || site === 'same-site') return isTopLevelNavigation(r);
  const origin = r.headers.get('origin');
  return origin === undefined || origin === door.origin;
};
