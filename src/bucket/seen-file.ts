import type { BigIntStats } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { codeOf } from '../lib/errors.ts';

/** A file that people see, as it is now. */
export interface SeenFile {
  /** What tells it from any other, and from itself once it was written to. */
  readonly stamp: string;
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

const gone = ['ENOENT', 'ENOTDIR', 'ELOOP'];
/** Nothing is there, or nothing that a path through it leads to. */
export const isGone = (error: unknown): boolean => gone.includes(codeOf(error) ?? '');

/** What was found of a file, by name or open; undefined when it is no regular file. */
export const seenFrom = (s: BigIntStats): SeenFile | undefined =>
  s.isFile()
    ? { stamp: `${s.size}-${s.mtimeNs}-${s.ino}`, size: Number(s.size), modified: Number(s.mtimeMs) }
    : undefined;

/** Undefined when it is no regular file; a link is none. */
export const factsOf = async (path: string): Promise<SeenFile | undefined> =>
  seenFrom(await lstat(path, { bigint: true }));

/** What people saw under a key when it was looked at: no file where there is no stamp. Undefined: whatever it was. */
export type Settled = { readonly stamp: string | undefined } | undefined;

/** True when people have put another file there since. */
export const isOther = async (path: string, settled: Settled): Promise<boolean> => {
  if (settled === undefined) return false;
  const facts = await factsOf(path).catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw error;
  });
  return facts !== undefined && facts.stamp !== settled.stamp;
};

/** False when it stays, as it is another one than the one that was looked at. Throws ENOENT where there is none. */
export const removeFile = async (path: string, settled: Settled): Promise<boolean> => {
  if (await isOther(path, settled)) return false;
  if ((await factsOf(path)) !== undefined) await rm(path);
  return true;
};
