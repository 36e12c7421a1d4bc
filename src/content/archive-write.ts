import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { codeOf } from '../lib/errors.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import type { ArchiveFile } from './archive-file.ts';
import type { FoundEntry } from './archive-layout.ts';
import { entryRefused } from './archive-refused.ts';
import type { ArchiveTree } from './archive-tree.ts';

/** Files that are written at once: their fsyncs go to the disk together, and a thread of Node's four stays free for others. */
const atOnce = 3;

const damaged = (e: FoundEntry, cause?: unknown): Error =>
  entryRefused(e.path, 'is damaged', 'Upload the archive again, or make it again.', cause);

/** Counts and checks the bytes on their way. */
const writer = (handle: FileHandle, e: FoundEntry) => {
  let [size, crc] = [0, 0];
  return {
    take: async (bytes: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of bytes) {
        size += chunk.length;
        if (size > e.size) throw entryRefused(e.path, 'is larger than the archive says');
        crc = crc32(chunk, crc);
        await handle.writeFile(chunk);
      }
    },
    check: (): void => {
      if (size !== e.size) throw entryRefused(e.path, 'is smaller than the archive says');
      if (crc !== e.crc) throw damaged(e);
    },
  };
};

const inflate = async (
  file: ArchiveFile,
  e: FoundEntry,
  take: (bytes: AsyncIterable<Buffer>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const inflater = createInflateRaw();
  try {
    await pipeline(file.chunks(e.dataAt, e.packed), inflater, take, { signal });
  } catch (error) {
    signal.throwIfAborted();
    // so older versions of Node end a pipeline when there are bytes after the end of what was packed
    if (codeOf(error)?.startsWith('Z_') || codeOf(error) === 'ABORT_ERR') throw damaged(e, error);
    throw error;
  }
  if (inflater.bytesWritten !== e.packed) throw entryRefused(e.path, 'has hidden bytes behind it');
};

/** What was made so far, in that order. */
interface Made {
  readonly files: string[];
  readonly folders: string[];
}

const twice = (path: string) => (error: unknown) => {
  // a file system that does not tell case or Unicode forms apart
  if (codeOf(error) === 'EEXIST')
    throw entryRefused(path, 'has a name that another has on this disk', 'Rename it.', error);
  throw error;
};

const writeFile = async (
  file: ArchiveFile,
  e: FoundEntry,
  to: string,
  made: Made,
  signal: AbortSignal,
): Promise<void> => {
  const path = join(to, e.path);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch(twice(e.path));
  made.files.push(path);
  try {
    const { take, check } = writer(handle, e);
    if (e.isDeflated && e.packed > 0) await inflate(file, e, take, signal);
    else await take(file.chunks(e.dataAt, e.packed));
    check();
    await handle.chmod(0o644);
    await handle.utimes(e.modified / 1000, e.modified / 1000);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Removes it, a few at a time: to remove a whole folder at once would hold everybody else. */
const remove = async (made: Made): Promise<void> => {
  await inParallel(made.files, atOnce, (path) => rm(path, { force: true }));
  for (const path of made.folders.toReversed()) await rmdir(path);
};

/**
 * Makes the folder with everything in it, files 0644 and folders 0755 whatever the archive says; it is closed to others
 * until it is whole. Each file is synced before it is closed, three at once, so that the disk takes them together; then
 * every folder. A rename of the whole is safe afterwards. After an error nothing is left.
 * @throws ArchiveRefused when the bytes are not what the archive says, EEXIST when the folder is there
 */
export const writeTree = async (
  file: ArchiveFile,
  tree: ArchiveTree,
  to: string,
  signal: AbortSignal,
): Promise<void> => {
  await mkdir(to, 0o700);
  const made: Made = { files: [], folders: [to] };
  try {
    for (const path of tree.folders) {
      signal.throwIfAborted();
      await mkdir(join(to, path)).catch(twice(path));
      made.folders.push(join(to, path));
      await chmod(join(to, path), 0o755);
    }
    await inParallel(tree.files, atOnce, (e) => writeFile(file, e, to, made, signal));
    await inParallel(made.folders.toReversed(), atOnce, async (path) => {
      signal.throwIfAborted();
      if (path === to) await chmod(to, 0o755);
      await syncFolder(path);
    });
  } catch (error) {
    await remove(made);
    throw error;
  }
};
