import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryPrefix } from '../lib/deploy-rules.ts';
import { longestKey } from '../lib/file-path.ts';
import { inFolder } from '../lib/open-folder.ts';
import { factsOf, isGone, type SeenFile } from './seen-file.ts';

type Entry = readonly [name: string, file: SeenFile | undefined];

/** Folders, with `/` at the end, and regular files. */
const entriesOf = async (root: string, names: readonly string[]): Promise<readonly Entry[]> => {
  const read = async (folder: string): Promise<readonly Entry[]> => {
    const found: Entry[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) found.push([`${entry.name}/`, undefined]);
      else if (entry.isFile())
        found.push([entry.name, await factsOf(join(folder, entry.name)).catch(() => undefined)]);
    return found;
  };
  return inFolder(root, names, { make: false }, read).catch((error: unknown) => {
    if (names.length > 0 && isGone(error)) return [];
    throw error;
  });
};

async function* walk(
  root: string,
  names: readonly string[],
  prefix: string,
): AsyncGenerator<readonly [key: string, file: SeenFile]> {
  for (const [name, file] of await entriesOf(root, names)) {
    if (name.startsWith(temporaryPrefix) || name.includes('\uFFFD')) continue;
    const key = [...names, name].join('/');
    // no key is longer, nor is anything below it
    if (Buffer.byteLength(key) > longestKey) continue;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    if (name.endsWith('/')) yield* walk(root, [...names, name.slice(0, -1)], prefix);
    else if (file !== undefined && key.startsWith(prefix)) yield [key, file];
  }
}

/**
 * Every regular file in the folder of a bucket whose key begins with this prefix; follows no link.
 * @throws RootGone, and what the system says when the folder cannot be read
 */
export const seenFiles = (
  root: string,
  prefix: string,
): AsyncGenerator<readonly [key: string, file: SeenFile]> =>
  walk(root, prefix.split('/').slice(0, -1), prefix);
