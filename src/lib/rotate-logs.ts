import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, textOf } from './errors.ts';
import type { Log } from './log.ts';

export interface RotationLimits {
  /** A log of more bytes is rotated. */
  readonly largest: number;
  /** Of a log of more bytes only the end is kept, so that a flood is not copied. */
  readonly flood: number;
  /** How many older files stay: `x.log.1` is the youngest. */
  readonly kept: number;
}

const usual: RotationLimits = { largest: 10 * 1024 ** 2, flood: 100 * 1024 ** 2, kept: 3 };
const chunk = 1024 ** 2;
/** Read and written without a pause between, right before the log is emptied. */
const mostAtOnce = 4 * chunk;

const writeWhole = async (target: FileHandle, bytes: Buffer): Promise<void> => {
  for (let at = 0; at < bytes.length; ) at += (await target.write(bytes, at)).bytesWritten;
};

/** Copies from a position to the end, at most `most` bytes, while others write; gives where it stopped. */
const copyFrom = async (
  source: FileHandle,
  target: FileHandle,
  from: number,
  most: number,
): Promise<number> => {
  const buffer = Buffer.alloc(chunk);
  let at = from;
  while (at - from < most) {
    const { bytesRead } = await source.read(buffer, 0, chunk, at);
    if (bytesRead === 0) break;
    const bytes = buffer.subarray(0, bytesRead);
    // the middle of a line is no beginning
    const cut = at === from && from > 0 ? bytes.indexOf(10) + 1 : 0;
    await writeWhole(target, bytes.subarray(cut));
    at += bytesRead;
  }
  return at;
};

/** What was written since. */
const takeRest = (source: FileHandle, target: FileHandle, from: number): void => {
  const rest = Buffer.alloc(Math.min(Math.max(0, fstatSync(source.fd).size - from), mostAtOnce));
  const count = readSync(source.fd, rest, 0, rest.length, from);
  for (let at = 0; at < count; ) at += writeSync(target.fd, rest, at, count - at);
};

const shift = async (file: string, kept: number): Promise<void> => {
  for (let number = kept - 1; number >= 1; number -= 1)
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
};

/**
 * Copies a log aside and empties it; its writers keep their open file, which they opened to append. Only a whole
 * copy, safe on the disk, gets its name; the log is emptied after that. Killed in between, lines are there twice.
 */
const rotate = async (file: string, limits: RotationLimits): Promise<void> => {
  const temporary = `${file}.1.tmp`;
  const source = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size, mode } = await source.stat();
    const target = await open(temporary, 'w', mode & 0o777);
    try {
      const from = size > limits.flood ? size - limits.largest : 0;
      const at = await copyFrom(source, target, from, limits.flood);
      await target.sync();
      await shift(file, limits.kept);
      await rename(temporary, `${file}.1`);
      takeRest(source, target, at);
      // Nothing of this process runs between; to give back a flood takes too long for that.
      if (size > limits.flood) await source.truncate(0);
      else ftruncateSync(source.fd, 0);
    } finally {
      await target.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await source.close();
  }
};

const logsIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.log')).map((name) => join(folder, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
};

const sizeOf = async (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/**
 * Rotates, by copy and truncate, every `*.log` that grew too large. One at a time; call it again and again, never
 * twice at once. Never throws: what cannot be rotated (a full disk) is told once and tried again at the next call.
 */
export class LogRotation {
  readonly #folders: () => Promise<readonly string[]>;
  readonly #log: Log;
  readonly #limits: RotationLimits;
  readonly #failing = new Set<string>();

  constructor(o: { folders: () => Promise<readonly string[]>; log: Log; limits?: RotationLimits }) {
    this.#folders = o.folders;
    this.#log = o.log;
    this.#limits = o.limits ?? usual;
  }

  async rotate(): Promise<void> {
    for (const folder of await this.#folders().catch(() => [])) await this.#rotateIn(folder);
  }

  async #rotateIn(folder: string): Promise<void> {
    await this.#watched(folder, async () => {
      for (const file of await logsIn(folder))
        if ((await sizeOf(file)) > this.#limits.largest)
          await this.#watched(file, () => rotate(file, this.#limits));
    });
  }

  async #watched(file: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failing.delete(file);
    } catch (error) {
      if (!this.#failing.has(file)) this.#log.warn('log not rotated', { file, reason: textOf(error) });
      this.#failing.add(file);
    }
  }
}
