import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** `127.0.0.1`, port 80 as /proc/net/tcp writes it: each 32-bit word in host byte order (little-endian here). */
export const procAddress = (address: string, port: number): string => {
  const bytes = Buffer.from(address.split('.').map(Number));
  return `${bytes.reverse().toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

/** The uid of the socket with these two ends; undefined until its program has accepted it (it has no inode before). */
export const uidIn = (table: string, local: string, remote: string): number | undefined => {
  for (const line of table.split('\n').slice(1)) {
    const [, here, there, , , , , uid, , inode] = line.trim().split(/\s+/);
    if (here === local && there === remote && inode !== '0') return Number(uid);
  }
  return undefined;
};

/**
 * The account of the program at the other end of a loopback IPv4 connection; undefined when it could not be
 * told before the deadline.
 */
export const acceptingUid = async (socket: Socket, deadlineMs: number): Promise<number | undefined> => {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (!localAddress || !localPort || !remoteAddress || !remotePort) return undefined;
  const local = procAddress(remoteAddress, remotePort);
  const remote = procAddress(localAddress, localPort);
  const until = performance.now() + deadlineMs;
  for (let wait = 1; performance.now() < until && !socket.destroyed; wait = Math.min(wait * 2, 100)) {
    const uid = uidIn(await readFile('/proc/net/tcp', 'utf8'), local, remote);
    if (uid !== undefined) return uid;
    await sleep(wait);
  }
  return undefined;
};
