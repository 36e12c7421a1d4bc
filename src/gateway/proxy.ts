import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, errors } from 'undici';
import type { WebTarget } from '../environments/ports.ts';
import { textOf, WindsockError } from '../lib/errors.ts';
import { passedResponseHeaders, upstreamHeaders } from '../upstream/headers.ts';
import { relay } from '../upstream/relay.ts';
import { type Admitted, admit, enter } from './admit.ts';
import { problem, Refusal, send } from './answer.ts';
import { type Outcome, recordIntent } from './audited.ts';
import { limitedBody, readBody } from './body.ts';
import { mayChange, methodForAirflow } from './changes.ts';
import { passedSetCookies, upstreamCookie } from './cookies.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, environmentOf } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { rewriteLocation } from './location.ts';
import { unavailable } from './unavailable-page.ts';

/** Of a request to Airflow, which takes it as it comes; far above what a plug-in's page may let people upload. */
const maxBody = 2 * 1024 ** 3;

/** GET and HEAD go without a body. AWS's own client sends `{}` with a GET, which means none. */
const bodyOf = async (request: DoorRequest, req: IncomingMessage) => {
  const sent = request.headers.has('content-length') || request.headers.has('transfer-encoding');
  if (!sent) return undefined;
  if (methodForAirflow(request) !== 'GET') return Readable.from(limitedBody(req, maxBody));
  const text = (await readBody(req, 1024)).toString('latin1').trim();
  if (text !== '' && text !== '{}') throw new Refusal(400, `A ${request.method} request has no body.`);
  return undefined;
};

const headersFor = (request: DoorRequest, door: DoorFacts, admitted: Admitted, withBody: boolean) => {
  const facts = {
    hostname: door.hostname,
    clientIp: request.clientIp,
    assertion: admitted.assertion,
    cookie: upstreamCookie(request.cookies, door.id),
  };
  const headers = upstreamHeaders(request.headers, facts);
  if (!withBody) delete headers['content-type'];
  if (request.method === 'HEAD') {
    // only GET has ranges (RFC 9110 14.2)
    delete headers['range'];
    delete headers['if-range'];
  }
  const length = withBody ? request.headers.get('content-length') : undefined;
  return length === undefined ? headers : { ...headers, 'content-length': length };
};

const answerHeaders = (
  upstream: IncomingHttpHeaders,
  request: DoorRequest,
  door: DoorFacts,
  target: WebTarget,
) => {
  const headers = passedResponseHeaders(upstream);
  const setCookies = passedSetCookies([upstream['set-cookie'] ?? []].flat(), door.id);
  if (setCookies.length > 0) headers['set-cookie'] = setCookies;
  const location = [upstream['location'] ?? []].flat()[0];
  if (location !== undefined)
    headers['location'] = rewriteLocation(location, request.target.path, door, target);
  if (!headers['x-frame-options'] && !headers['content-security-policy'])
    headers['x-frame-options'] = 'SAMEORIGIN';
  headers['x-content-type-options'] = 'nosniff';
  return headers;
};

type Io = { readonly req: IncomingMessage; readonly res: ServerResponse };

/** A kept connection may be closed while a request is on its way; such a one is sent again (RFC 9110, 9.2.2). */
const isUnanswered = (error: unknown, res: ServerResponse): boolean =>
  error instanceof errors.SocketError && !res.headersSent && !res.closed;

const forward = async (
  deps: DoorDeps,
  request: DoorRequest,
  io: Io,
  door: DoorFacts,
  admitted: Admitted,
): Promise<number> => {
  const { target } = admitted;
  const body = await bodyOf(request, io.req);
  const forwarded = {
    method: methodForAirflow(request) as Dispatcher.HttpMethod,
    path: request.target.raw,
    headers: headersFor(request, door, admitted, body !== undefined),
    body: body ?? null,
  };
  const send = () =>
    relay(deps.pools.of(door.id, target), forwarded, io.res, (upstream) =>
      answerHeaders(upstream, request, door, target),
    );
  return send().catch((error) => {
    if (body === undefined && !mayChange(request, door) && isUnanswered(error, io.res)) return send();
    throw error;
  });
};

/** Milliseconds after which the end of a process is known whose connection broke. */
const endIsToldMs = 100;

const fail = async (
  deps: DoorDeps,
  request: DoorRequest,
  io: Io,
  door: DoorFacts,
  error: unknown,
): Promise<void> => {
  if (error instanceof Refusal) throw error;
  deps.log.warn('Airflow did not answer', {
    ...environmentOf(door),
    requestId: request.requestId,
    reason: (error instanceof WindsockError && error.detail) || textOf(error),
  });
  if (io.res.headersSent) return void io.res.destroy();
  await delay(endIsToldMs);
  const restarting = !deps.driver.webTarget(door.id);
  send(
    io.res,
    restarting
      ? unavailable(door, request.wantsHtml)
      : problem(502, `Airflow of environment ${door.name} did not answer.`),
    request.requestId,
  );
};

/** How the request ended, for the record: what may change something has its own, the others are counted. */
type Ended = (outcome: Outcome) => Promise<void> | void;

const begin = async (
  deps: DoorDeps,
  request: DoorRequest,
  door: DoorFacts,
  { session }: Admitted,
): Promise<Ended> => {
  if (mayChange(request, door)) {
    deps.limits.beforeChange(session);
    return recordIntent(deps, request, door, session);
  }
  return (outcome) => deps.reads.read(request, door, session, 'status' in outcome ? outcome.status : 502);
};

/** Passes a request on with the assertion of its session. Streams both ways; ends when either side or the session does. */
export const proxy = async (deps: DoorDeps, request: DoorRequest, io: Io, door: DoorFacts): Promise<void> => {
  const { res } = io;
  const entered = await enter(deps, request, door, false);
  if ('answer' in entered) return send(res, entered.answer, request.requestId);
  const { session } = entered;
  res.once('close', request.begin());
  deps.limits.beforeAirflow(session);
  const leave = await deps.limits.enterAirflow(session, (giveUp) => res.once('close', giveUp));
  if (res.closed) return leave();
  res.once('close', leave);
  const admitted = await admit(deps, request, door, session);
  if ('answer' in admitted) return send(res, admitted.answer, request.requestId);
  if (res.closed) return;
  res.once(
    'close',
    deps.connections.add(session, door.way, () => res.destroy()),
  );
  const ended = await begin(deps, request, door, admitted);
  try {
    await ended({ status: await forward(deps, request, io, door, admitted) });
  } catch (error) {
    await ended({ broken: res.closed ? 'the client or its session went away' : textOf(error) });
    if (!res.closed) await fail(deps, request, io, door, error);
  }
};
