import type { Socket } from 'node:net';

/** How many requests of each connection are being answered. */
const atWork = new WeakMap<Socket, number>();

/** Notes that a whole request has come by this connection; call what it gives when that is answered. */
export const beginWork = (socket: Socket): (() => void) => {
  atWork.set(socket, (atWork.get(socket) ?? 0) + 1);
  return () => void atWork.set(socket, (atWork.get(socket) ?? 1) - 1);
};

/**
 * Makes room for one more: whoever was let in first and waits for no answer, because no whole request has come, goes.
 * Who came last stays: what he sent may not have been read yet. False when all are being answered.
 */
export const makeRoom = (sockets: Set<Socket>): boolean => {
  for (const socket of sockets) {
    if ((atWork.get(socket) ?? 0) > 0) continue;
    sockets.delete(socket);
    socket.destroy();
    return true;
  }
  return false;
};
