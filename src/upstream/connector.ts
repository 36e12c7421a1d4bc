import { connect, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { WebTarget } from '../environments/ports.ts';
import { WindsockError } from '../lib/errors.ts';
import { acceptingUid } from './peer.ts';

const connectDeadlineMs = 5_000;
/** A web server on a busy machine takes its time until it accepts; below what people wait for an answer. */
const usualAcceptDeadlineMs = 30_000;

/** What listens on the port is not the environment's web server. */
export class StrangeServer extends WindsockError {
  constructor(found: number, wanted: number) {
    super('StrangeServer', 'The web server of this environment is not running.', {
      detail: `the accepting socket belongs to uid ${found}, not to ${wanted}`,
    });
  }
}

/** The port is open, and nobody accepts connections at it. */
export class NotAccepted extends WindsockError {
  constructor(acceptDeadlineMs: number) {
    super('NotAccepted', 'The web server of this environment does not answer.', {
      detail: `no connection was accepted for ${acceptDeadlineMs / 1000} s`,
    });
  }
}

const open = (target: WebTarget): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const timer = setTimeout(
      () => socket.destroy(new Error('the connection was not made in time')),
      connectDeadlineMs,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', reject);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });

/**
 * Connects to the web server. Where it runs under an account of its own, a connection counts only when the
 * accepting socket belongs to that account: nothing was sent before that is known. A program that is suspended accepts
 * nothing; that is waited for until the deadline.
 */
export const connectTo = async (
  target: WebTarget,
  acceptDeadlineMs = usualAcceptDeadlineMs,
): Promise<Socket> => {
  const socket = await open(target);
  if (target.uid === undefined) return socket;
  socket.on('error', () => {});
  const uid = await acceptingUid(socket, acceptDeadlineMs);
  if (uid === target.uid) return socket;
  socket.destroy();
  throw uid === undefined ? new NotAccepted(acceptDeadlineMs) : new StrangeServer(uid, target.uid);
};

/** The same as a connector of undici. */
export const connectorTo =
  (target: WebTarget, acceptDeadlineMs?: number): buildConnector.connector =>
  (_options, callback) => {
    connectTo(target, acceptDeadlineMs).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
