import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentsAt } from './components.ts';
import { ownQuery } from './own-database.ts';
import type { Place } from './server.ts';

/** What a server writes down of the processes of an environment. */
export interface Facts {
  readonly bootId: string;
  readonly webPort: number;
  readonly processes: readonly {
    readonly component: string;
    readonly pid: number;
    readonly startTime: number;
  }[];
}

/** One environment of a place, as the machine has it. */
export interface Machine {
  readonly id: string;
  readonly folder: string;
  readonly home: string;
  readonly factsFile: string;
  facts(): Facts;
  /** The leader of that component's session; undefined while there is none, or more than one. */
  pidOf(component: string): number | undefined;
}

/** Finds the environment of that name on the machine. */
export const machineOf = async (place: Place, name: string): Promise<Machine> => {
  const rows = await ownQuery<{ id: string; name: string }>(
    place,
    'windsock',
    'select id, name from environments where deleted_at is null',
  );
  const id = rows.find((row) => row.name === name)?.id;
  if (id === undefined) throw new Error(`there is no ${name}`);
  const folder = join(place.data, 'environments', id);
  const factsFile = join(folder, 'facts.json');
  return {
    id,
    folder,
    home: join(folder, 'home'),
    factsFile,
    facts: () => JSON.parse(readFileSync(factsFile, 'utf8')) as Facts,
    pidOf: (component) => {
      const found = componentsAt(place).filter((c) => c.id === id && c.name === component);
      return found.length === 1 ? found[0]?.pid : undefined;
    },
  };
};

/** True while the process lives and is no zombie. */
export const lives = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
