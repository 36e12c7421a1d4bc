import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { Bucket, ObjectVersion, Part, Upload } from './objects.ts';

/** A version as it is kept. */
export interface VersionRow extends ObjectVersion {
  /** The file with its bytes, and what tells that file from a changed one; undefined of a marker. */
  readonly file: string | undefined;
  readonly fileStamp: string | undefined;
  /** What tells the file that people see from a changed one; undefined until it is known to be on the disk. */
  readonly seen: string | undefined;
}

/** `seen` of a key of which there is no file to see: its latest version is a marker, or a folder. */
export const nothingToSee = 'none';

export interface PartRow extends Part {
  readonly file: string;
}

/** What of a bucket is to become another one; undefined as a value takes it away. */
export type BucketChange = Partial<Pick<Bucket, 'versioning' | 'policy' | 'publicAccessBlock'>>;

/** What is remembered of buckets and objects. */
export interface BucketTable {
  readonly inTransaction: InTransaction;

  buckets(): Promise<readonly Bucket[]>;
  bucket(name: string): Promise<Bucket | undefined>;
  /** False when there is one of that name. */
  insertBucket(bucket: Bucket, tx?: Transaction): Promise<boolean>;
  /** Changes these and leaves the rest as it is. False when there is no such bucket. */
  changeBucket(name: string, change: BucketChange, tx: Transaction): Promise<boolean>;
  /** False, and nothing is done, while it holds a version or an upload. */
  deleteBucket(name: string, tx: Transaction): Promise<boolean>;

  latest(bucket: string, key: string, tx?: Transaction): Promise<VersionRow | undefined>;
  version(bucket: string, key: string, versionId: string, tx?: Transaction): Promise<VersionRow | undefined>;
  /** Becomes the latest of its key. */
  insertVersion(row: VersionRow, tx: Transaction): Promise<void>;
  /** The newest one that is left becomes the latest, and is not known to be seen. */
  deleteVersion(row: VersionRow, tx: Transaction): Promise<void>;
  setTags(row: VersionRow, tx: Transaction): Promise<void>;
  /** Latest versions whose visible files are on the disk now. */
  setSeen(rows: readonly VersionRow[]): Promise<void>;
  /** It is not known of any. */
  forgetSeen(): Promise<void>;
  /** What tells the files with the bytes from changed ones. */
  setStamps(rows: readonly VersionRow[]): Promise<void>;
  /** Latest versions of which that is not known, by bucket and key, behind these. */
  unseen(
    after: { readonly bucket: string; readonly key: string },
    limit: number,
  ): Promise<readonly VersionRow[]>;
  /**
   * Versions that stopped being the latest before then, and markers from before then of which nothing else is left; in the
   * order of bucket, key and version.
   */
  outdated(o: {
    readonly before: number;
    readonly after: Pick<VersionRow, 'bucket' | 'key' | 'versionId'>;
    readonly limit: number;
  }): Promise<readonly VersionRow[]>;
  /** Latest versions that are no markers, by key: with that prefix, behind `after`. */
  objectsPage(o: PageOf): Promise<readonly VersionRow[]>;
  /** All versions, the newest of a key first. */
  versionsPage(o: PageOf & { readonly afterVersion: string }): Promise<readonly VersionRow[]>;

  insertUpload(upload: Upload, tx: Transaction): Promise<void>;
  upload(uploadId: string): Promise<(Upload & { readonly completed: string | undefined }) | undefined>;
  uploadsPage(o: PageOf & { readonly afterUpload: string }): Promise<readonly Upload[]>;
  /** Gives the file of the part that was there before. @throws when the upload is over */
  putPart(uploadId: string, part: PartRow): Promise<string | undefined>;
  parts(uploadId: string, after: number, limit: number): Promise<readonly PartRow[]>;
  /** Gives the files of its parts, which are not needed any more. @throws NoSuchUpload */
  completeUpload(uploadId: string, versionId: string, tx: Transaction): Promise<readonly string[]>;
  /** The same. */
  deleteUpload(uploadId: string, tx: Transaction): Promise<readonly string[]>;
  /** Uploads that were begun before then and are not completed. */
  oldUploads(before: number, limit: number): Promise<readonly Upload[]>;
  /** Whoever completes once more what was begun before then does not get the same version again. */
  forgetCompleted(before: number): Promise<void>;

  /** Of these names of files, those that a version or a part refers to. */
  filesInUse(bucket: string, files: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface PageOf {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty for the beginning. */
  readonly after: string;
  readonly limit: number;
}
