import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsIdentity } from '../tls/reload.ts';

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

/** A name that is not served ends the handshake: nobody learns what else is here. All others get the one certificate. */
const sniCallback =
  (serves: (servername: string) => boolean) =>
  (servername: string, done: (error: Error | null) => void): void =>
    done(serves(servername) ? null : new Error('no such name'));

export interface FrontOptions {
  readonly tls: Pick<TlsIdentity, 'secureContext' | 'keepFresh'>;
  /** Whether a name that the handshake asks for is served here; all are when left out. */
  readonly serves?: (servername: string) => boolean;
  readonly onRequest: RequestListener;
  readonly onUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
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
      requestTimeout: 300_000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: Math.min(5_000, headersTimeout),
      maxHeaderSize: 64 * 1024,
      requireHostHeader: false,
      ...(o.serves === undefined ? {} : { SNICallback: sniCallback(o.serves) }),
    },
    o.onRequest,
  );
  // Room for one more than is allowed, so that too many are seen instead of silently cut.
  server.maxHeadersCount = 1100;
  server.on('upgrade', o.onUpgrade);
  server.on('connect', (_req, socket) =>
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n'),
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  // Node starts to watch the deadlines of requests when a server listens; this one is given its connections.
  server.emit('listening');
  const stop = o.tls.keepFresh(server);
  return {
    accept: (socket) => sort(socket, server),
    close: () => {
      stop();
      server.close();
      server.closeAllConnections();
    },
  };
};
