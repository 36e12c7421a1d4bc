import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { sessionOf } from '../../lib/end-processes.ts';
import type { Description } from '../../lib/process-selection.ts';
import { isAlive } from '../../lib/processes.ts';
import type { ViewKind } from './view.ts';

/** A process that was started as a session leader. */
export interface ProcessFact {
  readonly component: string;
  readonly pid: number;
  readonly startTime: number;
  /** Epoch milliseconds of its start. */
  readonly since: number;
  readonly restarts: number;
  /** It was told to end, and gets the time it needs. */
  readonly draining?: boolean;
}

/** What a server writes down of the Airflow it runs, for the one after it. */
export interface Facts {
  /** Changes when a server could no longer go on with what another version of it started. */
  readonly format: typeof format;
  /** The folder it was written in: what a copy of it says is not about the copy. */
  readonly folder: string;
  readonly bootId: string;
  /** Of what these processes were started with. */
  readonly revision: string;
  /** How its processes see the machine; they know the paths of their folders by it. */
  readonly view?: ViewKind;
  /** Port of the web server, which the other components know. */
  readonly webPort: number;
  readonly processes: readonly ProcessFact[];
}

const format = 4;

/** What an earlier server wrote down; undefined when there is nothing, or nothing that can be used. */
export const readFacts = (file: string): Facts | undefined => {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  try {
    const facts = JSON.parse(text) as Facts;
    const isOurs = facts.format === format && facts.folder === dirname(file);
    return isOurs && Array.isArray(facts.processes) ? facts : undefined;
  } catch {
    return undefined;
  }
};

export const writeFacts = (file: string, facts: Omit<Facts, 'format' | 'folder'>): void =>
  writeFileAtomic(file, JSON.stringify({ format, folder: dirname(file), ...facts }), { mode: 0o600 });

/** Writes down that none of the processes is left: their numbers may be those of strangers from now on. */
export const forgetProcesses = (file: string): void => {
  const facts = readFacts(file);
  if (facts !== undefined && facts.processes.length > 0) writeFacts(file, { ...facts, processes: [] });
};

/** The sessions of this account that these facts tell of; of another boot there is none. */
export const sessionsOf = (facts: Facts | undefined, bootId: string, uid: number): readonly Description[] =>
  facts?.bootId === bootId ? facts.processes.map((fact) => ({ ...sessionOf(fact), uid })) : [];

/** The processes that still live of what was written down for this revision, if they see what the next ones will. */
export const livingOf = (
  facts: Facts | undefined,
  now: Pick<Facts, 'bootId' | 'revision'> & { readonly view: ViewKind },
): readonly ProcessFact[] => {
  if (facts?.bootId !== now.bootId || facts.revision !== now.revision) return [];
  return facts.view === now.view ? facts.processes.filter(isAlive) : [];
};
