import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedWork } from '../lib/shared-work.ts';

/** `127.0.0.1`, port 80 as /proc/net/tcp writes it: each 32-bit word in host byte order (little-endian here). */
export const procAddress = (address: string, port: number): string => {
  const bytes = Buffer.from(address.split('.').map(Number));
  const words = address === '::1' ? `${'0'.repeat(24)}01000000` : bytes.reverse().toString('hex');
  return `${words}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

/** The uid of the socket with these two ends; undefined until its program has accepted it (it has no inode before). */
export const uidIn = (table: string, local: string, remote: string): number | undefined => {
  const ends = `: ${local} ${remote} `;
  for (let at = table.indexOf(ends); at !== -1; at = table.indexOf(ends, at + 1)) {
    const [, , , , , , uid, , inode] = table.slice(at + 2, at + 200).split(/\s+/, 10);
    if (inode !== '0') return Number(uid);
  }
  return undefined;
};

const reads = new SharedWork<string>();

/** A table of the kernel as of now. With many connections it is megabytes, so all who ask at one moment share a reading. */
const tableNow = (file: string): Promise<string> => reads.run(file, () => readFile(file, 'latin1'));

/** The ends of a connection as the other side's line in the table has them. */
const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket) =>
  localAddress && localPort && remoteAddress && remotePort
    ? {
        table: remoteAddress === '::1' ? '/proc/net/tcp6' : '/proc/net/tcp',
        local: procAddress(remoteAddress, remotePort),
        remote: procAddress(localAddress, localPort),
      }
    : undefined;

/** IPv4 by a socket of IPv6, as programs in Java connect: `::ffff:127.0.0.1`. */
const mapped = (address: string): string => `0000000000000000FFFF0000${address}`;

const connectedUid = async (socket: Socket): Promise<number | undefined> => {
  const ends = endsOf(socket);
  if (!ends) return undefined;
  const found = uidIn(await tableNow(ends.table), ends.local, ends.remote);
  if (found !== undefined || ends.table.endsWith('6')) return found;
  return uidIn(await tableNow('/proc/net/tcp6'), mapped(ends.local), mapped(ends.remote));
};

const known = new WeakMap<Socket, Promise<number | undefined>>();

/**
 * The account of the program that opened a loopback connection, 127.0.0.1 or ::1; undefined when it has closed it. It is
 * looked up once for a connection. Rejects on a machine without /proc.
 */
export const connectingUid = (socket: Socket): Promise<number | undefined> => {
  const found = known.get(socket) ?? connectedUid(socket);
  known.set(socket, found);
  return found;
};

/**
 * The account of the program at the other end of a loopback IPv4 connection; undefined when it could not be
 * told before the deadline.
 */
export const acceptingUid = async (socket: Socket, deadlineMs: number): Promise<number | undefined> => {
  const ends = endsOf(socket);
  if (!ends) return undefined;
  const until = performance.now() + deadlineMs;
  for (let wait = 1; performance.now() < until && !socket.destroyed; wait = Math.min(wait * 2, 100)) {
    const uid = uidIn(await tableNow(ends.table), ends.local, ends.remote);
    if (uid !== undefined) return uid;
    await sleep(wait);
  }
  return undefined;
};
