import { readdirSync, readFileSync } from 'node:fs';
import { sessionOf } from './components.ts';
import type { Machine } from './environments.ts';
import { type Place, serverLog } from './server.ts';

const kilobytes = (file: string, field: string): number => {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

/** What one process holds in memory now; 0 when it is gone. */
export const residentMbOf = (pid: number): number => kilobytes(`/proc/${pid}/status`, 'VmRSS') / 1024;

/** What the processes of one environment weigh now. */
export const weightOf = (
  machine: Machine,
): { readonly processes: number; readonly residentMb: number; readonly ownMb: number } => {
  const leaders = new Set(machine.facts().processes.map((p) => p.pid));
  const own = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => leaders.has(sessionOf(pid)));
  const sum = (file: string, field: string): number =>
    Math.round(own.reduce((all, pid) => all + kilobytes(`/proc/${pid}/${file}`, field), 0) / 1024);
  // Pss counts a page that several processes share once
  return { processes: own.length, residentMb: sum('status', 'VmRSS'), ownMb: sum('smaps_rollup', 'Pss') };
};

/** Seconds that the steps of an environment took, by step. */
export const stepSeconds = (place: Place, name: string): ReadonlyMap<string, number> =>
  new Map(
    serverLog(place)
      .split('\n')
      .filter((line) => line.includes('"step done"'))
      .map((line) => JSON.parse(line) as { environment?: string; step: string; took: number })
      .filter((line) => line.environment === name)
      .map((line) => [line.step, line.took / 1000]),
  );
