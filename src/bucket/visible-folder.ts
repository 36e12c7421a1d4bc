import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryPrefix } from '../lib/deploy-rules.ts';
import { codeOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { inFolder } from '../lib/open-folder.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import { isFolderKey, placeFault } from './names.ts';
import { factsOf, isGone, isOther, removeFile, type SeenFile, type Settled } from './seen-file.ts';
import { seenFiles } from './seen-files.ts';
import { type ShownBytes, syncFile, writeShown } from './shown-file.ts';

/** Beside their place until they are whole; other programs that write into the folder have other names. */
const shownPrefix = `${temporaryPrefix}s3-`;

/** How often a file is shown whose folder goes meanwhile. */
const mostTries = 5;

/** Paths of folders that stay when they are empty. */
export type KeptFolders = ReadonlySet<string>;

/** Throws as the system does where there is no such file. */
const checkPath = (key: string): void => {
  const fault = placeFault(key);
  if (fault !== undefined)
    throw Object.assign(new Error(`This key is no file: ${fault}.`), { code: 'ENOENT' });
};

/**
 * The folder of a bucket as people see and edit it: one plain file for each key, nothing of ours. People may put links
 * there: none is followed.
 */
export class VisibleFolder {
  readonly #root: string;

  /** @param root the folder of one bucket, which is there */
  constructor(root: string) {
    this.#root = root;
  }

  /** Works on `path`, which is this key's in its folder. */
  async #at<T>(key: string, make: boolean, work: (path: string, folder: string) => Promise<T>): Promise<T> {
    checkPath(key);
    const names = key.split('/');
    const name = names.pop() ?? '';
    return inFolder(this.#root, names, { make }, (folder) => work(join(folder, name), folder));
  }

  /** Undefined when there is no regular file. */
  async find(key: string): Promise<SeenFile | undefined> {
    try {
      return await this.#at(key, false, factsOf);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** True where people put something else than a file (or a folder, for its key): a link, a pipe. */
  async isTaken(key: string): Promise<boolean> {
    // it is opened as a folder, which nothing else can be
    const isOther = async (path: string) => !isFolderKey(key) && !(await lstat(path)).isFile();
    try {
      return await this.#at(key, false, isOther);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      if (isGone(error)) return true;
      throw error;
    }
  }

  /** Makes the folder of the bucket itself where nothing is. */
  async makeRoot(): Promise<void> {
    await mkdir(this.#root, { mode: 0o755 }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }

  /** The folder that a key with `/` at its end stands for. */
  async makeFolder(key: string): Promise<void> {
    await this.#at(key, true, async () => {});
  }

  /**
   * Shows the bytes of a stored file under this key, whole, as of `modified` (epoch ms); gives what tells the file.
   * Undefined, and nothing is done, where people have put another file than the one of `settled`.
   */
  async show(key: string, bytes: ShownBytes, settled?: Settled): Promise<string | undefined> {
    for (let tries = 1; ; tries += 1)
      try {
        return await this.#show(key, bytes, settled);
      } catch (error) {
        // whoever removed the last file of its folder removed that, too
        if (codeOf(error) !== 'ENOENT' || tries === mostTries) throw error;
      }
  }

  #show(key: string, bytes: ShownBytes, settled: Settled): Promise<string | undefined> {
    return this.#at(key, true, async (path, folder) => {
      const temporary = join(folder, `${shownPrefix}${randomBytes(6).toString('hex')}`);
      try {
        await writeShown(temporary, bytes);
        const facts = await factsOf(temporary);
        failpoint('visible:written');
        if (await isOther(path, settled)) return undefined;
        await rename(temporary, path);
        failpoint('visible:renamed');
        return facts?.stamp;
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  /**
   * Takes the file away, unless people have put another one than that of `settled`, and the folders that are empty then, as
   * S3 has none; those of `kept` stay. True when nothing is left under the key.
   */
  async hide(key: string, o: { readonly settled?: Settled; readonly kept: KeptFolders }): Promise<boolean> {
    if (placeFault(key) !== undefined) return true;
    const names = key.split('/');
    const file = names.pop() ?? '';
    try {
      const isHidden =
        file === '' ||
        (await inFolder(this.#root, names, { make: false }, (folder) =>
          removeFile(join(folder, file), o.settled),
        ));
      failpoint('visible:hidden');
      if (isHidden) await this.#removeEmpty(names, o.kept);
      return isHidden;
    } catch (error) {
      if (!isGone(error)) throw error;
      return true;
    }
  }

  async #removeEmpty(names: readonly string[], kept: KeptFolders): Promise<void> {
    for (let depth = names.length; depth > 0; depth -= 1) {
      if (kept.has(names.slice(0, depth).join('/'))) return;
      const [above, name] = [names.slice(0, depth - 1), names[depth - 1] ?? ''];
      const remove = (folder: string) => rmdir(join(folder, name));
      const removed = await inFolder(this.#root, above, { make: false }, remove).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  }

  /** Puts the file, and that it is there, onto the disk. */
  async sync(key: string): Promise<void> {
    await this.#at(key, false, async (path, folder) => {
      await syncFile(path);
      await syncFolder(folder);
    }).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }

  /** Puts onto the disk that the file is gone: in the deepest of its folders that is there. */
  async syncHidden(key: string): Promise<void> {
    for (let names = key.split('/').slice(0, -1); ; names = names.slice(0, -1))
      try {
        return await inFolder(this.#root, names, { make: false }, syncFolder);
      } catch (error) {
        if (names.length === 0 || !isGone(error)) throw error;
      }
  }

  /** Removes what a killed server was writing beside the file of this key. */
  async removeTemporaries(key: string): Promise<void> {
    await this.#at(key, false, async (_, folder) => {
      for (const name of await readdir(folder))
        if (name.startsWith(shownPrefix)) await rm(join(folder, name), { force: true });
    }).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }

  /** Gives `work` a path to the bytes of the file that people see, for as long as it runs. */
  with<T>(key: string, work: (path: string) => Promise<T>): Promise<T> {
    return this.#at(key, false, work);
  }

  /** Every regular file whose key begins with this prefix. @throws when the bucket's folder cannot be read */
  walk(prefix: string): AsyncGenerator<readonly [key: string, file: SeenFile]> {
    return seenFiles(this.#root, prefix);
  }
}
