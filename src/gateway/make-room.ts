import type { Socket } from 'node:net';

/** Makes room for one more: whoever was let in first and has said nothing yet goes. False when all have spoken. */
export const makeRoom = (sockets: Set<Socket>): boolean => {
  for (const socket of sockets) {
    if (socket.bytesRead > 0) continue;
    sockets.delete(socket);
    socket.destroy();
    return true;
  }
  return false;
};
