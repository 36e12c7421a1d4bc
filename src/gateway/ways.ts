import type { DoorState } from '../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';
import type { SessionWay } from '../tokens/session-store.ts';

/** How a connection came in: by the private listener, by the public one, or at an address that is both. */
export type Way = SessionWay;

/** WebserverAccessMode of the contract. */
export type AccessMode = 'PRIVATE_ONLY' | 'PUBLIC_ONLY' | 'PUBLIC_AND_PRIVATE';

/** The addresses of this machine that doors listen on. */
export interface ListeningAddresses {
  readonly private: readonly string[];
  /** Without any, the private ones stand for the public as well: nothing else is reachable anyway. */
  readonly public: readonly string[];
}

/** Every address with the way that it is. */
const ways = ({ private: own, public: all }: ListeningAddresses): ReadonlyMap<string, Way> => {
  const open = all.length === 0 ? own : all;
  return new Map(
    [...own, ...open].map((address) => {
      if (own.includes(address) && open.includes(address)) return [address, 'both'];
      return [address, own.includes(address) ? 'private' : 'public'];
    }),
  );
};

/** Whether an environment of that access mode is there for who comes that way. */
export const admits = (mode: AccessMode, way: Way): boolean =>
  way === 'both' ||
  mode === 'PUBLIC_AND_PRIVATE' ||
  mode === (way === 'public' ? 'PUBLIC_ONLY' : 'PRIVATE_ONLY');

/** The addresses at which an environment of that access mode listens, each with its way. */
export const addressesFor = (listening: ListeningAddresses, mode: AccessMode): ReadonlyMap<string, Way> =>
  new Map([...ways(listening)].filter(([, way]) => admits(mode, way)));

/** The ways that such an environment is closed to. */
export const closedWays = (mode: AccessMode): readonly Way[] =>
  (['private', 'public'] as const).filter((way) => !admits(mode, way));

/** The access mode of an environment; the contract's default where none was given. */
export const accessModeOf = ({
  spec,
}: {
  readonly spec: { readonly [member: string]: unknown };
}): AccessMode => (spec['WebserverAccessMode'] as AccessMode | undefined) ?? 'PRIVATE_ONLY';

/** The access mode for which each door was opened, to the end: listeners in place, sessions of closed ways ended. */
export class OpenedModes {
  readonly #modes = new Map<EnvironmentId, AccessMode>();

  /** What is opened counts only once all of it is done. */
  async during(e: EnvironmentRecord, open: () => Promise<void>): Promise<void> {
    this.forget(e.id);
    await open();
    this.#modes.set(e.id, accessModeOf(e));
  }

  forget(id: EnvironmentId): void {
    this.#modes.delete(id);
  }

  /**
   * The state of a door that is not closed. One that was wanted for another mode meanwhile must be opened anew, also
   * for the mode it had before: people may have come in by what the other mode allowed.
   */
  stateOf(e: EnvironmentRecord): DoorState {
    if (this.#modes.get(e.id) === accessModeOf(e)) return 'open';
    this.forget(e.id);
    return 'outdated';
  }
}
