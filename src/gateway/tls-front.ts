import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { TlsIdentity } from '../tls/reload.ts';
import type { Arrival, Arrivals } from './arrivals.ts';

const firstByteMs = 10_000;
const tlsHandshakeRecord = 0x16;

export interface TlsFront {
  /** Takes over a raw connection. */
  accept(socket: Socket): void;
  close(): void;
}

const hint =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n' +
  'This port speaks HTTPS. Use https:// in the address.\n';

/** Looks at the first byte: TLS goes on, plain HTTP gets a hint. */
const sort = (socket: Socket, server: Server): void => {
  socket.on('error', () => socket.destroy());
  const timer = setTimeout(() => socket.destroy(), firstByteMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', (bytes) => {
    clearTimeout(timer);
    socket.pause();
    if (bytes[0] !== tlsHandshakeRecord) return socket.end(hint);
    socket.unshift(bytes);
    return server.emit('connection', socket);
  });
};

/** The same of a connection and of the TLS that is spoken over it. */
const ends = (socket: Socket): string =>
  [socket.remoteAddress, socket.remotePort, socket.localAddress, socket.localPort].join(' ');

/** Remembers of each TLS connection what is known of the one below it, which Node does not show. */
const rememberArrivals = (server: Server) => {
  const below = new Map<string, Arrival>();
  const known = new WeakMap<Duplex, Arrival>();
  server.on('secureConnection', (socket) => {
    const arrival = below.get(ends(socket));
    if (arrival) known.set(socket, arrival);
    else socket.destroy();
  });
  return {
    note: (socket: Socket, arrival: Arrival): void => {
      const key = ends(socket);
      below.set(key, arrival);
      socket.once('close', () => below.delete(key));
    },
    of: (socket: Duplex): Arrival => {
      const arrival = known.get(socket);
      if (!arrival) throw new Error('a connection that nobody let in');
      return arrival;
    },
  };
};

/** A name that is not served ends the handshake: nobody learns what else is here. */
const sniCallback =
  ({ serves, tls }: Pick<FrontOptions, 'serves' | 'tls'>) =>
  (servername: string, done: (error: Error | null, context?: SecureContext) => void): void =>
    serves?.(servername) ? done(null, tls.contextFor?.(servername)) : done(new Error('no such name'));

export interface FrontOptions {
  readonly tls: Pick<TlsIdentity, 'secureContext' | 'contextFor' | 'keepFresh'>;
  /** Whether a name that the handshake asks for is served here; all are when left out. */
  readonly serves?: (servername: string) => boolean;
  readonly arrivals: Arrivals;
  readonly onRequest: (arrival: Arrival, req: IncomingMessage, res: ServerResponse) => void;
  readonly onUpgrade: (arrival: Arrival, req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Milliseconds that the headers of a request may take. */
  readonly headersTimeout?: number;
}

/** TLS and HTTP over connections that somebody else accepts. */
export const createTlsFront = (o: FrontOptions): TlsFront => {
  const headersTimeout = o.headersTimeout ?? 20_000;
  const server = createServer(
    {
      ...o.tls.secureContext(),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: 10_000,
      headersTimeout,
      // a body may take as long as it goes on: see limitedBody
      requestTimeout: 0,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: Math.min(5_000, headersTimeout),
      maxHeaderSize: 64 * 1024,
      requireHostHeader: false,
      ...(o.serves === undefined ? {} : { SNICallback: sniCallback(o) }),
    },
    (req, res) => o.onRequest(arrivals.of(req.socket), req, res),
  );
  const arrivals = rememberArrivals(server);
  // Room for one more than is allowed, so that too many are seen instead of silently cut.
  server.maxHeadersCount = 1100;
  server.on('upgrade', (req, socket, head) => o.onUpgrade(arrivals.of(socket), req, socket, head));
  server.on('connect', (_req, socket) =>
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n'),
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  // Node starts to watch the deadlines of requests when a server listens; this one is given its connections.
  server.emit('listening');
  const stop = o.tls.keepFresh(server);
  return {
    accept: (socket) =>
      o.arrivals.arrive(socket, (arrival) => {
        arrivals.note(socket, arrival);
        sort(socket, server);
      }),
    close: () => {
      stop();
      server.close();
      server.closeAllConnections();
    },
  };
};
