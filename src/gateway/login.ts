import type { IncomingMessage } from 'node:http';
import type { EnvironmentRecord } from '../environments/record.ts';
import type { Transaction } from '../lib/transaction.ts';
import { refuseToken } from '../tokens/refused.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { TokenRecord } from '../tokens/token-store.ts';
import { webLoginToken } from '../tokens/web-login-token.ts';
import { type Answer, json, Refusal } from './answer.ts';
import { recordAtDoor } from './audited.ts';
import { readBody, utf8 } from './body.ts';
import { beginSession } from './cookies.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { livingRecord } from './living.ts';
import { isSameOrigin } from './origin.ts';
import { sessionOf } from './session-of.ts';
import { genuineToken, useToken } from './token-use.ts';

const maxBody = 8 * 1024;

/** Somebody else is signed in, and the person was not asked yet. */
class OtherSession extends Refusal {
  readonly current: string;

  constructor(current: string) {
    super(409, 'Another user is signed in in this browser.', 'OtherSession');
    this.current = current;
  }
}

interface Form {
  readonly token: string;
  /** The person agreed to end the session of another principal. */
  readonly replace: boolean;
}

const readForm = async (request: DoorRequest, req: IncomingMessage): Promise<Form> => {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Refusal(415, 'Send the token as the form field token (application/x-www-form-urlencoded).');
  }
  const form = new URLSearchParams(utf8(await readBody(req, maxBody)));
  const [token, more] = form.getAll('token');
  if (!token || more !== undefined) throw new Refusal(400, 'The form must have one field named token.');
  return { token, replace: form.get('replace') === 'yes' };
};

interface Login {
  readonly deps: DoorDeps;
  readonly door: DoorFacts;
  readonly request: DoorRequest;
  readonly record: EnvironmentRecord;
  readonly previous: WebSession | undefined;
  readonly replace: boolean;
}

const checkPrevious = ({ request, previous, replace }: Login, row: TokenRecord): void => {
  if (!request.browser || !previous || replace) return;
  if (previous.mint.principal.arn !== row.mint.principal.arn)
    throw new OtherSession(previous.airflowIdentity);
};

const beginIn = async (tx: Transaction, login: Login, row: TokenRecord) => {
  const { deps, door, request, previous } = login;
  checkPrevious(login, row);
  const roles = await deps.tokens.assertions.rolesOf(row.mint, login.record);
  if (roles.length === 0) {
    const facts = { kind: webLoginToken, environmentName: door.name, user: row.airflowIdentity };
    throw refuseToken('no-role', facts, webLoginToken, door.name);
  }
  const announce = previous ? await deps.tokens.sessions.end(tx, previous, 'signed-out') : () => {};
  const kind = request.browser ? 'browser' : 'script';
  const { mint, airflowIdentity } = row;
  const { secret, session } = await deps.tokens.sessions.open(tx, {
    kind,
    way: door.way,
    environmentId: door.id,
    mint,
    airflowIdentity,
  });
  const responseElements = { AirflowIdentity: airflowIdentity, roles, sessionKind: kind };
  const event = { eventName: 'WebLogin', principal: mint.principal, session: mint, responseElements };
  await recordAtDoor(deps, request, door, event, tx);
  const seconds = Math.round((session.expiresAt - session.createdAt) / 1000);
  return { announce, secret, seconds, kind, airflowIdentity } as const;
};

/**
 * Exchanges a web login token for a session of 12 hours: always 200 with Set-Cookie, never a redirect
 * (Amazon MWAA User Guide, "Accessing the Apache Airflow REST API": clients read the cookie of this answer).
 * An existing session of the same cookie ends. Throws Refusal and TokenRefused.
 */
export const login = async (
  deps: DoorDeps,
  request: DoorRequest,
  req: IncomingMessage,
  door: DoorFacts,
): Promise<Answer> => {
  if (request.browser && !isSameOrigin(request, door)) {
    throw new Refusal(403, `Only a page of ${door.origin} may sign a browser in here.`);
  }
  const form = await readForm(request, req);
  const wanted = { kind: webLoginToken, environment: door };
  const token = await genuineToken(deps, request, form.token, wanted);
  const record = await livingRecord(deps, door);
  const previous = await sessionOf(deps, request, door);
  const attempt: Login = { deps, door, request, record, previous, replace: form.replace };
  try {
    const then = (tx: Transaction, row: TokenRecord) => beginIn(tx, attempt, row);
    const begun = await useToken(attempt, { token, wanted, refusedEvent: 'WebLoginRefused', then });
    begun.announce();
    const cookie = beginSession(begun.kind, door, begun);
    return json(200, { user: begun.airflowIdentity, environment: door.name }, { 'set-cookie': cookie });
  } catch (error) {
    if (error instanceof OtherSession) {
      return json(409, { error: error.code, message: error.publicText, current: error.current });
    }
    throw error;
  }
};
