// Finds programs that measurements need and that are not packages of npm.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const find = (name: string): string | undefined =>
  folders.map((folder) => join(folder, name)).find(isProgram);

/** Where the programs are, or the end of this one with a word on what to install. */
export const needed = <Name extends string>(...names: readonly Name[]): Readonly<Record<Name, string>> => {
  const missing = names.filter((name) => find(name) === undefined);
  if (missing.length > 0) {
    console.error(
      `This measurement needs ${missing.join(' and ')}. On Debian and Ubuntu: apt-get install ${missing.join(' ')}`,
    );
    process.exit(1);
  }
  return Object.fromEntries(names.map((name) => [name, find(name)])) as Record<Name, string>;
};
