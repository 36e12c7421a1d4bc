import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { noSuchBucket, s3Error } from '../contract/s3-errors.ts';
import { codeOf, textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import type { BucketContext } from './context.ts';
import { settleAll } from './hand-edits.ts';
import { canBeBucket, checkBucketName } from './names.ts';
import type { Bucket, Recorder } from './objects.ts';
import type { BucketChange } from './table.ts';

const isFolder = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;

/** One that is there already was left by a try that was cut short. */
const makeFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { mode: 0o755 }).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (!(await isFolder(folder)))
      throw s3Error('OperationAborted', `${folder} is no folder. Take it away, and try again.`);
  });
};

export interface BucketListOptions {
  /** The folder in which each bucket is a folder that people see. */
  readonly buckets: string;
  /** The environments that have their content in this bucket, by name, and the folder in which each looks for its DAGs. */
  readonly usersOf: (bucket: string) => Promise<ReadonlyMap<string, string>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Buckets as a whole. */
export class BucketList {
  readonly #o: BucketListOptions;
  readonly #c: BucketContext;

  constructor(o: BucketListOptions, c: BucketContext) {
    this.#o = o;
    this.#c = c;
  }

  /** Folders that people made are buckets, which keep versions. */
  async #found(name: string): Promise<Bucket | undefined> {
    if (!canBeBucket(name) || !(await isFolder(join(this.#o.buckets, name)))) return undefined;
    const bucket: Bucket = {
      ...{ name, createdAt: this.#o.now(), versioning: 'Enabled' },
      ...{ policy: undefined, publicAccessBlock: undefined },
    };
    await this.#c.table.insertBucket(bucket);
    return this.#c.table.bucket(name);
  }

  async find(name: string): Promise<Bucket | undefined> {
    return (await this.#c.table.bucket(name)) ?? this.#found(name);
  }

  async list(): Promise<readonly Bucket[]> {
    const known = new Set((await this.#c.table.buckets()).map(({ name }) => name));
    for (const name of await readdir(this.#o.buckets)) if (!known.has(name)) await this.#found(name);
    return this.#c.table.buckets();
  }

  /** Makes a bucket that keeps no versions until it is told to, as on AWS. */
  async create(name: string, record: Recorder): Promise<Bucket> {
    checkBucketName(name);
    if ((await this.find(name)) !== undefined)
      throw s3Error(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        {
          members: { BucketName: name },
        },
      );
    const bucket: Bucket = {
      ...{ name, createdAt: this.#o.now(), versioning: 'Unset' },
      ...{ policy: undefined, publicAccessBlock: undefined },
    };
    await this.#c.table.inTransaction(async (tx) => {
      if (!(await this.#c.table.insertBucket(bucket, tx)))
        throw s3Error(
          'OperationAborted',
          'A conflicting conditional operation is currently in progress against this resource. Try again.',
        );
      await record(tx, { versionId: undefined });
      failpoint('bucket:inserted');
      await makeFolder(join(this.#o.buckets, name));
      await syncFolder(this.#o.buckets);
      failpoint('bucket:folder-made');
    });
    failpoint('bucket:made');
    return bucket;
  }

  async remove(name: string, record: Recorder): Promise<void> {
    const bucket = await this.find(name);
    if (bucket === undefined) throw noSuchBucket(name);
    const users = await this.#o.usersOf(name);
    if (users.size > 0)
      throw s3Error(
        'OperationAborted',
        `The bucket ${name} is the content of the environment ${[...users.keys()].join(', ')}. Delete that first.`,
      );
    await settleAll(this.#c, bucket, '');
    const folder = join(this.#o.buckets, name);
    const notEmpty = (why: string) =>
      s3Error('BucketNotEmpty', `The bucket you tried to delete is not empty. ${why}`, {
        members: { BucketName: name },
      });
    await this.#c.table.inTransaction(async (tx) => {
      if (!(await this.#c.table.deleteBucket(name, tx)))
        throw notEmpty('You must delete all versions in the bucket.');
      await record(tx, { versionId: undefined });
      await rmdir(folder).catch((error: unknown) => {
        // gone already, where an earlier try was cut short
        if (codeOf(error) === 'ENOENT') return;
        throw notEmpty(`There are files in its folder that are no objects. (${textOf(error)})`);
      });
      failpoint('bucket:folder-removed');
    });
    failpoint('bucket:removed');
    await this.#c.files.removeBucket(name);
  }

  /** @throws NoSuchBucket */
  async change(name: string, change: BucketChange, record: Recorder): Promise<void> {
    // one that people made is not in the table yet
    await this.find(name);
    await this.#c.table.inTransaction(async (tx) => {
      if (!(await this.#c.table.changeBucket(name, change, tx))) throw noSuchBucket(name);
      await record(tx, { versionId: undefined });
    });
  }
}
