import type { WebTarget } from '../environments/ports.ts';
import type { WebSession } from '../tokens/session-store.ts';
import { type Answer, problem, Refusal } from './answer.ts';
import type { DoorDeps } from './deps.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { livingRecord } from './living.ts';
import { mayUseSession } from './origin.ts';
import { bearerOf, sessionOf } from './session-of.ts';
import { signInPage } from './sign-in-page.ts';
import { unavailable } from './unavailable-page.ts';
import { endWithdrawn } from './withdrawn.ts';

/** A request that may go to Airflow. */
export interface Admitted {
  readonly session: WebSession;
  readonly assertion: string;
  readonly target: WebTarget;
}

const notSignedIn = async (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Promise<Answer> => {
  if (request.wantsHtml) return signInPage(deps, request, door);
  const bearer = bearerOf(request);
  const what = bearer === undefined ? undefined : await deps.tokens.describe(bearer);
  const text = `Not signed in to environment ${door.name}, or the session has ended.`;
  return problem(401, what === undefined ? text : `${text} ${what}`);
};

type Answered = { readonly answer: Answer };

/** The session by which a request may ask Airflow; otherwise gives the answer. Throws Refusal. */
export const enter = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  upgrade: boolean,
): Promise<{ readonly session: WebSession } | Answered> => {
  if (!deps.driver.webTarget(door.id)) return { answer: unavailable(door, request.wantsHtml) };
  const session = await sessionOf(deps, request, door);
  if (!session) {
    await deps.limits.beforeStranger(request);
    deps.reads.stranger(request, door);
    return { answer: await notSignedIn(deps, request, door) };
  }
  if (session.kind === 'browser' && !mayUseSession(request, door, upgrade)) {
    throw new Refusal(403, `Another site sent this request. Only pages of ${door.origin} may.`);
  }
  return { session };
};

/** Decides whether a session's request reaches Airflow now, and as whom; otherwise gives the answer. Throws Refusal. */
export const admit = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  session: WebSession,
): Promise<Admitted | Answered> => {
  const target = deps.driver.webTarget(door.id);
  if (!target) return { answer: unavailable(door, request.wantsHtml) };
  const assertion = await deps.tokens.assertions.forSession(session, () => livingRecord(deps, door));
  if (!assertion) {
    await endWithdrawn(deps, session, request);
    throw new Refusal(403, 'No Airflow role granted in IAM. The session has ended.');
  }
  return { session, assertion, target };
};
