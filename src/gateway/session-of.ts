import type { WebSession } from '../tokens/session-store.ts';
import type { Tokens } from '../tokens/tokens.ts';
import { cookieValue, sessionCookie } from './cookies.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

/** The bearer token of a request, if it has one. */
export const bearerOf = (request: DoorRequest): string | undefined =>
  /^bearer +([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];

const secretOf = (request: DoorRequest, door: DoorFacts): string | undefined => {
  if (request.browser) return cookieValue(request.cookies, sessionCookie('browser', door));
  const bearer = bearerOf(request);
  if (bearer !== undefined) return door.airflow === 3 ? bearer : undefined;
  return cookieValue(request.cookies, sessionCookie('script', door));
};

/** The session of a request: of this environment, and of the kind of this request. */
export const sessionOf = async (
  deps: { readonly tokens: Pick<Tokens, 'sessions'> },
  request: DoorRequest,
  door: DoorFacts,
): Promise<WebSession | undefined> => {
  const secret = secretOf(request, door);
  const session = secret === undefined ? undefined : await deps.tokens.sessions.find(secret);
  const kind = request.browser ? 'browser' : 'script';
  return session?.environmentId === door.id && session.kind === kind ? session : undefined;
};
