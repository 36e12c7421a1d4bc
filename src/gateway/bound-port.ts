import { createServer, type Server, type Socket } from 'node:net';
import { codeOf } from '../lib/errors.ts';

/** A port held on every loopback family of this machine. */
export interface BoundPort {
  readonly port: number;
  close(): Promise<void>;
}

const families = ['127.0.0.1', '::1'] as const;
/** A machine without IPv6 has nobody who could listen there either. */
const noSuchFamily = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

const listen = (host: string, port: number, onSocket: (socket: Socket) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, onSocket);
    server.maxConnections = 1024;
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));

/** Listens on 127.0.0.1 and ::1; undefined when either is taken: another program would get half of the clients. */
export const bindPort = async (
  port: number,
  onSocket: (socket: Socket) => void,
): Promise<BoundPort | undefined> => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onSocket(socket);
  };
  const close = async () => {
    const closing = servers.map(closeServer);
    for (const socket of sockets) socket.destroy();
    await Promise.all(closing);
  };
  for (const host of families) {
    try {
      servers.push(await listen(host, port, accept));
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (noSuchFamily.has(code) && servers.length > 0) continue;
      await close();
      if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
      throw error;
    }
  }
  return { port, close };
};
