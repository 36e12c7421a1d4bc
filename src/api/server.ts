import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { internalServerException, malformedRequestException } from '../contract/errors.ts';
import { outliveAcceptErrors } from '../lib/accept-errors.ts';
import { textOf } from '../lib/errors.ts';
import { makeRoom } from '../lib/make-room.ts';
import { originForm } from '../lib/request-target.ts';
import { answerStreamed, answerWhole, type Exchange, type Served } from './answer-call.ts';
import { boundArrival } from './arrival.ts';
import { BodyRoom } from './body-room.ts';
import type { ApiDeps } from './deps.ts';
import { listenOnLoopback } from './loopback.ts';
import { restApiBodyLimit } from './read-body.ts';
import { renderError } from './restjson.ts';
import { answerRoleCredentials, roleCredentialsQueryOf } from './role-credentials/answer.ts';
import { errorWriter } from './route.ts';
import { isForS3 } from './s3/for-s3.ts';
import { endConnection, send } from './send.ts';

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

/**
 * Bounds on slow senders, in milliseconds; Node closes the connection with 408. It bounds no whole request, because an
 * upload may take long: `boundArrival` does for all others.
 */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
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

const sendPage = (response: ServerResponse, body: string): Promise<void> =>
  send(response, { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body });

/** A fault outside of the pipeline, which answers its own; in the words of the service. */
const answerFault = ({ request, response, requestId }: Exchange, fault: unknown, deps: ApiDeps): void => {
  const { log } = deps;
  const { method = '', url: target = '', rawHeaders } = request;
  const stack = fault instanceof Error ? fault.stack : undefined;
  log.error('api call failed inside', { requestId, reason: textOf(fault), stack });
  if (response.headersSent) return void response.destroy();
  const write = errorWriter({ method, target, rawHeaders, body: new Uint8Array() }, deps);
  void send(response, write(internalServerException(fault), requestId), endConnection);
};

const answer = (exchange: Exchange, pages: ReadonlyMap<string, string>, served: Served): Promise<void> => {
  const { request, response, waits } = exchange;
  const { method = '', url: target = '', rawHeaders } = request;
  const query = roleCredentialsQueryOf(target);
  if (query !== undefined && served.deps.givesRoles)
    return answerRoleCredentials(exchange, query, served.deps);
  if (isForS3({ method, target, rawHeaders }, served.deps)) return answerStreamed(exchange, served);
  const page = method === 'GET' ? pages.get(target.split('?', 1)[0] ?? '') : undefined;
  if (page === undefined) return answerWhole(exchange, served);
  if (waits) response.writeContinue();
  return sendPage(response, page);
};

/** Routes a request by its target in origin form, which is what its signature covers. */
const listener = (served: Served) => {
  const pages = openPages(served.deps);
  return (waits: boolean) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const form = originForm(request.url ?? '', { scheme: 'http', host: request.headers.host ?? '' });
      const requestId = randomUUID();
      const mayTakeLong = boundArrival(request, response);
      if ('refused' in form) {
        request.resume();
        const refused = renderError(malformedRequestException(form.refused), requestId);
        return void send(response, refused, endConnection);
      }
      request.url = form.target;
      const exchange = { request, response, requestId, waits, mayTakeLong };
      answer(exchange, pages, served).catch((fault: unknown) => answerFault(exchange, fault, served.deps));
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
  const listen = listener({ deps, room: new BodyRoom(bodyRoom) });
  let servers: readonly Server[] = [];
  const newServer = (): Server => {
    const server = createServer(timeouts, listen(false));
    server.on('checkContinue', listen(true));
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
