import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../contract/errors.ts';
import { beginWork } from '../lib/make-room.ts';
import { plainAddress } from '../lib/plain-address.ts';
import type { ApiRequest } from './api-request.ts';
import { streamedBody } from './arrival.ts';
import type { BodyRoom } from './body-room.ts';
import type { ApiDeps } from './deps.ts';
import { handleCall } from './pipeline.ts';
import { drained, readBody } from './read-body.ts';
import { renderError } from './restjson.ts';
import { endConnection, send } from './send.ts';

/** What every call is answered with. */
export interface Served {
  readonly deps: ApiDeps;
  readonly room: BodyRoom;
}

/** A request that is at work, and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** The client sends no body before it is told to. */
  readonly waits: boolean;
  /** The body may take as long as it does. */
  readonly mayTakeLong: () => void;
}

const received = ({ request, requestId }: Exchange, body: Uint8Array): ApiRequest => ({
  method: request.method ?? '',
  target: request.url ?? '',
  rawHeaders: request.rawHeaders,
  body,
  sourceIp: plainAddress(request.socket.remoteAddress),
  requestId,
});

/** One call that is decided over its whole body. */
export const answerWhole = async (exchange: Exchange, { deps, room }: Served): Promise<void> => {
  const { request, response, requestId } = exchange;
  if (exchange.waits) response.writeContinue();
  let body: Buffer;
  const held = room.hold(() => request.destroy());
  response.once('close', held.release);
  try {
    body = await readBody(request, held);
  } catch (error) {
    // The client went away or was too slow: nobody reads an answer.
    held.release();
    if (!(error instanceof AwsError)) return;
    await drained(request);
    return send(response, renderError(error, requestId), endConnection);
  }
  response.once('close', beginWork(request.socket));
  await send(response, await handleCall(received(exchange, body), deps));
};

/** Whether there is a body at all (RFC 9112 6.3). */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Notes once that a connection is at work: until then it makes room for others. */
const workOnce = ({ request, response }: Exchange): (() => void) => {
  let isNoted = false;
  return () => {
    if (!isNoted) response.once('close', beginWork(request.socket));
    isNoted = true;
  };
};

/** The body, and a word when all of it has come. */
async function* untilWhole(request: IncomingMessage, done: () => void): AsyncGenerator<Uint8Array> {
  yield* streamedBody(request);
  done();
}

/**
 * One call that is decided over its head, and reads its body only when it is allowed: who waits to be told to go on is
 * told then, or gets the refusal at once. What nobody reads ends the connection, which is at work once there is nothing
 * left to come, or the caller may take long.
 */
export const answerStreamed = async (exchange: Exchange, { deps, room }: Served): Promise<void> => {
  const { request, response, waits } = exchange;
  const beginsWork = workOnce(exchange);
  if (!hasBody(request)) beginsWork();
  const held = room.hold(() => request.destroy());
  response.once('close', held.release);
  let continued = !waits;
  const stream = (mayTakeLong: boolean) => {
    if (!continued) response.writeContinue();
    continued = true;
    if (!mayTakeLong) return untilWhole(request, beginsWork);
    exchange.mayTakeLong();
    beginsWork();
    return streamedBody(request);
  };
  const answer = await handleCall({ ...received(exchange, new Uint8Array()), stream, held }, deps);
  const isRead = request.complete;
  if (!isRead && continued) await drained(request);
  beginsWork();
  await send(response, answer, isRead ? {} : endConnection);
};
