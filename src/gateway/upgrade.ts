import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { textOf, WindsockError } from '../lib/errors.ts';
import { upstreamHeaders } from '../upstream/headers.ts';
import { type Admitted, admit, enter } from './admit.ts';
import { type Answer, ownHeaders, problem, Refusal } from './answer.ts';
import { recordIntent } from './audited.ts';
import { upstreamCookie } from './cookies.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, environmentOf } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';
import { routeOf } from './route.ts';

const handshakeDeadlineMs = 15_000;
const passedBack = ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'];

const head = (status: number, headers: Readonly<Record<string, string | string[]>>): string => {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((v) => `${name}: ${v}`),
  );
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''].join('\r\n');
};

/** Answers an upgrade that does not happen, and closes. */
export const refuseUpgrade = (socket: Duplex, answer: Answer): void => {
  const length = String(Buffer.byteLength(answer.body));
  socket.end(
    head(answer.status, { ...ownHeaders, ...answer.headers, connection: 'close', 'content-length': length }) +
      answer.body,
  );
};

const tunnel = (client: Duplex, upstream: Duplex, early: Buffer): void => {
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on('error', cut).on('close', cut);
  upstream.write(early);
  client.pipe(upstream).pipe(client);
};

interface Upgrade {
  readonly deps: DoorDeps;
  readonly request: DoorRequest;
  readonly door: DoorFacts;
  readonly socket: Duplex;
  /** What the client sent after its headers. */
  readonly early: Buffer;
}

const connect = async (
  { deps, request, door, socket, early }: Upgrade,
  admitted: Admitted,
): Promise<void> => {
  const cookie = upstreamCookie(request.cookies, door.id);
  const facts = {
    hostname: door.hostname,
    clientIp: request.clientIp,
    assertion: admitted.assertion,
    cookie,
  };
  const { headers, socket: upstream } = await deps.pools.of(door.id, admitted.target).upgrade({
    path: request.target.raw,
    method: 'GET',
    headers: upstreamHeaders(request.headers, facts, 'upgrade'),
    protocol: 'websocket',
    signal: AbortSignal.timeout(handshakeDeadlineMs),
  });
  if (socket.destroyed) return void upstream.destroy();
  const release = deps.connections.add(admitted.session, door.way, () => socket.destroy());
  socket.once('close', release);
  const back = Object.entries(headers).flatMap(([name, value]) =>
    passedBack.includes(name) && value ? [[name, value]] : [],
  );
  socket.write(head(101, { upgrade: 'websocket', connection: 'Upgrade', ...Object.fromEntries(back) }));
  tunnel(socket, upstream, early);
};

/** What is said over a WebSocket is not known here: it counts as a change, which ends when it is closed. */
const connectAudited = async (u: Upgrade, admitted: Admitted): Promise<void> => {
  const ended = await recordIntent(u.deps, u.request, u.door, admitted.session);
  try {
    await connect(u, admitted);
    u.socket.once('close', () => void ended({ status: 101 }));
  } catch (error) {
    await ended({
      broken: error instanceof WindsockError ? (error.detail ?? error.publicText) : textOf(error),
    });
    throw error;
  }
};

/** Opens a WebSocket to Airflow for a session. Every refusal is answered here; nothing is thrown. */
export const upgrade = async (u: Upgrade): Promise<void> => {
  const { deps, request, door, socket } = u;
  socket.on('error', () => socket.destroy());
  try {
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
      throw new Refusal(400, 'Only WebSocket is served.');
    if (request.method !== 'GET') throw new Refusal(405, 'A WebSocket begins with GET.');
    if (routeOf(request, door).to !== 'proxy') throw new Refusal(404, 'There is no WebSocket at this path.');
    const entered = await enter(deps, request, door, true);
    if ('answer' in entered) return refuseUpgrade(socket, entered.answer);
    const { session } = entered;
    socket.once('close', request.begin());
    deps.limits.beforeAirflow(session);
    deps.limits.beforeChange(session);
    const leave = await deps.limits.enterAirflow(session, (giveUp) => socket.once('close', giveUp));
    if (socket.destroyed) return leave();
    socket.once('close', leave);
    const admitted = await admit(deps, request, door, session);
    if ('answer' in admitted) return refuseUpgrade(socket, admitted.answer);
    await connectAudited(u, admitted);
  } catch (error) {
    const known = error instanceof Refusal;
    if (!known)
      deps.log.debug('WebSocket not opened', {
        ...environmentOf(door),
        reason: error instanceof WindsockError ? error.detail : 'the server refused',
      });
    refuseUpgrade(
      socket,
      known ? problem(error.status, error.publicText) : problem(502, 'Airflow did not accept the WebSocket.'),
    );
  }
};
