import { constants } from 'node:fs';
import { type FileHandle, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { limits } from '../../content/requirements/decode.ts';
import { codeOf } from '../../lib/errors.ts';
import { inFolder } from '../../lib/open-folder.ts';

/** A file, or a folder, among an environment's DAGs or plugins: people named it in a text. */
export interface TheirFile {
  readonly root: string;
  /** The names of the folders below the root, and its own. */
  readonly names: readonly string[];
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Nothing is there, or what is there is no file; a link is none. */
const noFile = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'];

/** Works on the open file; undefined when there is none. */
const withFile = async <T>(
  { root, names }: TheirFile,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T | undefined> => {
  try {
    return await inFolder(root, names.slice(0, -1), { make: false }, async (folder) => {
      const handle = await open(join(folder, names.at(-1) ?? ''), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        return (await handle.stat()).isFile() ? await work(handle) : undefined;
      } finally {
        await handle.close();
      }
    });
  } catch (error) {
    if (noFile.includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

/** Its bytes, and of a file that is too long to be a requirements.txt one more than that may have. */
export const readTheirFile = (file: TheirFile): Promise<Uint8Array | undefined> =>
  withFile(file, async (handle) => {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, limits.bytes + 1));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  });

/**
 * Copies it to where everybody can read it, and gives its size in bytes. Nothing is done where there is none, or where it
 * has more bytes than `most`.
 */
export const copyTheirFile = async (
  file: TheirFile,
  to: string,
  most = Number.POSITIVE_INFINITY,
): Promise<number> => {
  const copied = await withFile(file, async (handle) => {
    const { size } = await handle.stat();
    if (size === 0 || size > most) return size;
    const copy = await open(to, 'w', 0o644);
    const bytes = handle.createReadStream({ autoClose: false, start: 0, end: size - 1 });
    await pipeline(bytes, copy.createWriteStream());
    return size;
  });
  return copied ?? 0;
};

/** More than this in one folder is not looked at. */
const mostEntries = 10_000;

/** Names of the wheels in a folder; none where there is no such folder. */
export const theirWheels = ({ root, names }: TheirFile): Promise<readonly string[]> =>
  inFolder(root, names, { make: false }, async (folder) => {
    const found: string[] = [];
    let seen = 0;
    for await (const { name } of await opendir(folder)) {
      seen += 1;
      if (seen > mostEntries) break;
      if (name.endsWith('.whl')) found.push(name);
    }
    return found.sort();
  }).catch((error: unknown) => {
    if (noFile.includes(codeOf(error) ?? '')) return [];
    throw error;
  });
