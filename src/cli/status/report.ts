import type { ComponentFacts, EnvironmentFacts, ServerFile, StatusFile } from '../../config/runtime-files.ts';
import { isOver, type ProcessFacts, type ProcessId } from '../../lib/processes.ts';

/** What was found in the data folder. */
export interface Found {
  /** The data folder. */
  readonly data: string;
  readonly server: ServerFile | undefined;
  readonly status: StatusFile | undefined;
  /** PostgreSQL of this data folder, by its own pid file; undefined when it does not run or that file is closed to us. */
  readonly postmaster: ProcessId | undefined;
}

/** What is true of the machine at this moment. */
export interface Machine {
  readonly bootId: string;
  readonly processes: readonly ProcessFacts[];
}

/**
 * `stopping` and `stopped` it says itself; `paused`: a signal (SIGSTOP) holds it; `killed`: it has ended without a
 * stop; `not started`: nothing is known of one.
 */
export type ServerState = 'running' | 'stopping' | 'paused' | 'stopped' | 'killed' | 'not started';
/** `ended`: it does not run, and nothing says that it is started again. */
type PartState = 'running' | 'paused' | 'restarting' | 'waiting' | 'stopped' | 'external' | 'ended';

interface Part {
  readonly state: PartState;
  readonly pid?: number | undefined;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly restarts: number;
  readonly adopted: boolean;
  readonly lastError?: string | undefined;
  /** Processes of it that live now. */
  readonly processes: number;
}

export interface ComponentReport extends Part {
  readonly name: string;
}

export interface EnvironmentReport extends Omit<EnvironmentFacts, 'components'> {
  readonly processes: number;
  readonly components: readonly ComponentReport[];
}

/** What `windsock status --json` prints. */
export interface Report {
  /** Everything runs as it is wanted. */
  readonly ok: boolean;
  /** The data folder. */
  readonly data: string;
  readonly server: { readonly state: ServerState } & Partial<ServerFile> & Pick<StatusFile, 'leaving'>;
  /** How Airflow sees the file system. */
  readonly view?: NonNullable<StatusFile['view']>;
  readonly postgres: Part;
  readonly environments: readonly EnvironmentReport[];
  /** When the server last wrote down how things are (epoch milliseconds). */
  readonly writtenAt?: number;
}

const sameServer = (one: ServerFile, other: ServerFile): boolean =>
  one.pid === other.pid && one.startTime === other.startTime && one.bootId === other.bootId;

/** Of a process that may not be known. */
type MaybeId = { readonly [part in keyof ProcessId]?: number | undefined };

const processOf = (id: MaybeId, m: Machine): ProcessFacts | undefined =>
  m.processes.find((p) => p.pid === id.pid && p.startTime === id.startTime && !isOver(p));

/** How many processes of the leader's session live, the leader with them; a session outlives its leader. */
const countOf = (leader: MaybeId, m: Machine): number => {
  const { pid, startTime } = leader;
  if (pid === undefined || startTime === undefined) return 0;
  const stranger = m.processes.some((p) => p.pid === pid && p.startTime !== startTime);
  const own = (p: ProcessFacts) => p.sessionId === pid && p.startTime >= startTime && !isOver(p);
  return stranger ? 0 : m.processes.filter(own).length;
};

const isHeld = (p: ProcessFacts): boolean => p.state === 'T' || p.state === 't';

const serverReport = (found: Found, m: Machine): Report['server'] => {
  const { status } = found;
  const server = found.server ?? status?.server;
  if (!server) return { state: 'not started' };
  const own = status && sameServer(status.server, server) ? status : undefined;
  const leaving = own?.leaving === undefined ? {} : { leaving: own.leaving };
  const living = server.bootId === m.bootId ? processOf(server, m) : undefined;
  if (!living) return { ...server, ...leaving, state: own?.state === 'stopped' ? 'stopped' : 'killed' };
  if (isHeld(living)) return { ...server, state: 'paused' };
  return { ...server, ...leaving, state: own?.state === 'stopping' ? 'stopping' : 'running' };
};

const postgresReport = (found: Found, m: Machine, serverRuns: boolean): Part => {
  const told = found.status?.postgres;
  const before = { since: told?.since ?? 0, restarts: told?.restarts ?? 0, adopted: told?.adopted ?? false };
  if (told?.state === 'external') return { ...before, state: 'external', processes: 0 };
  const id = found.postmaster ?? { pid: told?.pid, startTime: told?.startTime };
  const living = processOf(id, m);
  const error = told?.lastError === undefined ? {} : { lastError: told.lastError };
  if (living) {
    const state = isHeld(living) ? 'paused' : 'running';
    return { ...before, ...error, state, pid: living.pid, processes: countOf(living, m) };
  }
  const state = told?.state === 'restarting' && serverRuns ? 'restarting' : serverRuns ? 'ended' : 'stopped';
  return { ...before, ...error, state, processes: 0 };
};

const componentReport = (c: ComponentFacts, m: Machine, serverRuns: boolean): ComponentReport => {
  const { pid, startTime, ...rest } = c;
  const living = processOf({ pid, startTime }, m);
  const processes = countOf({ pid, startTime }, m);
  if (living) return { ...rest, state: isHeld(living) ? 'paused' : 'running', pid: living.pid, processes };
  return { ...rest, state: c.state === 'waiting' && serverRuns ? 'waiting' : 'ended', processes };
};

const environmentReport = (e: EnvironmentFacts, m: Machine, serverRuns: boolean): EnvironmentReport => {
  const components = e.components.map((c) => componentReport(c, m, serverRuns));
  return { ...e, components, processes: components.reduce((sum, c) => sum + c.processes, 0) };
};

const isWell = (e: EnvironmentReport): boolean => {
  if (/FAILED|UNAVAILABLE/.test(e.status)) return false;
  if (e.status !== 'AVAILABLE') return true;
  return e.components.length > 0 && e.components.every((c) => c.state === 'running');
};

/** Holds what was written down against what runs now. After the machine started anew nothing of it runs. */
export const reportOf = (found: Found, machine: Machine): Report => {
  const server = serverReport(found, machine);
  const serverRuns = server.state === 'running' || server.state === 'stopping';
  const sameBoot = found.status?.server.bootId === machine.bootId;
  const now = sameBoot ? machine : { ...machine, processes: [] };
  const postgres = postgresReport(found, found.postmaster ? machine : now, serverRuns);
  const environments = (found.status?.environments ?? []).map((e) => environmentReport(e, now, serverRuns));
  const ok =
    server.state === 'running' &&
    (postgres.state === 'running' || postgres.state === 'external') &&
    environments.every(isWell);
  const written = found.status ? { writtenAt: found.status.writtenAt } : {};
  const view = found.status?.view === undefined ? {} : { view: found.status.view };
  return { ok, data: found.data, server, ...view, postgres, environments, ...written };
};

/** What runs without its server, for people: `PostgreSQL`, `Airflow of demo (9 processes)`. */
export const stillRunning = (r: Report): readonly string[] => [
  ...(r.postgres.processes > 0 ? ['PostgreSQL'] : []),
  ...r.environments
    .filter((e) => e.processes > 0)
    .map((e) => `Airflow of ${e.name} (${e.processes} ${e.processes === 1 ? 'process' : 'processes'})`),
];
