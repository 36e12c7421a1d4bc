import { chmod, chown, lstat, mkdir, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';

/** Who owns what is published, and its modes. Absent ids mean the account of this process. */
export interface TreeOwner {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly fileMode: number;
  readonly dirMode: number;
}

export interface TargetTree {
  /** Regular files by path, each with what tells this file from any other. */
  readonly files: ReadonlyMap<string, string>;
  /** Everything else that is no folder: links, pipes. */
  readonly others: readonly string[];
  /** Folders, parents first, without Python's caches. */
  readonly folders: readonly string[];
  /** `__pycache__` folders, which Python writes beside what is published where it may. */
  readonly caches: readonly string[];
}

/** Bytecode of the files beside it: neither published nor taken away with them. */
export const cacheName = '__pycache__';

/** What tells the file at this path now from any other content. */
export const stampOf = async (file: string): Promise<string> => {
  const s = await lstat(file, { bigint: true });
  return `${s.size}-${s.mtimeNs}-${s.ino}`;
};

/** Reads the whole target; an absent one is empty. */
export const readTree = async (root: string): Promise<TargetTree> => {
  const tree = {
    files: new Map<string, string>(),
    others: [] as string[],
    folders: [] as string[],
    caches: [] as string[],
  };
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && entry.name === cacheName) tree.caches.push(path);
      else if (entry.isDirectory()) {
        tree.folders.push(path);
        await walk(path);
      } else if (entry.isFile()) tree.files.set(path, await stampOf(join(root, path)));
      else tree.others.push(path);
    }
  };
  await walk('').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  return tree;
};

export const own = async (path: string, owner: TreeOwner, mode: number): Promise<void> => {
  if (owner.uid !== undefined || owner.gid !== undefined)
    await chown(path, owner.uid ?? process.geteuid?.() ?? 0, owner.gid ?? process.getegid?.() ?? 0);
  await chmod(path, mode);
};

const makeFolder = async (path: string, owner: TreeOwner): Promise<void> => {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isDirectory()) return;
  // another file that is written, or a publication that was told to end, may do the same in the same moment
  if (facts)
    await unlink(path).catch((error: unknown) => {
      if (!['ENOENT', 'EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    });
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  await own(path, owner, owner.dirMode);
};

/** Makes the root and every folder above a path; a file that stands in the way is removed. */
export const makeFolders = async (root: string, path: string, owner: TreeOwner): Promise<void> => {
  await makeFolder(root, owner);
  const segments = path.split('/').slice(0, -1);
  for (let depth = 1; depth <= segments.length; depth += 1)
    await makeFolder(join(root, ...segments.slice(0, depth)), owner);
};

/** Removes a folder that stands where a file is to be. */
export const clearForFile = async (file: string): Promise<void> => {
  const facts = await lstat(file).catch(() => undefined);
  if (facts?.isDirectory()) await rm(file, { recursive: true, force: true });
};

/** Removes these folders as far as they are empty, children first. */
export const removeEmptyFolders = async (root: string, folders: readonly string[]): Promise<void> => {
  for (const folder of folders.toReversed())
    await rmdir(join(root, folder)).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
    });
};
