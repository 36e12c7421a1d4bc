import type { Socket } from 'node:net';
import { beginWork, makeRoom } from '../lib/make-room.ts';
import { plainAddress } from '../lib/plain-address.ts';
import { readProxyHeader } from './proxy-protocol.ts';

/** Reverse proxies and load balancers, which are believed when they say who the client is. */
export interface Proxies {
  has(address: string): boolean;
  /** At the start of a connection, by the PROXY protocol; or in each request, by a header. */
  readonly tell: 'proxy-protocol' | 'forwarded' | 'x-forwarded-for';
}

/** A connection, and who is at its other end. */
export interface Arrival {
  /** IP address of the client; of the proxy where each request says who the client is. */
  readonly address: string;
  /** The header by which its requests say who the client is; undefined for everybody who is no proxy. */
  readonly header: 'forwarded' | 'x-forwarded-for' | undefined;
  /** There are more connections from that address than are served. */
  readonly crowded: boolean;
  /** A whole request has come, or one of a session; call what it gives when it is answered. */
  readonly begin: () => () => void;
}

export interface ArrivalOptions {
  readonly proxies?: Proxies | undefined;
  /** Connections at once from one address, over all doors. */
  readonly perAddress: number;
}

const headerMs = 10_000;
/** So many more of one address are told that they are too many; the rest are cut. */
const told = 50;

/**
 * Takes the PROXY header off a connection; what follows it stays to be read. A proxy that sends anything else, or
 * nothing in time, is cut: without the header its connection would count as the proxy's own.
 */
const takeProxyHeader = (socket: Socket, then: (address: string | undefined) => void): void => {
  let bytes = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), headerMs);
  const gone = () => clearTimeout(timer);
  const more = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const header = readProxyHeader(bytes);
    if (header.kind === 'incomplete') return;
    clearTimeout(timer);
    socket.removeListener('data', more);
    socket.removeListener('close', gone);
    if (header.kind === 'refused') return void socket.destroy();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    then(header.address);
  };
  socket.on('error', () => socket.destroy());
  socket.once('close', gone);
  socket.on('data', more);
};

/** Says of each connection of all doors who is at its other end, and bounds how many one address has. */
export class Arrivals {
  readonly #proxies: Proxies | undefined;
  readonly #perAddress: number;
  readonly #open = new Map<string, Set<Socket>>();

  constructor({ proxies, perAddress }: ArrivalOptions) {
    this.#proxies = proxies;
    this.#perAddress = perAddress;
  }

  /** Whether an address is that of a proxy. */
  isProxy(address: string): boolean {
    return this.#proxies?.has(address) ?? false;
  }

  /** Calls back when it is known who is there; cuts who may not be. */
  arrive(socket: Socket, then: (arrival: Arrival) => void): void {
    const peer = plainAddress(socket.remoteAddress);
    const uncounted = { address: peer, crowded: false, begin: () => beginWork(socket) };
    const tell = this.#proxies?.tell;
    if (!this.isProxy(peer)) this.#count(socket, peer, then);
    else if (tell !== 'proxy-protocol') then({ ...uncounted, header: tell });
    else
      takeProxyHeader(socket, (address) => {
        if (address === undefined) then({ ...uncounted, header: undefined });
        else this.#count(socket, plainAddress(address), then);
      });
  }

  #count(socket: Socket, address: string, then: (arrival: Arrival) => void): void {
    const open = this.#open.get(address) ?? new Set();
    const crowded = open.size >= this.#perAddress && !makeRoom(open);
    if (socket.destroyed || open.size >= this.#perAddress + told) {
      socket.destroy();
      return;
    }
    this.#open.set(address, open.add(socket));
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0 && this.#open.get(address) === open) this.#open.delete(address);
    });
    then({ address, header: undefined, crowded, begin: () => beginWork(socket) });
  }
}
