import type { FileHandle } from 'node:fs/promises';
import { readEnd } from './archive-end.ts';
import { readEntries } from './archive-entry.ts';
import { withArchive } from './archive-file.ts';
import { findEntries } from './archive-layout.ts';
import { type ArchiveLimits, archiveLimits } from './archive-limits.ts';
import { treeOf } from './archive-tree.ts';
import { writeTree } from './archive-write.ts';

export interface UnpackOptions {
  /** A path, or an open file, which stays open. Nobody may write to it meanwhile. */
  readonly file: string | FileHandle;
  /** The folder to make; it must not be there, and nobody else may write where it is. */
  readonly to: string;
  /** What is not given is as in `archiveLimits`. */
  readonly limits?: Partial<ArchiveLimits>;
  readonly signal: AbortSignal;
}

export interface Unpacked {
  /** Files that were written. */
  readonly files: number;
  /** Bytes in them. */
  readonly bytes: number;
  /** Entries that were left out: `__MACOSX/` and `.DS_Store`. */
  readonly skipped: number;
  /**
   * The name of the only folder at the root, where somebody seems to have packed the folder of the plugins and not what
   * is in it; nothing is changed. It has no control characters, and may have any others.
   */
  readonly extraFolder: string | undefined;
}

/**
 * Unpacks a zip archive that anybody may have made into a new folder, or refuses it as a whole: then, and after every other
 * error, nothing is left of the folder. Nothing is written before everything that the archive says of itself was read
 * and agrees with itself. A process that is killed leaves a part, which only its own account can open.
 * @throws ArchiveRefused, system errors (EEXIST when the folder is there), the reason of an abort
 */
export const unpackArchive = async (o: UnpackOptions): Promise<Unpacked> => {
  const limits = { ...archiveLimits, ...o.limits };
  return withArchive(o.file, o.signal, async (file) => {
    const end = await readEnd(file, limits);
    const entries = await readEntries(file, end, limits);
    const tree = await treeOf(await findEntries(file, entries, end.at), limits);
    await writeTree(file, tree, o.to, o.signal);
    return {
      files: tree.files.length,
      bytes: tree.files.reduce((all, { size }) => all + size, 0),
      skipped: tree.skipped,
      extraFolder: tree.extraFolder,
    };
  });
};
