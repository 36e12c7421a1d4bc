import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import {
  AwsError,
  malformedRequestException,
  requestTooLargeException,
  throttlingException,
} from '../contract/errors.ts';
import { beginWork, makeRoom } from '../lib/make-room.ts';
import { plainAddress } from '../lib/plain-address.ts';
import { originForm } from '../lib/request-target.ts';
import { BodyRoom, type HeldBody } from './body-room.ts';
import type { ApiDeps } from './deps.ts';
import { listenOnLoopback } from './loopback.ts';
import { handleCall } from './pipeline.ts';
import { type ApiResponse, renderError } from './restjson.ts';

/** The API, listening on both loopback addresses. */
export interface ApiServer {
  /** Port 0 takes a free one. Throws PortTaken. */
  listen(port: number): Promise<{ readonly port: number }>;
  /** Stops accepting, gives running calls five seconds, then ends every connection. */
  close(): Promise<void>;
}

const usualBodyLimit = 1024 * 1024;
/** What InvokeRestApi may carry to Airflow, in both directions. */
const restApiBodyLimit = 6 * 1024 * 1024;
/** Bodies in memory at once: 64 of the largest, and of each other one what usual calls have. */
const bodyRoom = { most: 64 * restApiBodyLimit, free: 64 * 1024 };
const closeDeadline = 5_000;
const maxConnections = 1_000;
const drainTime = 1_000;

/** Bounds on slow senders, in milliseconds; Node closes the connection with 408. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
};

/**
 * Reads the body of any method, GET too: the signature covers it. Throws RequestEntityTooLargeException, and
 * ThrottlingException when there is no room for it, without ending the connection, so that the answer still gets through.
 */
const readBody = async (raw: IncomingMessage, held: HeldBody): Promise<Buffer> => {
  const bodyLimit = raw.url?.startsWith('/restapi/') ? restApiBodyLimit : usualBodyLimit;
  const chunks: Buffer[] = [];
  let size = Number(raw.headers['content-length'] ?? 0);
  if (size > bodyLimit) throw requestTooLargeException(bodyLimit);
  size = 0;
  for await (const chunk of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw requestTooLargeException(bodyLimit);
    if (!held.add(chunk.length)) throw throttlingException();
    chunks.push(chunk);
  }
  held.complete();
  return Buffer.concat(chunks);
};

/** What is left of a refused body is thrown away for a second: a client that still sends would miss the answer. */
const drained = (raw: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, drainTime);
    raw.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    raw.once('end', resolve);
    raw.resume();
  });

const send = (reply: FastifyReply, response: ApiResponse) =>
  reply.code(response.status).headers(response.headers).send(Buffer.from(response.body));

const answerCall = async (request: FastifyRequest, reply: FastifyReply, deps: ApiDeps, room: BodyRoom) => {
  const { raw } = request;
  let body: Buffer;
  const held = room.hold(() => raw.destroy());
  reply.raw.once('close', held.release);
  try {
    body = await readBody(raw, held);
  } catch (error) {
    // The client went away or was too slow: nobody reads an answer.
    held.release();
    if (!(error instanceof AwsError)) return reply.hijack();
    await drained(raw);
    return send(reply.header('connection', 'close'), renderError(error, request.id));
  }
  reply.raw.once('close', beginWork(raw.socket));
  const response = await handleCall(
    {
      method: raw.method ?? '',
      target: raw.url ?? '',
      rawHeaders: raw.rawHeaders,
      body,
      sourceIp: plainAddress(raw.socket.remoteAddress),
      requestId: request.id,
    },
    deps,
  );
  return send(reply, response);
};

const about = ({ region }: ApiDeps) => ({
  service: 'Windsock',
  speaks: 'Amazon MWAA API 2020-07-01 (rest-json, Signature Version 4, signing name airflow)',
  region,
  help: 'Run `windsock env` for the settings that point aws cli and boto3 here.',
});

const buildApp = (deps: ApiDeps) => {
  const room = new BodyRoom(bodyRoom);
  const call = (request: FastifyRequest, reply: FastifyReply) => answerCall(request, reply, deps, room);
  const app = fastify({
    exposeHeadRoutes: false,
    genReqId: () => randomUUID(),
    frameworkErrors: (_error, request, reply) => void answerCall(request, reply, deps, room),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.get('/', async () => about(deps));
  app.get('/health', async () => ({ status: 'healthy' }));
  app.setNotFoundHandler(call);
  return app;
};

/** Answers a request whose target has no origin form: the router would take the end of another host's address for a path. */
const refuseTarget = (request: IncomingMessage, response: ServerResponse, why: string): void => {
  const { status, headers, body } = renderError(malformedRequestException(why), randomUUID());
  request.resume();
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
};

/** Routes a request by its target in origin form, which is what its signature covers. */
const routeBy = (app: FastifyInstance) => (request: IncomingMessage, response: ServerResponse) => {
  const form = originForm(request.url ?? '', { scheme: 'http', host: request.headers.host ?? '' });
  if ('refused' in form) return refuseTarget(request, response, form.refused);
  request.url = form.target;
  app.routing(request, response);
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

const closeServer = async (server: Server): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), closeDeadline);
  await closed;
  clearTimeout(deadline);
};

/** Builds the HTTP server of the AWS API; every path but `/` and `/health` goes through the pipeline. */
export const createApiServer = (deps: ApiDeps): ApiServer => {
  const app = buildApp(deps);
  let servers: readonly Server[] = [];
  const newServer = (): Server => {
    const server = createServer(timeouts, routeBy(app));
    // Node drops headers beyond a count without a word; the size limit alone bounds them.
    server.maxHeadersCount = 0;
    boundConnections(server);
    return server;
  };
  return {
    listen: async (port) => {
      await app.ready();
      const listening = await listenOnLoopback(port, newServer);
      servers = listening.servers;
      return { port: listening.port };
    },
    close: async () => {
      await Promise.all(servers.map(closeServer));
      servers = [];
      await app.close();
    },
  };
};
