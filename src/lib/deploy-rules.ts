import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';
import { codeOf } from './errors.ts';

/** What begins so is a file that is being written, and is never a DAG file. */
export const temporaryPrefix = '.windsock-tmp-';

/** Which files of a folder do not become DAG files, in the form of .gitignore. */
export const ignoreFile = '.windsockignore';

/** Nobody wants these in a DAGs folder. */
const never = ['.git/', '__pycache__/', '*.py[co]', '.DS_Store', '.venv/', 'node_modules/', ignoreFile];

/** True for a path below the folder, with `/` at the end of a folder's, that stays where it is. */
export type StaysBehind = (path: string) => boolean;

/** What a folder's own file says, and what always stays behind. @throws what the system says when it cannot be read */
export const deployRules = async (folder: string): Promise<StaysBehind> => {
  const rules = ignore().add(never);
  try {
    rules.add(await readFile(join(folder, ignoreFile), 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return (path) => rules.ignores(path);
};
