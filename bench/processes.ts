// Memory and processor time of processes, as Linux counts them.
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

/** Microseconds of processor time that were used since each started; Linux counts in steps of 10 ms. */
export const used = (pids: readonly number[]): number =>
  pids.flatMap(familyOf).reduce((sum, pid) => {
    const [user, system] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '')
      .split(' ')
      .slice(11);
    return sum + (Number(user) + Number(system)) * 10_000;
  }, 0);
