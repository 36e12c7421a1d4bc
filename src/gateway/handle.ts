import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { textOf } from '../lib/errors.ts';
import { machineTrouble } from '../lib/machine-trouble.ts';
import { TokenRefused } from '../tokens/refused.ts';
import { type Answer, problem, Refusal, send } from './answer.ts';
import type { Arrival } from './arrivals.ts';
import { cliEndpoint } from './cli-endpoint.ts';
import { consoleSsoPage } from './console-sso.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, environmentOf } from './door-facts.ts';
import { type DoorRequest, readRequest } from './door-request.ts';
import { login } from './login.ts';
import { proxy } from './proxy.ts';
import { routeOf } from './route.ts';
import { sessionOf } from './session-of.ts';
import { deniedPage, refusedPage, signInPage } from './sign-in-page.ts';
import { signOut } from './sign-out.ts';
import { refuseUpgrade, upgrade } from './upgrade.ts';

const signIn = async (deps: DoorDeps, request: DoorRequest, door: DoorFacts): Promise<Answer> => {
  const session = await sessionOf(deps, request, door);
  return session ? deniedPage(door, session) : signInPage(deps, request, door);
};

/** A request and its answer, as Node has them. */
export type Io = { readonly req: IncomingMessage; readonly res: ServerResponse };

/** The answer of one of the door's own paths; undefined when Airflow answered. */
const answer = async (
  deps: DoorDeps,
  request: DoorRequest,
  io: Io,
  door: DoorFacts,
): Promise<Answer | undefined> => {
  const route = routeOf(request, door);
  switch (route.to) {
    case 'console-sso':
      return consoleSsoPage(deps, request, door);
    case 'login':
      return login(deps, request, io.req, door);
    case 'cli':
      return cliEndpoint(deps, request, io, door);
    case 'sign-in':
      return signIn(deps, request, door);
    case 'sign-out':
      return signOut(deps, request, door);
    case 'nowhere':
      if (route.allow) io.res.setHeader('allow', route.allow.join(', '));
      throw new Refusal(route.status, route.why);
    case 'proxy':
      await proxy(deps, request, io, door);
      return undefined;
  }
};

/** The one place where what was thrown becomes an answer: JSON for programs, a page for people. */
const answerError = (deps: DoorDeps, door: DoorFacts, error: unknown, request?: DoorRequest): Answer => {
  const id = request === undefined ? {} : { requestId: request.requestId };
  const show = (status: number, text: string, code?: string): Answer =>
    request?.wantsHtml ? refusedPage(door, status, text) : problem(status, text, code);
  const refused = (status: number, reason: string) =>
    deps.log.info('door request refused', { ...environmentOf(door), ...id, status, reason });
  if (error instanceof Refusal) {
    refused(error.status, error.publicText);
    return show(error.status, error.publicText);
  }
  if (error instanceof TokenRefused) {
    refused(403, error.reason);
    return show(403, error.publicText, error.reason);
  }
  deps.log.error('door request failed inside', { ...environmentOf(door), ...id, reason: textOf(error) });
  const trouble = machineTrouble(error);
  return trouble === undefined
    ? show(500, 'Windsock could not answer. Its log says why.')
    : show(503, trouble);
};

/** What is left of a refused body is thrown away for a second, so that the client sees the answer; then cut. */
const drain = ({ req, res }: Io): void => {
  if (req.complete || res.destroyed) return;
  req.resume();
  const timer = setTimeout(() => {
    if (!req.complete) req.destroy();
  }, 1000);
  req.once('close', () => clearTimeout(timer));
};

const senderOf = (deps: DoorDeps, arrival: Arrival) => ({
  arrival,
  isProxy: (address: string) => deps.arrivals.isProxy(address),
});

/** What a request gets by a name that no environment has, or by a way that its access mode does not allow. */
const nobodyHere = (): Answer =>
  problem(421, 'No environment answers by this name here. Use the address that GetEnvironment gives.');

/** Serves one request; `door` is undefined where no environment is for it. Never throws. */
export const handle = async (
  deps: DoorDeps,
  door: DoorFacts | undefined,
  arrival: Arrival,
  io: Io,
): Promise<void> => {
  if (door === undefined) return send(io.res, nobodyHere());
  let request: DoorRequest | undefined;
  try {
    if (arrival.crowded) io.res.shouldKeepAlive = false;
    if (door.isOwnName) io.res.setHeader('strict-transport-security', 'max-age=31536000');
    request = readRequest(io.req, door, senderOf(deps, arrival));
    deps.limits.beforeRequest(arrival);
    const own = await answer(deps, request, io, door);
    if (own) send(io.res, own, request.requestId);
  } catch (error) {
    send(io.res, answerError(deps, door, error, request), request?.requestId);
  }
  drain(io);
};

/** Serves one upgrade; `door` is undefined where no environment is for it. Never throws. */
export const handleUpgrade = async (
  deps: DoorDeps,
  door: DoorFacts | undefined,
  arrival: Arrival,
  req: IncomingMessage,
  socket: Duplex,
  early: Buffer,
): Promise<void> => {
  if (door === undefined) return refuseUpgrade(socket, nobodyHere());
  try {
    const request = readRequest(req, door, senderOf(deps, arrival));
    deps.limits.beforeRequest(arrival);
    await upgrade({ deps, request, door, socket, early });
  } catch (error) {
    refuseUpgrade(socket, answerError(deps, door, error));
  }
};
