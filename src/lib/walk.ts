import { constants, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codeOf } from './errors.ts';
import type { TarSource } from './tar.ts';

export interface WalkOptions {
  /** False leaves a file, folder or link out, with everything in it. Gets the path below the root. */
  readonly wanted?: (path: string) => boolean;
  /** Files of other accounts are left out; undefined takes all. */
  readonly owner?: number | undefined;
}

/** It went away, or became something else, while it was looked at. */
const gone = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

const unlessGone = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (gone.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

async function* bytesOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(262_144, size - at)), 0);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** One file, as it is now; one that is no file or not of that owner gives nothing. */
async function* fileEntry(at: string, path: string, owner: number | undefined): AsyncGenerator<TarSource> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await unlessGone(() => open(at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return;
  try {
    const { mode, mtimeMs, size, uid, ...stat } = await file.stat();
    if (!(mode & constants.S_IFREG) || stat.nlink === 0 || (owner !== undefined && uid !== owner)) return;
    yield { path, kind: 'file', mode, modified: mtimeMs, size, content: bytesOf(file, size) };
  } finally {
    await file.close();
  }
}

const about = (stat: Stats) => ({ mode: stat.mode, modified: stat.mtimeMs, size: 0 });

async function* folderEntries(
  at: string,
  path: string,
  prefix: string,
  o: WalkOptions,
): AsyncGenerator<TarSource> {
  const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;
  const folder = await unlessGone(() => open(at, O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
  if (!folder) return;
  try {
    // By the open folder, not by its name: whoever owns a folder above could put a link to elsewhere in its place.
    const opened = `/proc/self/fd/${folder.fd}`;
    for (const name of readdirSync(opened).sort()) {
      const below = path === '' ? name : `${path}/${name}`;
      if (o.wanted?.(below) === false) continue;
      yield* entryAt(`${opened}/${name}`, below, prefix, o);
    }
  } finally {
    await folder.close();
  }
}

async function* entryAt(at: string, path: string, prefix: string, o: WalkOptions): AsyncGenerator<TarSource> {
  const stat = await unlessGone(() => lstatSync(at));
  if (!stat) return;
  const named = `${prefix}/${path}`;
  if (stat.isFile()) yield* fileEntry(at, named, o.owner);
  else if (stat.isSymbolicLink()) {
    const target = await unlessGone(() => readlinkSync(at));
    if (target !== undefined) yield { ...about(stat), path: named, kind: 'link', target };
  } else if (stat.isDirectory()) {
    yield { ...about(stat), path: named, kind: 'folder' };
    yield* folderEntries(at, path, prefix, o);
  }
}

/**
 * Everything below a folder, folders before what is in them, while others may write there. Links are taken as links
 * and never followed; sockets and pipes are left out. A folder that is not there gives nothing.
 * @param prefix the name of the folder in the archive
 */
export async function* walk(root: string, prefix: string, o: WalkOptions = {}): AsyncGenerator<TarSource> {
  const stat = await unlessGone(() => lstatSync(root));
  if (!stat?.isDirectory()) return;
  yield { ...about(stat), path: prefix, kind: 'folder' };
  yield* folderEntries(root, '', prefix, o);
}

/** One file under a name of its own; nothing when it is not there. */
export const oneFile = (file: string, name: string): AsyncGenerator<TarSource> =>
  fileEntry(file, name, undefined);
