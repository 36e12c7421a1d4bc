import { type BigIntStats, readFileSync, statSync } from 'node:fs';

/** Milliseconds within which a file may change twice without another time: the clock of a file system has steps. */
const stepOfClock = 1_000n;

/** Renaming another file over it changes the number, writing into it the times (inode(7)). */
const versionOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/**
 * What a file says, read anew only when the file has changed: for files that are asked for with every request and
 * change seldom. A file that changed just now is read each time.
 * @throws what the system says when it cannot be read
 */
export const rememberedFile = <T>(
  file: string,
  parse: (text: string) => T,
  now: () => number = Date.now,
): (() => T) => {
  let known: { readonly version: string; readonly value: T } | undefined;
  return () => {
    const stat = statSync(file, { bigint: true });
    const version = versionOf(stat);
    if (known?.version === version) return known.value;
    const value = parse(readFileSync(file, 'utf8'));
    const isSettled = BigInt(Math.floor(now())) - stat.ctimeMs > stepOfClock;
    known = isSettled ? { version, value } : undefined;
    return value;
  };
};
