import type { Socket } from 'node:net';
import { isLoopback, plainAddress } from '../lib/plain-address.ts';
import { connectingUid } from '../upstream/peer.ts';

const withAccount = async (socket: Socket, address: string): Promise<string> => {
  const uid = await connectingUid(socket).catch(() => undefined);
  return uid === undefined ? address : `${address} account ${uid}`;
};

/**
 * The key under which a client that has not signed in is rate limited: its address; on loopback, where all accounts of
 * this machine have the same one, the account of the program at the other end as well.
 */
export const rateLimitKey = (socket: Socket, clientIp: string): Promise<string> => {
  // a proxy on this machine says that its client is elsewhere
  if (!isLoopback(clientIp) || plainAddress(socket.remoteAddress) !== clientIp)
    return Promise.resolve(clientIp);
  return withAccount(socket, clientIp);
};
