import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AwsError, internalServerException, malformedRequestException } from '../contract/errors.ts';
import { outliveAcceptErrors } from '../lib/accept-errors.ts';
import { textOf } from '../lib/errors.ts';
import { beginWork, makeRoom } from '../lib/make-room.ts';
import { plainAddress } from '../lib/plain-address.ts';
import { originForm } from '../lib/request-target.ts';
import { BodyRoom } from './body-room.ts';
import type { ApiDeps } from './deps.ts';
import { listenOnLoopback } from './loopback.ts';
import { handleCall } from './pipeline.ts';
import { drained, readBody, restApiBodyLimit } from './read-body.ts';
import { type ApiResponse, renderError } from './restjson.ts';

/** The API, listening on both loopback addresses. */
export interface ApiServer {
  /** Port 0 takes a free one. Throws PortTaken. */
  listen(port: number): Promise<{ readonly port: number }>;
  /** Stops accepting, gives running calls five seconds, then ends every connection. */
  close(): Promise<void>;
}

/** Bodies in memory at once: 64 of the largest, and of each other one what usual calls have. */
const bodyRoom = { most: 64 * restApiBodyLimit, free: 64 * 1024 };
const closeDeadline = 5_000;
const maxConnections = 1_000;

/** Bounds on slow senders, in milliseconds; Node closes the connection with 408. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
};

interface Served {
  readonly deps: ApiDeps;
  readonly room: BodyRoom;
}

const send = (response: ServerResponse, { status, headers, body }: ApiResponse, more: object = {}): void => {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...more, ...headers, 'content-length': bytes.length }).end(bytes);
};

const endConnection = { connection: 'close' };

/** One call of the API, from its body to its answer; `requestId` is a UUID. */
const answerCall = async (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { deps, room }: Served,
): Promise<void> => {
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
    return void send(response, renderError(error, requestId), endConnection);
  }
  response.once('close', beginWork(request.socket));
  const answer = await handleCall(
    {
      method: request.method ?? '',
      target: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body,
      sourceIp: plainAddress(request.socket.remoteAddress),
      requestId,
    },
    deps,
  );
  send(response, answer);
};

const about = ({ region }: ApiDeps) => ({
  service: 'Windsock',
  speaks: 'Amazon MWAA API 2020-07-01 (rest-json, Signature Version 4, signing name airflow)',
  region,
  help: 'Run `windsock env` for the settings that point aws cli and boto3 here.',
});

/** What the two paths that need no signature say. */
const openPages = (deps: ApiDeps) =>
  new Map([
    ['/', JSON.stringify(about(deps))],
    ['/health', JSON.stringify({ status: 'healthy' })],
  ]);

const sendPage = (response: ServerResponse, body: string): void =>
  send(response, { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body });

/** A fault outside of the pipeline, which answers its own. */
const answerFault = (response: ServerResponse, requestId: string, fault: unknown, { log }: ApiDeps): void => {
  const stack = fault instanceof Error ? fault.stack : undefined;
  log.error('api call failed inside', { requestId, reason: textOf(fault), stack });
  if (response.headersSent) response.destroy();
  else send(response, renderError(internalServerException(fault), requestId), endConnection);
};

/** Routes a request by its target in origin form, which is what its signature covers. */
const listener = (served: Served) => {
  const pages = openPages(served.deps);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const form = originForm(request.url ?? '', { scheme: 'http', host: request.headers.host ?? '' });
    const requestId = randomUUID();
    if ('refused' in form) {
      request.resume();
      const refused = renderError(malformedRequestException(form.refused), requestId);
      return void send(response, refused, endConnection);
    }
    request.url = form.target;
    const page = request.method === 'GET' ? pages.get(form.target.split('?', 1)[0] ?? '') : undefined;
    if (page !== undefined) return void sendPage(response, page);
    answerCall(request, response, requestId, served).catch((fault: unknown) =>
      answerFault(response, requestId, fault, served.deps),
    );
  };
};

/** Connections at once: those that have sent no whole request make room for others. */
const boundConnections = (server: Server): void => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    if (sockets.size >= maxConnections && !makeRoom(sockets)) return void socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
};

const closeServer = async (server: Server, patience: number): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), patience);
  await closed;
  clearTimeout(deadline);
};

/**
 * Builds the HTTP server of the AWS API; every path but `/` and `/health` goes through the pipeline. When it is closed,
 * requests that are at work get `patience` milliseconds.
 */
export const createApiServer = (deps: ApiDeps, patience = closeDeadline): ApiServer => {
  const answer = listener({ deps, room: new BodyRoom(bodyRoom) });
  let servers: readonly Server[] = [];
  const newServer = (): Server => {
    const server = createServer(timeouts, answer);
    // Node drops headers beyond a count without a word; the size limit alone bounds them.
    server.maxHeadersCount = 0;
    boundConnections(server);
    outliveAcceptErrors(server, deps.log);
    return server;
  };
  return {
    listen: async (port) => {
      const listening = await listenOnLoopback(port, newServer);
      servers = listening.servers;
      return { port: listening.port };
    },
    close: async () => {
      await Promise.all(servers.map((server) => closeServer(server, patience)));
      servers = [];
    },
  };
};
