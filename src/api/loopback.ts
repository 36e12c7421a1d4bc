import type { Server } from 'node:http';
import { codeOf, WindsockError } from '../lib/errors.ts';

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** The machine has no IPv6 loopback: then IPv4 alone is all there is. */
const noIpv6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

const portError = (error: unknown, host: string, port: number): unknown => {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    return new WindsockError(
      'PortTaken',
      `Port ${port} is taken on ${host}. Stop what listens there or choose another port with --port.`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new WindsockError(
      'PortForbidden',
      `Port ${port} may not be opened by this account. Choose a port above 1023 with --port.`,
      { cause: error },
    );
  }
  return error;
};

const tryPort = async (port: number, newServer: () => Server) => {
  const first = newServer();
  const bound = await listen(first, '127.0.0.1', port).catch((error: unknown) => {
    throw portError(error, '127.0.0.1', port);
  });
  const second = newServer();
  try {
    await listen(second, '::1', bound);
    return { servers: [first, second], port: bound };
  } catch (error) {
    if (noIpv6.has(codeOf(error) ?? '')) return { servers: [first], port: bound };
    await close(first);
    throw portError(error, '::1', bound);
  }
};

const attemptsForFreePort = 10;

/**
 * Listens on 127.0.0.1 and ::1 on the same port: `localhost` is either, and a port that only half belongs to us
 * would send clients to somebody else. Throws PortTaken when one of the two is taken. Port 0 takes a port that
 * is free on both.
 */
export const listenOnLoopback = async (port: number, newServer: () => Server) => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryPort(port, newServer);
    } catch (error) {
      if (port !== 0 || codeOf(error) !== 'PortTaken' || attempt === attemptsForFreePort) throw error;
    }
  }
};

/** Throws what listening would throw; for a server that has long work to do before it listens. */
export const checkPortIsFree = async (port: number, newServer: () => Server): Promise<void> => {
  const { servers } = await listenOnLoopback(port, newServer);
  await Promise.all(servers.map(close));
};
