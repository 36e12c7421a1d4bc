import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Door } from '../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';
import { WindsockError } from '../lib/errors.ts';
import type { Arrival } from './arrivals.ts';
import { BoundPort } from './bound-port.ts';
import { endClosedWays } from './closed-ways.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, doorFacts } from './door-facts.ts';
import { handle, handleUpgrade } from './handle.ts';
import { Names, ownNames } from './names.ts';
import { createTlsFront, type TlsFront } from './tls-front.ts';
import { accessModeOf, addressesFor, admits, OpenedModes, type Way } from './ways.ts';

/**
 * The name that a connection is for: that of the handshake, with which each request must agree. A proxy that ends
 * TLS need not name any; then each request of it has its own.
 */
const nameOf = ({ header }: Arrival, req: IncomingMessage): string => {
  const { servername } = req.socket as TLSSocket;
  const ofRequest = header === undefined ? undefined : req.headers.host?.replace(/:\d+$/, '');
  return (servername || ofRequest || '').toLowerCase();
};

/**
 * Doors of environments that are told apart by name, in one domain and at one port. A connection is for the
 * environment that its TLS handshake named, and only if that environment is there for the way it came in.
 */
class NamedDoors {
  readonly #deps: DoorDeps;
  readonly #domain: string;
  readonly #records = new Map<EnvironmentId, EnvironmentRecord>();
  readonly #names: Names;
  readonly #fronts = new Map<Way, TlsFront>();
  readonly #port: BoundPort;
  #listening = false;

  constructor(deps: DoorDeps, domain: string) {
    this.#deps = deps;
    this.#domain = domain;
    this.#names = new Names(domain);
    this.#port = new BoundPort(deps.firstPort, deps.log);
  }

  /** `name`, or `name:port` where that is not the usual one. */
  hostnameOf(name: string): string {
    const port = this.#deps.externalPort ?? this.#port.port;
    return port === 443 ? name : `${name}:${port}`;
  }

  /** What GetEnvironment and tokens say: the public name where there is one. */
  hostname(e: EnvironmentRecord): string {
    const names = ownNames(e.id, this.#domain);
    return this.hostnameOf(accessModeOf(e) === 'PRIVATE_ONLY' ? names.private : names.public);
  }

  async listen(): Promise<void> {
    if (this.#listening) return;
    const addresses = addressesFor(this.#deps.addresses, 'PUBLIC_AND_PRIVATE');
    const wanted = new Map([...addresses].map(([address, way]) => [address, this.#front(way).accept]));
    if (!(await this.#port.listen(wanted)))
      throw new WindsockError(
        'DoorPortTaken',
        `Port ${this.#port.port}, at which environments are to answer (--door-port), is taken by another program. Stop that program, or choose another port.`,
      );
    this.#listening = true;
  }

  add(e: EnvironmentRecord): void {
    this.#records.set(e.id, e);
    this.#names.set(e);
  }

  has(id: EnvironmentId): boolean {
    return this.#records.has(id);
  }

  remove(id: EnvironmentId): void {
    this.#records.delete(id);
    this.#names.remove(id);
  }

  async close(): Promise<void> {
    for (const front of this.#fronts.values()) front.close();
    await this.#port.close();
  }

  /** The environment behind a name for who comes that way; undefined when there is none. */
  #facts(name: string, way: Way): DoorFacts | undefined {
    const found = this.#names.find(name);
    const record = found && this.#records.get(found.id);
    if (!record) return undefined;
    const mode = accessModeOf(record);
    const isThere = admits(mode, found.kind) && admits(mode, way) && (way === 'both' || way === found.kind);
    if (!isThere) return undefined;
    const hostnames = () => this.#names.of(record.id).map((n) => this.hostnameOf(n));
    const isOwnName = name.endsWith(`.${this.#domain}`);
    return doorFacts({ record, hostname: this.hostnameOf(name), hostnames, way, isOwnName });
  }

  #front(way: Way): TlsFront {
    const known = this.#fronts.get(way);
    if (known) return known;
    const factsOf = (arrival: Arrival, req: IncomingMessage) => this.#facts(nameOf(arrival, req), way);
    const front = createTlsFront({
      tls: this.#deps.tls,
      arrivals: this.#deps.arrivals,
      serves: (name) => this.#facts(name.toLowerCase(), way) !== undefined,
      onRequest: (arrival, req, res) => void handle(this.#deps, factsOf(arrival, req), arrival, { req, res }),
      onUpgrade: (arrival, req, socket, head) =>
        void handleUpgrade(this.#deps, factsOf(arrival, req), arrival, req, socket, head),
    });
    this.#fronts.set(way, front);
    return front;
  }
}

/** All environments at one port, each by its name in the domain. */
export const createNamedDoors = (deps: DoorDeps, domain: string): Door & { closeAll(): Promise<void> } => {
  const doors = new NamedDoors(deps, domain);
  const opened = new OpenedModes();
  const close = async (id: EnvironmentId): Promise<void> => {
    opened.forget(id);
    doors.remove(id);
    deps.pools.drop(id);
    deps.connections.cutEnvironment(id);
  };
  return {
    hasAddress: (e) => e.webserverHostname === doors.hostname(e),
    propose: async (e, ofOthers) => {
      const hostname = doors.hostname(e);
      if (ofOthers.has(hostname))
        throw new WindsockError('NameTaken', `Another environment goes by ${hostname}.`);
      return hostname;
    },
    open: (e) =>
      opened.during(e, async () => {
        await doors.listen();
        doors.add(e);
        await endClosedWays(deps, e);
      }),
    close,
    stateOf: (e) => {
      if (!doors.has(e.id)) return 'closed';
      doors.add(e);
      return opened.stateOf(e);
    },
    closeAll: () => doors.close(),
  };
};
