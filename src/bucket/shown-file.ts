import { constants } from 'node:fs';
import { chmod, copyFile, type FileHandle, open, utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { seenFrom } from './seen-file.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL, COPYFILE_FICLONE } = constants;
/** A link must not lead elsewhere, nor a pipe in a file's place hold us. */
const safely = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** The bytes that people are to see. */
export interface ShownBytes {
  readonly stored: string;
  /** Epoch milliseconds. */
  readonly modified: number;
}

/**
 * Makes the file that people are to see, at a path where nothing is: a file of its own, so that nobody who writes into it
 * changes the version, and as old as the object, so that a newer one was written by somebody else.
 */
export const writeShown = async (to: string, { stored, modified }: ShownBytes): Promise<void> => {
  await copyFile(stored, to, COPYFILE_FICLONE);
  await chmod(to, 0o644);
  await utimes(to, modified / 1000, modified / 1000);
};

/** Puts a file onto the disk; what is none is left as it is. */
export const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, safely);
  try {
    if ((await handle.stat()).isFile()) await handle.sync();
  } finally {
    await handle.close();
  }
};

const stampOf = async (handle: FileHandle): Promise<string | undefined> =>
  seenFrom(await handle.stat({ bigint: true }))?.stamp;

/** Copies a file that people have, and puts the copy onto the disk; false when it is not the one of that stamp all the while. */
export const copyTheirs = async (from: string, to: string, stamp: string): Promise<boolean> => {
  const handle = await open(from, safely);
  try {
    if ((await stampOf(handle)) !== stamp) return false;
    const copy = await open(to, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    await pipeline(
      handle.createReadStream({ autoClose: false, start: 0 }),
      copy.createWriteStream({ flush: true }),
    );
    return (await stampOf(handle)) === stamp;
  } finally {
    await handle.close();
  }
};
