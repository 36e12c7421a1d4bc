import { createServer, type Server, type Socket } from 'node:net';
import { outliveAcceptErrors } from '../lib/accept-errors.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { makeRoom } from '../lib/make-room.ts';

/** An address of this machine is not there: an interface that is down, or a wrong setting. */
export class AddressMissing extends WindsockError {
  constructor(address: string) {
    super(
      'AddressMissing',
      `The address ${address}, at which doors are to listen, is not on this machine now. Bring its interface up, or ` +
        'change --private-address or --public-address.',
    );
  }
}

interface Bound {
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

const loopback6 = '::1';
/** A machine without IPv6 has nobody who could listen there either. */
const noSuchFamily = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Connections at once at one address of this machine; each holds about 60 kB while TLS is spoken over it. */
const mostConnections = 16_384;

type Accept = (socket: Socket) => void;

interface Listening {
  /** Connections at once. */
  readonly most: number;
  readonly log: Pick<Log, 'warn'>;
}

const listen = (host: string, port: number, o: Listening, onSocket: Accept): Promise<Bound> =>
  new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      if (sockets.size >= o.most && !makeRoom(sockets)) return void socket.destroy();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return onSocket(socket);
    });
    outliveAcceptErrors(server, o.log);
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject);
      resolve({ server, sockets });
    });
  });

const closeBound = ({ server, sockets }: Bound): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });

/** A port, held at any number of addresses that may change while it is held. */
export class BoundPort {
  readonly port: number;
  readonly #o: Listening;
  readonly #bound = new Map<string, Bound>();

  constructor(port: number, log: Listening['log'], most = mostConnections) {
    this.port = port;
    this.#o = { most, log };
  }

  /**
   * Listens at these addresses and at no others; connections at one that is given up are cut. False when another
   * program has the port at one of them: then nothing has changed.
   * @throws WindsockError AddressMissing
   */
  async listen(wanted: ReadonlyMap<string, Accept>): Promise<boolean> {
    const added: string[] = [];
    for (const [address, onSocket] of wanted) {
      if (this.#bound.has(address)) continue;
      try {
        this.#bound.set(address, await listen(address, this.port, this.#o, onSocket));
        added.push(address);
      } catch (error) {
        const code = codeOf(error) ?? '';
        if (noSuchFamily.has(code) && address === loopback6 && wanted.size > 1) continue;
        await this.#giveUp(added);
        if (code === 'EADDRINUSE' || code === 'EACCES') return false;
        throw noSuchFamily.has(code) ? new AddressMissing(address) : error;
      }
    }
    await this.#giveUp([...this.#bound.keys()].filter((address) => !wanted.has(address)));
    return true;
  }

  close(): Promise<void> {
    return this.#giveUp([...this.#bound.keys()]);
  }

  async #giveUp(addresses: readonly string[]): Promise<void> {
    const given = addresses.flatMap((address) => this.#bound.get(address) ?? []);
    for (const address of addresses) this.#bound.delete(address);
    await Promise.all(given.map(closeBound));
  }
}
