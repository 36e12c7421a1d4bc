import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { deployRules, ignoreFile, type StaysBehind } from '../../lib/deploy-rules.ts';
import { textOf } from '../../lib/errors.ts';
import { CliError } from '../errors.ts';

export interface FoundFiles {
  /** By path, relative with `/`. */
  readonly files: ReadonlyMap<string, string>;
  /** What is neither a file nor a folder, and links to folders. */
  readonly leftOut: readonly string[];
}

/** Of a file's bytes, in hex. */
export const sha256Of = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** The bytes of a file: how many, and their hashes in hex. */
export interface Measured {
  readonly size: number;
  readonly sha256: string;
  readonly md5: string;
}

/** Reads a file once, for all that S3 may know of it. */
export const measured = async (file: string): Promise<Measured> => {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let size = 0;
  for await (const chunk of createReadStream(file)) {
    for (const hash of [sha256, md5]) hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { size, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
};

/** The rules of the folder itself. @throws CliError when they cannot be read */
export const rulesOf = async (folder: string): Promise<StaysBehind> => {
  try {
    return await deployRules(folder);
  } catch (error) {
    throw new CliError(`Cannot read ${join(folder, ignoreFile)}.`, { why: textOf(error), cause: error });
  }
};

/** Changes when a file is written or replaced, without a look at its bytes. */
export const stampOf = async (file: string): Promise<string> => {
  const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].join('-');
};

export interface FindOptions {
  readonly staysBehind: StaysBehind;
  readonly signal: AbortSignal;
  /** What is said of each file; its SHA-256 by default. */
  readonly describe?: (file: string) => Promise<string>;
  /** Links to files are files; by default they are. */
  readonly links?: boolean;
}

/**
 * Every file below a folder but those that the rules name.
 * @throws what the system says when something cannot be read
 */
export const findFiles = async (
  folder: string,
  { staysBehind, signal, describe = sha256Of, links = true }: FindOptions,
): Promise<FoundFiles> => {
  const factsOf = links ? stat : lstat;
  const files = new Map<string, string>();
  const leftOut: string[] = [];
  const walk = async (below: string): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      signal.throwIfAborted();
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (staysBehind(entry.isDirectory() ? `${path}/` : path)) continue;
      if (entry.isDirectory()) await walk(path);
      else if ((await factsOf(join(folder, path)).catch(() => undefined))?.isFile())
        files.set(path, await describe(join(folder, path)));
      else leftOut.push(path);
    }
  };
  await walk('');
  return { files, leftOut };
};
