import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { codeOf, textOf } from '../../lib/errors.ts';
import { CliError } from '../errors.ts';

/** Which files of a folder are not deployed, in the form of .gitignore. */
export const ignoreFile = '.windsockignore';

/** Nobody wants these in a DAGs folder. */
const never = ['.git/', '__pycache__/', '*.py[co]', '.DS_Store', '.venv/', 'node_modules/', ignoreFile];

export interface FoundFiles {
  /** SHA-256 by path, relative with `/`. */
  readonly files: ReadonlyMap<string, string>;
  /** What is neither a file nor a folder, and links to folders. */
  readonly leftOut: readonly string[];
}

const sha256Of = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** The rules of the folder itself. @throws CliError when they cannot be read */
export const rulesOf = async (folder: string): Promise<Ignore> => {
  const file = join(folder, ignoreFile);
  try {
    return ignore()
      .add(never)
      .add(await readFile(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ignore().add(never);
    throw new CliError(`Cannot read ${file}.`, { why: textOf(error), cause: error });
  }
};

/**
 * Every file below a folder but those that the rules name, with its SHA-256. Links to files are followed.
 * @throws what the system says when something cannot be read
 */
export const findFiles = async (folder: string, rules: Ignore, signal: AbortSignal): Promise<FoundFiles> => {
  const files = new Map<string, string>();
  const leftOut: string[] = [];
  const walk = async (below: string): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      signal.throwIfAborted();
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (rules.ignores(entry.isDirectory() ? `${path}/` : path)) continue;
      if (entry.isDirectory()) await walk(path);
      else if ((await stat(join(folder, path)).catch(() => undefined))?.isFile())
        files.set(path, await sha256Of(join(folder, path)));
      else leftOut.push(path);
    }
  };
  await walk('');
  return { files, leftOut };
};
