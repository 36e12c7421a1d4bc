// What the tests took, by file: written by each run, one record a file of tests, so that runs beside each other lose
// nothing. Run as a program, it writes the first guess anew that a fresh clone begins with.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const guessFile = join(root, 'tools', 'first-durations.json');

/** A test or a hook by its full name. */
export interface Part {
  readonly name: string;
  readonly seconds: number;
}

/** What one file of tests took the last time. */
export interface FileDurations {
  /** Below the checkout: `test/wire/wire.test.ts`. */
  readonly file: string;
  readonly seconds: number;
  /** The slowest ones. */
  readonly hooks: readonly Part[];
  readonly tests: readonly Part[];
}

/** So many hooks and tests of a file are kept. */
const mostParts = 20;
/** Seconds below which the first guess says nothing of a file. */
const leastGuess = 1;

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;

/** The slowest parts, the slowest first. */
export const slowest = <T extends Part>(parts: readonly T[], count: number): readonly T[] =>
  [...parts].sort((a, b) => b.seconds - a.seconds).slice(0, count);

const kept = (parts: readonly Part[]): readonly Part[] =>
  slowest(parts, mostParts).map(({ name, seconds }) => ({ name, seconds: rounded(seconds) }));

/** The full run has its own records: it does more in some of the same files. */
const folderOf = (isFull: boolean): string => join(root, '.cache', isFull ? 'durations-full' : 'durations');

const fileOf = (folder: string, file: string): string => join(folder, `${encodeURIComponent(file)}.json`);

/** Puts the record of a file of tests in the place of the one before. */
export const writeDurations = (d: FileDurations, isFull: boolean): void => {
  const folder = folderOf(isFull);
  mkdirSync(folder, { recursive: true });
  const target = fileOf(folder, d.file);
  const temporary = `${target}.${process.pid}.tmp`;
  const record = { ...d, seconds: rounded(d.seconds), hooks: kept(d.hooks), tests: kept(d.tests) };
  writeFileSync(temporary, `${JSON.stringify(record)}\n`);
  renameSync(temporary, target);
};

const parsed = (file: string): FileDurations | undefined => {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as FileDurations;
    return typeof record.file === 'string' && Number.isFinite(record.seconds) ? record : undefined;
  } catch {
    return undefined;
  }
};

const isGone = (record: FileDurations | undefined): boolean =>
  record === undefined || !existsSync(join(root, record.file));

/** The records; those of files that are gone are removed. */
export const readDurations = (isFull: boolean): readonly FileDurations[] => {
  const folder = folderOf(isFull);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return names.flatMap((name) => {
    const record = parsed(join(folder, name));
    if (record && !isGone(record)) return [record];
    rmSync(join(folder, name), { force: true });
    return [];
  });
};

/** Seconds by file, for a checkout without records. */
export const firstGuess = (): Readonly<Record<string, number>> =>
  JSON.parse(readFileSync(guessFile, 'utf8')) as Record<string, number>;

/** Seconds that a file of tests will probably take, as far as anything is known of it. */
export const expectedSeconds = (isFull: boolean): ReadonlyMap<string, number> =>
  new Map([
    ...Object.entries(firstGuess()),
    ...readDurations(isFull).map(({ file, seconds }) => [file, seconds] as const),
  ]);

const writeFirstGuess = (): void => {
  // what only the full run has is known from there
  const records = [...readDurations(true), ...readDurations(false)];
  const seconds = new Map(records.map((record) => [record.file, Math.round(record.seconds)]));
  const long = [...seconds]
    .filter(([, s]) => s >= leastGuess)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  writeFileSync(guessFile, `${JSON.stringify(Object.fromEntries(long), null, 2)}\n`);
  console.log(`${long.length} files of tests in ${guessFile}`);
};

if (import.meta.main) writeFirstGuess();
