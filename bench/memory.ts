// The memory of processes, as Linux counts it.
import { readFileSync, writeFileSync } from 'node:fs';

/** A process and those it started. */
const familyOf = (pid: number): readonly number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.map(Number)];
};

const sumOf = (pids: readonly number[], field: 'VmRSS' | 'VmHWM'): number =>
  pids.flatMap(familyOf).reduce((sum, pid) => {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return sum + Number(line?.[1]) * 1024;
  }, 0);

/** Bytes that are resident now, with those of their children. */
export const resident = (pids: readonly number[]): number => sumOf(pids, 'VmRSS');

/** The most that was resident since `forgetPeak`. */
export const peak = (pids: readonly number[]): number => sumOf(pids, 'VmHWM');

export const forgetPeak = (pids: readonly number[]): void => {
  for (const pid of pids.flatMap(familyOf)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
};
