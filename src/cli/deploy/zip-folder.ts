import { closeSync, openSync, writeSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Zip, ZipDeflate } from 'fflate';
import { ignoreFile } from '../../lib/deploy-rules.ts';
import { CliError, exitCodes } from '../errors.ts';
import { findFiles, rulesOf } from './files.ts';

/** What an archive has room for without zip64. */
const mostFiles = 65_535;

/** Local time, as zip has it: the same bytes in every zone. */
const zipTime = new Date(1980, 0, 1);

const wrong = (what: string, todo: string): CliError =>
  new CliError(what, { todo, exitCode: exitCodes.usage });

/** Every file that belongs into the archive. @throws CliError when something else is there, or nothing */
const filesOf = async (folder: string, signal: AbortSignal): Promise<readonly string[]> => {
  const staysBehind = await rulesOf(folder);
  const o = { staysBehind, signal, links: false, describe: async () => '' };
  const { files, leftOut } = await findFiles(folder, o);
  const [other] = leftOut;
  if (other !== undefined) {
    const isLink = (await lstat(join(folder, other))).isSymbolicLink();
    throw wrong(
      `${join(folder, other)} is ${isLink ? 'a link' : 'no file'}, and an archive of plugins has files only.`,
      `Put a file there instead, or name it in ${join(folder, ignoreFile)}.`,
    );
  }
  if (files.size === 0)
    throw wrong(`There is no file to zip in ${folder}.`, 'Name the folder that has the plugins in it.');
  if (files.size > mostFiles)
    throw wrong(
      `${folder} has ${files.size} files; an archive of plugins has at most ${mostFiles}.`,
      `Name what no plugin needs in ${join(folder, ignoreFile)}.`,
    );
  return [...files.keys()].sort();
};

/**
 * Zips what is in a folder, without what its rules name: the same files give the same bytes, wherever and whenever. Gives
 * the number of files.
 * @throws CliError when there is a link in it, or nothing
 */
export const zipFolder = async (folder: string, to: string, signal: AbortSignal): Promise<number> => {
  const paths = await filesOf(folder, signal);
  const out = openSync(to, 'wx', 0o600);
  try {
    const zip = new Zip((error, chunk) => {
      if (error) throw error;
      writeSync(out, chunk);
    });
    for (const path of paths) {
      signal.throwIfAborted();
      const entry = new ZipDeflate(path, { level: 6 });
      // a plain file of Unix that everybody may read
      Object.assign(entry, { mtime: zipTime, os: 3, attrs: 0o100644 * 0x1_0000 });
      zip.add(entry);
      entry.push(await readFile(join(folder, path)), true);
    }
    zip.end();
  } finally {
    closeSync(out);
  }
  return paths.length;
};
