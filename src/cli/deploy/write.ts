import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryPrefix } from '../../lib/deploy-rules.ts';
import { sha256Of } from './files.ts';

/**
 * Copies one file aside and renames it into place: whoever looks sees the old one or the new one. False, and nothing is
 * done, when its bytes are not those of `sha256`: it is being written.
 */
export const putFile = async (from: string, to: string, path: string, sha256: string): Promise<boolean> => {
  const folder = dirname(join(to, path));
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${temporaryPrefix}${randomBytes(6).toString('hex')}`);
  try {
    await copyFile(join(from, path), temporary);
    if ((await sha256Of(temporary)) !== sha256) {
      await rm(temporary);
      return false;
    }
    await chmod(temporary, 0o644);
    const file = await open(temporary, 'r');
    await file.sync().finally(() => file.close());
    await rename(temporary, join(to, path));
    return true;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

/** Removes a file, and the folders that are empty then. */
export const removeFile = async (to: string, path: string): Promise<void> => {
  await rm(join(to, path), { force: true });
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder))
    await rmdir(join(to, folder)).catch(() => undefined);
};
