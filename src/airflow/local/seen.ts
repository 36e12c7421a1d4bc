import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Base } from '../base.ts';
import type { Places } from './places.ts';
import { mwaaHome, type View, type ViewKind } from './view.ts';

/** Where the programs of an environment find its folders. */
export type Seen = Pick<Places, 'home' | 'dags' | 'plugins' | 'requirements' | 'startup' | 'taskLogs'>;

/** The paths of Amazon MWAA where there is a view; else those of the machine. */
export const seenBy = (places: Places, kind: ViewKind): Seen =>
  kind === 'none'
    ? places
    : {
        home: mwaaHome,
        dags: join(mwaaHome, 'dags'),
        plugins: join(mwaaHome, 'plugins'),
        requirements: join(mwaaHome, 'requirements'),
        startup: join(mwaaHome, 'startup'),
        taskLogs: join(mwaaHome, 'logs'),
      };

export interface ViewInput {
  readonly kind: ViewKind;
  /** The data folder. */
  readonly data: string;
  readonly places: Places;
  readonly base: Base;
  readonly shim: string;
  /** PostgreSQL's socket, and the installer's folder: a Python that uv installed is in it. */
  readonly sockets: string;
  readonly cache: string;
  /** MiB of /dev/shm. */
  readonly sharedMemory: number;
}

const isBelow = (folder: string, path: string): boolean => path.startsWith(`${folder}/`);

/** The interpreter that the virtual environment leads to, where it is in the data folder as well. */
const ownPython = ({ base, cache }: Omit<ViewInput, 'places'>): readonly string[] => {
  const pythons = join(cache, 'python');
  return isBelow(realpathSync(cache), realpathSync(base.python)) ? [pythons] : [];
};

/** What belongs to no environment alone. */
const sharedBy = (i: Omit<ViewInput, 'places'>): readonly string[] => [
  ...[i.base.folder, i.shim, ...ownPython(i)],
  ...(isBelow(i.data, i.sockets) ? [i.sockets] : []),
];

/** Folders that every account may write to. */
const everybodys = ['/tmp', '/var/tmp'];

/** Those of them in which nothing is that the environment needs. */
const replaceable = (i: Omit<ViewInput, 'places'>): readonly string[] => {
  const needed = [i.data, i.sockets, realpathSync(i.base.python)];
  return everybodys.filter((folder) => !needed.some((path) => isBelow(folder, path)));
};

/**
 * What a migration sees that has its home below the data folder. It reads what the environment's code has put into its
 * database, and may run it: older versions kept Python objects there (pickle).
 */
export const migrationView = (i: Omit<ViewInput, 'places'>, home: string): View | undefined => {
  if (i.kind === 'none') return undefined;
  const within = (path: string): string => relative(i.data, path);
  return {
    kind: i.kind,
    data: i.data,
    readOnly: sharedBy(i).map(within),
    writable: [within(home)],
    home: within(home),
    inHome: {},
    hosts: undefined,
    sharedMemory: i.sharedMemory,
    temporary: { path: within(home), at: replaceable(i) },
  };
};

/** What the programs of one environment see; undefined where they see everything. */
export const viewOf = (i: ViewInput): View | undefined => {
  const { places: p } = i;
  if (i.kind === 'none') return undefined;
  const within = (path: string): string => relative(i.data, path);
  const inHome = { dags: p.dags, plugins: p.plugins, requirements: p.requirements, startup: p.startup };
  return {
    kind: i.kind,
    data: i.data,
    readOnly: [...sharedBy(i), p.config, ...Object.values(inHome)].map(within),
    writable: [p.home, p.temporary].map(within),
    home: within(p.home),
    inHome: Object.fromEntries(Object.entries(inHome).map(([name, path]) => [name, within(path)])),
    hosts: within(p.hosts),
    sharedMemory: i.sharedMemory,
    temporary: { path: within(p.temporary), at: replaceable(i) },
  };
};
