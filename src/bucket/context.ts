import type { KeyLocks } from '../lib/key-locks.ts';
import type { Log } from '../lib/log.ts';
import type { SharedWork } from '../lib/shared-work.ts';
import type { PathsInUse } from './paths-in-use.ts';
import type { SeenQueue } from './seen-queue.ts';
import type { StoreFiles } from './store-files.ts';
import type { BucketTable } from './table.ts';
import type { KeptFolders, VisibleFolder } from './visible-folder.ts';

/** What the steps on objects share. */
export interface BucketContext {
  readonly table: BucketTable;
  readonly files: StoreFiles;
  readonly visible: (bucket: string) => VisibleFolder;
  /** Whoever looks at a key and changes it holds its lock: one server uses a data folder at a time. */
  readonly locks: KeyLocks;
  readonly paths: PathsInUse;
  /** Looks at all files of a bucket below a prefix. */
  readonly settling: SharedWork;
  readonly seen: SeenQueue;
  /** Folders of a bucket in which environments look for their DAGs: they stay when they are empty. */
  readonly keptFolders: (bucket: string) => Promise<KeptFolders>;
  /** The folder that is followed in the place of the one in which this key would be, if any. */
  readonly followed: (bucket: string, key: string) => string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

export const lockOf = (bucket: string, key: string): string => `${bucket}/${key}`;
