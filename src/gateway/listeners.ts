import type { Door } from '../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';
import { WindsockError } from '../lib/errors.ts';
import { type BoundPort, bindPort } from './bound-port.ts';
import type { DoorDeps } from './deps.ts';
import { type DoorFacts, doorFacts } from './door-facts.ts';
import { handle, handleUpgrade } from './handle.ts';
import { createTlsFront, type TlsFront } from './tls-front.ts';

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

interface OpenDoor {
  facts: DoorFacts;
  readonly front: TlsFront;
  readonly bound: BoundPort;
}

const closeDoor = async (door: Pick<OpenDoor, 'front' | 'bound'>): Promise<void> => {
  door.front.close();
  await door.bound.close();
};

const portOf = (hostname: string): number => Number(hostname.split(':').at(-1));

/** Binds a port and serves the environment on it; undefined when the port is taken. */
const openAt = async (
  deps: DoorDeps,
  record: EnvironmentRecord,
  port: number,
): Promise<OpenDoor | undefined> => {
  const door = { facts: doorFacts(record, `localhost:${port}`) };
  const front = createTlsFront({
    tls: deps.tls,
    onRequest: (req, res) => void handle(deps, door.facts, { req, res }),
    onUpgrade: (req, socket, head) => void handleUpgrade(deps, door.facts, req, socket, head),
  });
  const bound = await bindPort(port, front.accept).catch((error) => {
    front.close();
    throw error;
  });
  if (!bound) {
    front.close();
    return undefined;
  }
  return Object.assign(door, { front, bound });
};

const reopen = async (deps: DoorDeps, e: EnvironmentRecord, hostname: string): Promise<OpenDoor> => {
  const door = await openAt(deps, e, portOf(hostname));
  if (!door) throw new DoorPortTaken(e.name, portOf(hostname));
  return door;
};

type Claim = (hostname: string) => Promise<boolean>;

/** The first port that is free on this machine and that no other environment is known by. */
const openFirst = async (deps: DoorDeps, e: EnvironmentRecord, claim: Claim): Promise<OpenDoor> => {
  for (let port = deps.firstPort; port < deps.firstPort + portsTried; port += 1) {
    const door = await openAt(deps, e, port);
    if (!door) continue;
    const claimed = await claim(door.facts.hostname).catch(async (error) => {
      await closeDoor(door);
      throw error;
    });
    if (claimed) return door;
    await closeDoor(door);
  }
  throw new WindsockError(
    'NoDoorPort',
    `No port from ${deps.firstPort} to ${deps.firstPort + portsTried - 1} is free on this machine.`,
  );
};

/** The doors of all environments of this server. */
export const createDoors = (deps: DoorDeps): Door & { closeAll(): Promise<void> } => {
  const doors = new Map<EnvironmentId, OpenDoor>();
  const close = async (id: EnvironmentId): Promise<void> => {
    const door = doors.get(id);
    doors.delete(id);
    deps.pools.drop(id);
    if (door) await closeDoor(door);
  };
  const refresh = (e: EnvironmentRecord): OpenDoor | undefined => {
    const known = doors.get(e.id);
    if (known) known.facts = doorFacts(e, known.facts.hostname);
    return known;
  };
  return {
    open: async (e, claim) => {
      const known = refresh(e);
      if (known) return known.facts.hostname;
      const door = await (e.webserverHostname
        ? reopen(deps, e, e.webserverHostname)
        : openFirst(deps, e, claim));
      doors.set(e.id, door);
      return door.facts.hostname;
    },
    close,
    isOpen: (id) => doors.has(id),
    refresh: (e) => void refresh(e),
    closeAll: async () => {
      await Promise.all([...doors.keys()].map(close));
    },
  };
};
