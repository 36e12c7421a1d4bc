import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

const syncFolder = (folder: string): void => {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

/** Of the names in its folder, those that writers of this file that were killed left beside it. */
const unfinished = (file: string, names: readonly string[]): readonly string[] => {
  const start = `${basename(file)}.`;
  return names
    .filter((name) => {
      const pid = name.startsWith(start) ? /^(\d+)\.tmp$/.exec(name.slice(start.length))?.[1] : undefined;
      return pid !== undefined && !isAlive(Number(pid));
    })
    .map((name) => join(dirname(file), name));
};

const temporaryOf = (file: string): string => `${file}.${process.pid}.tmp`;

/** The SELinux label and extended attributes, where cp(1) can; mode and owner are set already. */
const copyAttributes = (from: string, to: string): void => {
  try {
    execFileSync('cp', ['--attributes-only', '--preserve=context,xattr', '--', from, to], {
      stdio: 'ignore',
      timeout: 10_000,
    });
  } catch {
    // a cp without these options, or a file system without attributes
  }
};

/**
 * Writes a whole file or nothing: a temporary file beside it, fsync, rename, fsync of the folder. What a writer that
 * was killed before its rename has left is removed by the next one.
 */
export const writeFileAtomic = (
  file: string,
  data: string | Uint8Array,
  options: {
    readonly mode: number;
    readonly owner?: FileOwner | undefined;
    /** A file whose further attributes the new one is to have. */
    readonly attributesOf?: string;
  },
): void => {
  const temporary = temporaryOf(file);
  try {
    for (const left of unfinished(file, readdirSync(dirname(file)))) rmSync(left, { force: true });
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      if (options.owner) fchownSync(fd, options.owner.uid, options.owner.gid);
      fchmodSync(fd, options.mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (options.attributesOf !== undefined) copyAttributes(options.attributesOf, temporary);
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
};

/** Gives what is open to `work`, and closes it. */
const withOpen = async (
  path: string,
  flags: string,
  work: (handle: FileHandle) => Promise<void>,
): Promise<void> => {
  const handle = await open(path, flags, 0o600);
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
};

/**
 * Like `writeFileAtomic`, without holding the event loop while the disk works. One write of a file at a time: the next
 * begins after the promise of the one before.
 */
export const writeFileAtomicAsync = async (
  file: string,
  data: string,
  { mode }: { readonly mode: number },
): Promise<void> => {
  const temporary = temporaryOf(file);
  try {
    for (const left of unfinished(file, await readdir(dirname(file)))) await rm(left, { force: true });
    await rm(temporary, { force: true });
    await withOpen(temporary, 'wx', async (handle) => {
      await handle.writeFile(data);
      await handle.chmod(mode);
      await handle.sync();
    });
    await rename(temporary, file);
    await withOpen(dirname(file), 'r', (handle) => handle.sync());
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};
