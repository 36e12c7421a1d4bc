import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { codeOf, textOf } from './errors.ts';

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;
const flags = O_RDONLY | O_NOFOLLOW | O_DIRECTORY;

/** By the open folder, not by its name: whoever may write above could put a link to elsewhere in its place. */
const within = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

/** Names that lead nowhere else than below the folder; the others are told as if nothing were there. */
const checkName = (name: string): void => {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw Object.assign(new Error(`${JSON.stringify(name)} is no name of a folder`), { code: 'ENOENT' });
};

const openNext = async (folder: FileHandle, name: string, make: boolean): Promise<FileHandle> => {
  if (make)
    await mkdir(within(folder, name), 0o755).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  return open(within(folder, name), flags);
};

/** The root itself is not there, or no folder but a link: nothing is known of what is below it. */
export class RootGone extends Error {}

const openRoot = (root: string): Promise<FileHandle> =>
  open(root, flags).catch((cause: unknown) => {
    throw new RootGone(`${root} cannot be opened: ${textOf(cause)}`, { cause });
  });

/**
 * Opens the folder below `root` that these names lead to, follows no link, nor a root that is one, and gives `work` a path that stays that
 * folder whatever is renamed meanwhile.
 * @throws RootGone, ENOENT for `..` and what else is no name, and what the system says: ENOTDIR where a file or a link is in the way
 */
export const inFolder = async <T>(
  root: string,
  names: readonly string[],
  o: { readonly make: boolean },
  work: (folder: string) => Promise<T>,
): Promise<T> => {
  let folder = await openRoot(root);
  try {
    for (const name of names) {
      checkName(name);
      const next = await openNext(folder, name, o.make);
      await folder.close();
      folder = next;
    }
    return await work(`/proc/self/fd/${folder.fd}`);
  } finally {
    await folder.close();
  }
};
