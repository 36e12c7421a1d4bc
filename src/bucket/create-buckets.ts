import { join } from 'node:path';
import { noSuchUpload } from '../contract/s3-errors.ts';
import { KeyLocks } from '../lib/key-locks.ts';
import type { Log } from '../lib/log.ts';
import { SharedWork } from '../lib/shared-work.ts';
import { BucketList, type BucketListOptions } from './bucket-list.ts';
import type { BucketContext } from './context.ts';
import { deleteObject } from './delete-object.ts';
import { listings } from './listings.ts';
import type { Buckets } from './objects.ts';
import { PathsInUse } from './paths-in-use.ts';
import { copyObject, putObject } from './put-object.ts';
import { findVersion, readVersion } from './read-object.ts';
import { recover } from './recover.ts';
import { type RetentionOptions, removeOutdated } from './retention.ts';
import { SeenQueue } from './seen-queue.ts';
import { StoreFiles } from './store-files.ts';
import type { BucketTable } from './table.ts';
import { abortUpload, beginUpload, completeUpload, findUpload, putPart } from './uploads.ts';
import { VisibleFolder } from './visible-folder.ts';

export interface BucketsOptions extends BucketListOptions {
  readonly table: BucketTable;
  /** The folder with the bytes of all versions; ours alone, on the same file system. */
  readonly store: string;
  /** The folder of this machine that is followed in the place of the one in which this key would be, if any. */
  readonly followed: (bucket: string, key: string) => string | undefined;
  readonly log: Log;
}

type Objects = Omit<Buckets, keyof BucketList | 'setVersioning' | 'setPolicy' | 'setPublicAccessBlock'>;

const objectsOf = (c: BucketContext): Objects => ({
  ...listings(c),
  version: (bucket, key, versionId) => findVersion(c, bucket, key, versionId),
  read: (version, range) => readVersion(c, version, range),
  put: (request) => putObject(c, request),
  copy: (request) => copyObject(c, request),
  delete: (o) => deleteObject(c, o),
  setTags: async ({ bucket, key, versionId }, tags, record) => {
    await c.table.inTransaction(async (tx) => {
      const row = await c.table.version(bucket, key, versionId, tx);
      if (row) await c.table.setTags({ ...row, tags }, tx);
      await record(tx, { versionId });
    });
  },
  beginUpload: (o) => beginUpload(c, o),
  upload: (bucket, key, uploadId) => findUpload(c, bucket, key, uploadId),
  putPart: (o) => putPart(c, o),
  complete: (o) => completeUpload(c, o),
  abort: (upload, record) => abortUpload(c, upload, record),
  parts: async ({ bucket, key, uploadId }, { after, most }) => {
    const { completed } = await findUpload(c, bucket, key, uploadId);
    if (completed !== undefined) throw noSuchUpload(uploadId);
    const parts = await c.table.parts(uploadId, after, most + 1);
    return { parts: parts.slice(0, most), isTruncated: parts.length > most };
  },
});

/** The buckets of this installation, and what is to be done beside the calls. */
export interface RunningBuckets extends Buckets {
  /** Puts right what a killed server left; call before the first request. */
  recover(): Promise<void>;
  /** Removes what is kept for so long only. */
  removeOutdated(o: RetentionOptions): Promise<void>;
  /** Writes down what is not yet. */
  close(): Promise<void>;
}

/** Buckets over PostgreSQL and two folders: what people see, and the bytes of all versions. */
export const createBuckets = (o: BucketsOptions): RunningBuckets => {
  const { table, followed, now, log } = o;
  const visible = (bucket: string) => new VisibleFolder(join(o.buckets, bucket));
  const seen = new SeenQueue({ table, visible, log });
  const files = new StoreFiles(o.store);
  const keptFolders = async (bucket: string) => new Set((await o.usersOf(bucket)).values());
  const c: BucketContext = {
    table,
    files,
    visible,
    seen,
    followed,
    keptFolders,
    now,
    log,
    locks: new KeyLocks(),
    paths: new PathsInUse(),
    settling: new SharedWork(),
  };
  const list = new BucketList(o, c);
  return {
    ...objectsOf(c),
    list: () => list.list(),
    find: (name) => list.find(name),
    create: (name, record) => list.create(name, record),
    remove: (name, record) => list.remove(name, record),
    setVersioning: (name, versioning, record) => list.change(name, { versioning }, record),
    setPolicy: (name, policy, record) => list.change(name, { policy }, record),
    setPublicAccessBlock: (name, publicAccessBlock, record) =>
      list.change(name, { publicAccessBlock }, record),
    recover: () => recover(c),
    removeOutdated: (retention) => removeOutdated(c, retention),
    close: () => seen.flush(),
  };
};
