import type { Door } from '../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';
import { WindsockError } from '../lib/errors.ts';
import { BoundPort } from './bound-port.ts';
import { endClosedWays } from './closed-ways.ts';
import type { DoorDeps } from './deps.ts';
import { doorFacts } from './door-facts.ts';
import { handle, handleUpgrade } from './handle.ts';
import { createTlsFront, type TlsFront } from './tls-front.ts';
import { accessModeOf, addressesFor, admits, OpenedModes, type Way } from './ways.ts';

const portsTried = 500;

/** The port that clients know this environment by is taken by another program. */
export class DoorPortTaken extends WindsockError {
  constructor(name: string, port: number) {
    super(
      'DoorPortTaken',
      `Port ${port} on this machine, the address of environment ${name}, is taken by another program. ` +
        'Stop that program: the environment then opens its door by itself.',
    );
  }
}

const hostnameAt = (port: number): string => `localhost:${port}`;

/** The door of one environment, at a port of its own. */
class PortDoor {
  readonly hostname: string;
  record: EnvironmentRecord;
  readonly #deps: DoorDeps;
  readonly #port: BoundPort;
  readonly #fronts = new Map<Way, TlsFront>();
  #mode: string | undefined;

  constructor(deps: DoorDeps, record: EnvironmentRecord, port: number) {
    this.#deps = deps;
    this.record = record;
    this.#port = new BoundPort(port, deps.log);
    this.hostname = hostnameAt(port);
  }

  /** Listens where the access mode says; false when the port is taken. */
  async listen(): Promise<boolean> {
    const mode = accessModeOf(this.record);
    const addresses = addressesFor(this.#deps.addresses, mode);
    const wanted = new Map([...addresses].map(([address, way]) => [address, this.#front(way).accept]));
    if (!(await this.#port.listen(wanted))) return false;
    this.#mode = mode;
    return true;
  }

  get isRight(): boolean {
    return this.#mode === accessModeOf(this.record);
  }

  async close(): Promise<void> {
    for (const front of this.#fronts.values()) front.close();
    await this.#port.close();
  }

  #front(way: Way): TlsFront {
    const known = this.#fronts.get(way);
    if (known) return known;
    const { hostname } = this;
    // other programs of the machine answer at localhost too
    const found = { hostname, hostnames: () => [hostname], way, isOwnName: false };
    // a listener stays for a moment after the mode was changed, and for longer where another one cannot be made
    const facts = () =>
      admits(accessModeOf(this.record), way) ? doorFacts({ ...found, record: this.record }) : undefined;
    const front = createTlsFront({
      tls: this.#deps.tls,
      arrivals: this.#deps.arrivals,
      onRequest: (arrival, req, res) => void handle(this.#deps, facts(), arrival, { req, res }),
      onUpgrade: (arrival, req, socket, head) =>
        void handleUpgrade(this.#deps, facts(), arrival, req, socket, head),
    });
    this.#fronts.set(way, front);
    return front;
  }
}

/** `localhost:7443` → 7443; undefined for a name of another kind, of a server with a domain. */
const portOf = (hostname: string | undefined): number | undefined => {
  const port = /^localhost:(\d+)$/.exec(hostname ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
};

/** Binds a port and serves the environment on it; undefined when the port is taken. */
const openAt = async (deps: DoorDeps, e: EnvironmentRecord, port: number): Promise<PortDoor | undefined> => {
  const door = new PortDoor(deps, e, port);
  try {
    if (await door.listen()) return door;
  } catch (error) {
    await door.close();
    throw error;
  }
  await door.close();
  return undefined;
};

const reopen = async (deps: DoorDeps, e: EnvironmentRecord, port: number): Promise<PortDoor> => {
  const door = await openAt(deps, e, port);
  if (!door) throw new DoorPortTaken(e.name, port);
  return door;
};

/** A door at the first port that is free on this machine and that no other environment was found to have. */
const openFirst = async (
  deps: DoorDeps,
  e: EnvironmentRecord,
  ofOthers: ReadonlySet<string>,
): Promise<PortDoor> => {
  for (let port = deps.firstPort; port < deps.firstPort + portsTried; port += 1) {
    const door = ofOthers.has(hostnameAt(port)) ? undefined : await openAt(deps, e, port);
    if (door) return door;
  }
  throw new WindsockError(
    'NoDoorPort',
    `No port from ${deps.firstPort} to ${deps.firstPort + portsTried - 1} is free on this machine.`,
  );
};

/** Doors of environments that are told apart by port, all at `localhost`. */
export const createPortDoors = (deps: DoorDeps): Door & { closeAll(): Promise<void> } => {
  const doors = new Map<EnvironmentId, PortDoor>();
  const opened = new OpenedModes();
  const close = async (id: EnvironmentId): Promise<void> => {
    opened.forget(id);
    const door = doors.get(id);
    doors.delete(id);
    deps.pools.drop(id);
    deps.connections.cutEnvironment(id);
    await door?.close();
  };
  const refresh = (e: EnvironmentRecord): PortDoor | undefined => {
    const known = doors.get(e.id);
    if (known) known.record = e;
    return known;
  };
  /** Elsewhere than before, at the same port. */
  const move = async (door: PortDoor): Promise<void> => {
    if (!(await door.listen())) throw new DoorPortTaken(door.record.name, portOf(door.hostname) ?? 0);
  };
  return {
    hasAddress: (e) => portOf(e.webserverHostname) !== undefined,
    propose: async (e, ofOthers) => {
      const known = doors.get(e.id);
      if (known && !ofOthers.has(known.hostname)) return known.hostname;
      await close(e.id);
      const door = await openFirst(deps, e, ofOthers);
      doors.set(e.id, door);
      return door.hostname;
    },
    open: (e) =>
      opened.during(e, async () => {
        const known = refresh(e);
        const door = known ?? (await reopen(deps, e, portOf(e.webserverHostname) ?? 0));
        doors.set(e.id, door);
        if (!door.isRight) await move(door);
        await endClosedWays(deps, e);
      }),
    close,
    stateOf: (e) => (refresh(e) ? opened.stateOf(e) : 'closed'),
    closeAll: async () => {
      await Promise.all([...doors.keys()].map(close));
    },
  };
};
