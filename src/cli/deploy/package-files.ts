import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError, exitCodes } from '../errors.ts';
import { measured } from './files.ts';
import { zipFolder } from './zip-folder.ts';

export type PackageKind = 'requirements' | 'plugins';

/** A requirements.txt or a plugins.zip, as it is to be in the bucket. */
export interface PackageFile {
  readonly kind: PackageKind;
  readonly file: string;
  readonly size: number;
  /** In hex, as `md5`, too. */
  readonly sha256: string;
  readonly md5: string;
  /** How many files were zipped; undefined for a file that is uploaded as it is. */
  readonly files: number | undefined;
}

/** What the command line names. */
export interface GivenPackages {
  readonly requirements?: string;
  readonly plugins?: string;
}

const wrong = (what: string, todo: string): CliError =>
  new CliError(what, { todo, exitCode: exitCodes.usage });

/** Bytes of an archive's last record with the longest comment (APPNOTE.TXT 4.3.16), and how the record begins. */
const [longestEnd, endSignature] = [22 + 65_535, Buffer.from('PK\x05\x06')];

/** True when a file ends as a zip archive does. What is in it is for the server to check. */
const isZip = async (file: string): Promise<boolean> => {
  const { size } = statSync(file);
  const handle = await open(file);
  try {
    const tail = Buffer.alloc(Math.min(size, longestEnd));
    const { bytesRead } = await handle.read(tail, 0, tail.length, size - tail.length);
    return tail.subarray(0, bytesRead).includes(endSignature);
  } finally {
    await handle.close();
  }
};

const advice: Readonly<Record<PackageKind, string>> = {
  requirements: 'Name a requirements.txt: --requirements FILE',
  plugins: 'Name a zip archive, or the folder to be zipped: --plugins FILE or --plugins DIR',
};

/** @throws CliError when it cannot be such a file */
const check = async (kind: PackageKind, file: string): Promise<void> => {
  if (!statSync(file).isFile()) throw wrong(`${file} is no file.`, advice[kind]);
  if (statSync(file).size === 0)
    throw wrong(
      `${file} is empty.`,
      kind === 'plugins' ? advice[kind] : 'If no package is wanted, let it have a comment, like "# none".',
    );
  const zip = await isZip(file);
  if (kind === 'plugins' && !zip) throw wrong(`${file} is no zip archive, or it is cut off.`, advice[kind]);
  if (kind === 'requirements' && zip) throw wrong(`${file} is a zip archive.`, advice[kind]);
};

const read = async (
  kind: PackageKind,
  given: string,
  aside: string,
  signal: AbortSignal,
): Promise<PackageFile> => {
  const from = resolve(given);
  if (!existsSync(from)) throw wrong(`There is no file ${from}.`, advice[kind]);
  const zips = kind === 'plugins' && statSync(from).isDirectory();
  const file = zips ? join(aside, 'plugins.zip') : from;
  const files = zips ? await zipFolder(from, file, signal) : undefined;
  if (!zips) await check(kind, file);
  return { kind, file, files, ...(await measured(file)) };
};

/**
 * Checks and measures what is given, zips a folder aside, and removes that again when `use` has ended.
 * @throws CliError when something is no such file
 */
export const withPackageFiles = async <T>(
  given: GivenPackages,
  signal: AbortSignal,
  use: (files: readonly PackageFile[]) => Promise<T>,
): Promise<T> => {
  const aside = mkdtempSync(join(tmpdir(), 'windsock-plugins-'));
  try {
    const files: PackageFile[] = [];
    for (const kind of ['requirements', 'plugins'] as const) {
      const path = given[kind];
      if (path !== undefined) files.push(await read(kind, path, aside, signal));
    }
    return await use(files);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
};
