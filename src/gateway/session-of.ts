import type { WebSession } from '../tokens/session-store.ts';
import type { Tokens } from '../tokens/tokens.ts';
import { isSessionSecret } from '../tokens/web-session.ts';
import { cookieValues, sessionCookie } from './cookies.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

/** The bearer token of a request, if it has one. */
export const bearerOf = (request: DoorRequest): string | undefined =>
  /^bearer +([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];

/** Secrets that are looked up for one request: a client has one, and some may be planted or left over. */
const mostLookups = 3;

const secretsOf = (request: DoorRequest, door: DoorFacts): readonly string[] => {
  const bearer = request.browser ? undefined : bearerOf(request);
  if (bearer !== undefined) return door.airflow === 3 ? [bearer] : [];
  const kind = request.browser ? 'browser' : 'script';
  return cookieValues(request.cookies, sessionCookie(kind, door))
    .filter(isSessionSecret)
    .slice(0, mostLookups);
};

/**
 * The session of a request: of this environment, and of the kind of this request. Cookies of one name are tried one by
 * one, as ports of one host share a jar, at most three that have the form of a secret: each is a look-up before anything
 * is counted. Those that open sessions of two people here open none, because one of them is planted.
 */
export const sessionOf = async (
  deps: { readonly tokens: Pick<Tokens, 'sessions'> },
  request: DoorRequest,
  door: DoorFacts,
): Promise<WebSession | undefined> => {
  const kind = request.browser ? 'browser' : 'script';
  let found: WebSession | undefined;
  for (const secret of secretsOf(request, door)) {
    const session = await deps.tokens.sessions.find(secret);
    if (session?.environmentId !== door.id || session.kind !== kind) continue;
    if (found && found.mint.principal.arn !== session.mint.principal.arn) return undefined;
    found ??= session;
  }
  return found;
};
