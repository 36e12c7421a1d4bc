export interface ArchiveLimits {
  /** Entries of the archive, and files and folders that come of it. At most 65,535. */
  readonly entries: number;
  /** Bytes of the archive itself. */
  readonly packed: number;
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Names in a path: `a/b.py` has two. */
  readonly depth: number;
  /** How many times as large as in the archive something may become, once it has more than `smallBytes`. */
  readonly ratio: number;
  /** Up to so many bytes any ratio is fine: a file of blanks is no bomb. */
  readonly smallBytes: number;
  /** Bytes of the central directory, which is held in memory. */
  readonly directoryBytes: number;
}

const mebibyte = 1_048_576;

export const archiveLimits: ArchiveLimits = {
  entries: 65_535,
  packed: 1024 * mebibyte,
  bytes: 1024 * mebibyte,
  fileBytes: 256 * mebibyte,
  depth: 32,
  ratio: 100,
  smallBytes: mebibyte,
  directoryBytes: 32 * mebibyte,
};

/** A size for people: whole units where it is one. */
export const sizeText = (bytes: number): string => {
  for (const [unit, name] of [
    [1024 * mebibyte, 'GiB'],
    [mebibyte, 'MiB'],
  ] as const)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit} ${name}`;
  return `${bytes.toLocaleString('en')} bytes`;
};
