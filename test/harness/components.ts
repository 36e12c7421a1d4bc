import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type FoundProcess, mountsOf, processesOf } from './processes.ts';
import type { Place } from './server.ts';

/** 0 when it is gone. */
export const sessionOf = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return 0;
  }
};

/** The leader of one component's session. */
export interface Component {
  readonly pid: number;
  readonly id: string;
  readonly name: string;
}

/** How the leaders show themselves; some of the real ones write over their own command and environment. */
const titles: Readonly<Record<string, RegExp>> = {
  webserver: /gunicorn|airflow api[-_]server/,
  scheduler: /airflow scheduler/,
  triggerer: /airflow triggerer/,
  'dag-processor': /airflow dag[-_]processor/,
};

/** The folder on the machine that is a process's working directory, which may have another name in its own view. */
const workingFolder = (pid: number): string => {
  try {
    const seen = readlinkSync(`/proc/${pid}/cwd`);
    const mount = mountsOf(pid)
      .split('\n')
      .map((line) => line.split(' '))
      .find((fields) => fields[4] === seen);
    return mount?.[3] ?? seen;
  } catch {
    return '';
  }
};

const componentOf = ({ pid, command }: FoundProcess): Component | undefined => {
  const id = /\/environments\/([a-z0-9]{12})\/home/.exec(workingFolder(pid))?.[1];
  const name = Object.keys(titles).find((key) => titles[key]?.test(command));
  return id !== undefined && name !== undefined ? { pid, id, name } : undefined;
};

/** The components of every environment that run now: the leaders of their sessions. */
export const componentsAt = (place: Place): readonly Component[] =>
  processesOf(join(place.data, 'environments'))
    .filter((p) => sessionOf(p.pid) === p.pid)
    .flatMap((p) => componentOf(p) ?? []);
