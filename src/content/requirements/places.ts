import { posix } from 'node:path';
import { Unfit } from './refused.ts';

/** Folders as a requirement file names them, `/usr/local/airflow/dags` for instance, each with where it is. */
export type Folders = Readonly<Record<string, string>>;

/** The home of Airflow on Amazon MWAA, where pip is started. */
export const airflowHome = '/usr/local/airflow';

export interface Place {
  /** As the requirement file names it, made absolute and plain. */
  readonly seen: string;
  /** Where it is on this machine. */
  readonly real: string;
}

const isPrintable = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/**
 * Where a path leads that a line names, relative to that folder. Throws Unfit for one outside of the folders. Symbolic links are
 * not looked at here: who reads must not follow one out of the folders.
 */
export const placeIn = (folders: Folders, from: string, path: string): Place => {
  const names = Object.keys(folders);
  if (!isPrintable(path)) throw new Unfit('The path has control characters in it', 'Give a plain path');
  const seen = posix.resolve(from, path).replace(/\/$/, '');
  const folder = names.find((name) => isBelow(seen, name));
  if (folder === undefined)
    throw new Unfit(
      `Only what is in ${names.join(' or ')} can be named`,
      `Put it there, and name it by its full path, for instance ${names[0] ?? airflowHome}/NAME`,
      path,
    );
  return { seen, real: posix.join(folders[folder] ?? '', seen.slice(folder.length)) };
};
