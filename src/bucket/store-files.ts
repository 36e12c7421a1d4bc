import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { noSuchBucket } from '../contract/s3-errors.ts';
import { codeOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomId } from '../lib/ids.ts';
import { syncFolder } from '../lib/sync-folder.ts';

/** A file with the bytes of one version or part, and what tells it from a changed one. */
export interface StoredFile {
  readonly file: string;
  readonly stamp: string;
}

/** Begins the name of a folder on its way out; no bucket is called so. */
const goneFolder = '.gone-';

/** Changes when somebody writes into the file; linking it elsewhere does not change it. */
const stampOf = (facts: { readonly size: bigint; readonly mtimeNs: bigint }): string =>
  `${facts.size}-${facts.mtimeNs}`;

/**
 * The bytes of every version and part, in files that nobody else writes: `v/ab/abcdef…` in a folder for each bucket,
 * mode 0700. A version that refers to one is written down when the file is whole and on the disk.
 */
export class StoreFiles {
  readonly #root: string;
  /** Folders that are there, or are being made. */
  readonly #made = new Map<string, Promise<void>>();
  /** Folders whose entries this server has put onto the disk. */
  readonly #synced = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Where a file of that name is. */
  path(bucket: string, file: string): string {
    return join(this.#root, bucket, 'v', file.slice(0, 2), file);
  }

  /** Whoever comes meanwhile waits until it is on the disk as well. */
  #makeFolder(folder: string): Promise<void> {
    const making = this.#made.get(folder) ?? this.#makeAndSync(folder);
    this.#made.set(folder, making);
    making.catch(() => this.#made.delete(folder));
    return making;
  }

  /** Those above are synced where something was made in them, and once in any case: a killed server may not have done it. */
  async #makeAndSync(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    for (let above = dirname(folder); above.startsWith(this.#root); above = dirname(above)) {
      const isNew = first !== undefined && (above === dirname(first) || above.startsWith(first));
      if (isNew || !this.#synced.has(above)) await syncFolder(above);
      this.#synced.add(above);
    }
  }

  /** Folders may be gone. */
  #forget(): void {
    this.#made.clear();
    this.#synced.clear();
  }

  /**
   * Gives `write` a path to fill and to put onto the disk; that the file is there is put onto the disk here. Nobody knows
   * its name before that, so it has its place from the beginning. What fails leaves nothing; what a killed server leaves
   * no version refers to.
   * @throws NoSuchBucket when the bucket was removed meanwhile
   */
  async keep<T>(
    bucket: string,
    write: (path: string) => Promise<T>,
  ): Promise<StoredFile & { readonly result: T }> {
    const file = randomId(32);
    const place = this.path(bucket, file);
    const folder = dirname(place);
    try {
      await this.#makeFolder(folder);
      const result = await write(place);
      failpoint('store:written');
      await syncFolder(folder);
      failpoint('store:kept');
      return { file, stamp: stampOf(await stat(place, { bigint: true })), result };
    } catch (error) {
      await rm(place, { force: true });
      // one of the same name may have been made since
      const isLost = codeOf(error) === 'ENOENT' && this.#isOf(bucket, (error as { path?: string }).path);
      if (!isLost && (await this.#isThere(folder))) throw error;
      this.#forget();
      throw noSuchBucket(bucket);
    }
  }

  #isOf(bucket: string, path = ''): boolean {
    return path === join(this.#root, bucket) || path.startsWith(join(this.#root, bucket, '/'));
  }

  async #isThere(folder: string): Promise<boolean> {
    return (await stat(folder).catch(() => undefined)) !== undefined;
  }

  /** What tells the file now from a changed one; undefined when it is gone. */
  async stamp(bucket: string, file: string): Promise<string | undefined> {
    const facts = await stat(this.path(bucket, file), { bigint: true }).catch(() => undefined);
    return facts && stampOf(facts);
  }

  /** Opens it for reading; undefined when it is gone, or somebody has written into it. */
  async open(bucket: string, { file, stamp }: StoredFile): Promise<FileHandle | undefined> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const handle = await open(this.path(bucket, file), flags).catch(() => undefined);
    if (handle === undefined) return undefined;
    if (stampOf(await handle.stat({ bigint: true })) === stamp) return handle;
    await handle.close();
    return undefined;
  }

  async remove(bucket: string, files: readonly (string | undefined)[]): Promise<void> {
    for (const file of files)
      if (file !== undefined)
        await unlink(this.path(bucket, file)).catch((error: unknown) => {
          if (codeOf(error) !== 'ENOENT') throw error;
        });
  }

  /** Moved away first: a bucket of the same name may be made at once. */
  async removeBucket(bucket: string): Promise<void> {
    const away = join(this.#root, `${goneFolder}${randomId(12)}`);
    await rename(join(this.#root, bucket), away).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    this.#forget();
    await rm(away, { recursive: true, force: true });
  }

  /** Folders of buckets that are gone; bytes that lie in one, for whatever reason, stay. */
  async removeEmptyBut(buckets: ReadonlySet<string>): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    for (const bucket of names.filter((name) => !buckets.has(name))) {
      const folder = join(this.#root, bucket);
      const parts = await readdir(join(folder, 'v')).catch(() => []);
      for (const below of [...parts.map((part) => `v/${part}`), 'v', ''])
        await rmdir(join(folder, below)).catch(() => {});
    }
  }

  /** Folders of buckets whose removal was killed. */
  async removeGone(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => []))
      if (name.startsWith(goneFolder)) await rm(join(this.#root, name), { recursive: true, force: true });
    this.#forget();
  }

  /** Names of the files of a bucket, some at a time. */
  async *files(bucket: string): AsyncGenerator<readonly string[]> {
    const folder = join(this.#root, bucket, 'v');
    for (const part of await readdir(folder).catch(() => [])) yield await readdir(join(folder, part));
  }
}
