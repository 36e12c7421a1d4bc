import { slices } from '../lib/turns.ts';
import type { FoundEntry } from './archive-layout.ts';
import type { ArchiveLimits } from './archive-limits.ts';
import { entryRefused, refused } from './archive-refused.ts';

/** What is to be made. */
export interface ArchiveTree {
  readonly files: readonly FoundEntry[];
  /** Parents first. */
  readonly folders: readonly string[];
  /** Entries that are left out: what macOS adds for its Finder. */
  readonly skipped: number;
  /** Where somebody packed the folder and not what is in it: its name. */
  readonly extraFolder: string | undefined;
}

/** Resource forks and settings of the Finder. Airflow would import `__MACOSX/._plugin.py` and fail. */
const isOfFinder = (path: string): boolean => /^__MACOSX(\/|$)/.test(path) || /(^|\/)\.DS_Store$/.test(path);

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/**
 * The one folder at the root, when it is named like the folder that it is unpacked to, or has modules of plugins in it
 * and is no package itself.
 */
const extraFolderOf = (files: readonly FoundEntry[], folders: readonly string[]): string | undefined => {
  const [root, ...others] = folders.filter((path) => !path.includes('/'));
  if (root === undefined || others.length > 0 || files.some((e) => !e.path.includes('/'))) return undefined;
  if (root.toLowerCase() === 'plugins') return files.length > 0 ? root : undefined;
  const direct = files
    .filter((e) => parentOf(e.path) === root)
    .map((e) => e.path.slice(root.length + 1).toLowerCase());
  const isMeant = direct.some((name) => /plugin.*\.py$/.test(name)) && !direct.includes('__init__.py');
  return isMeant ? root : undefined;
};

const twice = (path: string): Error => entryRefused(path, 'is there twice');
const both = (path: string): Error => entryRefused(path, 'is a file and a folder');

class Tree {
  readonly files = new Map<string, FoundEntry>();
  readonly folders = new Set<string>();
  /** Folders that have an entry of their own. */
  readonly #named = new Set<string>();

  add(e: FoundEntry): void {
    if (e.isFolder ? this.#named.has(e.path) : this.files.has(e.path)) throw twice(e.path);
    if (!e.isFolder && this.folders.has(e.path)) throw both(e.path);
    this.#addFolders(e.isFolder ? e.path : parentOf(e.path));
    if (e.isFolder) this.#named.add(e.path);
    else this.files.set(e.path, e);
  }

  /** This folder and those that it is in. */
  #addFolders(last: string): void {
    const missing: string[] = [];
    for (let path = last; path !== '' && !this.folders.has(path); path = parentOf(path)) {
      if (this.files.has(path)) throw both(path);
      missing.push(path);
    }
    for (const path of missing.reverse()) this.folders.add(path);
  }
}

/**
 * Puts entries together; names that differ by case only are different, as on Linux.
 * @throws ArchiveRefused when two of them have one path
 */
export const treeOf = async (entries: readonly FoundEntry[], limits: ArchiveLimits): Promise<ArchiveTree> => {
  const [tree, pause] = [new Tree(), slices()];
  let skipped = 0;
  for (const entry of entries) {
    await pause();
    if (isOfFinder(entry.path)) {
      skipped += 1;
      continue;
    }
    tree.add(entry);
    if (tree.files.size + tree.folders.size > limits.entries)
      throw refused(
        `it has more than ${limits.entries.toLocaleString('en')} files and folders`,
        'Leave out what no plugin needs.',
      );
  }
  const [files, folders] = [[...tree.files.values()], [...tree.folders]];
  return { files, folders, skipped, extraFolder: extraFolderOf(files, folders) };
};
