import type { Readable } from 'node:stream';
import type { Transaction } from '../lib/transaction.ts';

/** The algorithms of "Checking object integrity" (Amazon S3 user guide); values are Base64 of the big-endian bytes. */
export type ChecksumName = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** `FULL_OBJECT` over all bytes; `COMPOSITE` over the checksums of the parts, with `-N` behind it. */
export interface Checksum {
  readonly name: ChecksumName;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  readonly value: string;
}

/** A bucket that was never told to keep versions is `Unset`. */
export type Versioning = 'Unset' | 'Enabled' | 'Suspended';

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

export interface Bucket {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly versioning: Versioning;
  /** The bucket policy as it was put, JSON. */
  readonly policy: string | undefined;
  readonly publicAccessBlock: PublicAccessBlock | undefined;
}

/** What clients give along with an object and get back with it. */
export interface ObjectFacts {
  /** By lower-case name: content-type, cache-control, content-disposition, content-encoding, content-language, expires. */
  readonly headers: Readonly<Record<string, string>>;
  /** `x-amz-meta-` headers, by lower-case name without that. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly (readonly [name: string, value: string])[];
}

/** One version of one key. */
export interface ObjectVersion extends ObjectFacts {
  readonly bucket: string;
  readonly key: string;
  /** `null` (the word) for what was written while the bucket kept no versions. */
  readonly versionId: string;
  readonly isLatest: boolean;
  /** A deletion marker: it has no bytes. */
  readonly isMarker: boolean;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly checksum: Checksum | undefined;
  /** Sizes of the parts of an object that was made of parts; listings do not tell them. */
  readonly partSizes: readonly number[] | undefined;
}

/** `If-Match` and `If-None-Match` of a write: an ETag without quotes, or `*`. */
export interface WriteConditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

/** Written to the audit record within the transaction that makes the change. */
export type Recorder = (tx: Transaction, change: { readonly versionId: string | undefined }) => Promise<void>;

/** What the bytes must come to, or the object is not made: InvalidDigest texts name which one differs. */
export interface ExpectedBytes {
  /** Bytes after all encodings of the transfer; undefined when nobody said. */
  readonly size: number | undefined;
  /** SHA-256 in hex, as the signature covers it; undefined when the payload is not signed as a whole. */
  readonly sha256: string | undefined;
  /** Content-MD5, Base64. */
  readonly md5: string | undefined;
  /** Checksums that were stated; a trailer states its own when the body has ended. */
  readonly checksum: () => { readonly name: ChecksumName; readonly value: string } | undefined;
  /** The checksum that is computed and kept; CRC64NVME unless the client names one. */
  readonly keep: ChecksumName;
}

export interface PutRequest {
  readonly bucket: string;
  readonly key: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly expected: ExpectedBytes;
  readonly facts: ObjectFacts;
  readonly conditions: WriteConditions;
  readonly record: Recorder;
}

export interface CopyRequest {
  readonly from: ObjectVersion;
  readonly bucket: string;
  readonly key: string;
  readonly facts: ObjectFacts;
  readonly conditions: WriteConditions;
  readonly keep: ChecksumName | undefined;
  readonly record: Recorder;
}

/** Bytes from `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** Keys that share what comes up to it behind the prefix are told as one common prefix; empty for none. */
  readonly delimiter: string;
  /** Only keys (and common prefixes) after this one, in the order of their UTF-8 bytes; empty for all. */
  readonly after: string;
  /** At most so many keys and common prefixes together. */
  readonly most: number;
  /**
   * A listing begins with it, though maybe behind a key. False where it goes on with one, as far as the client tells: a
   * marker of ListObjects may be either.
   */
  readonly begins: boolean;
}

export interface ListPage<T> {
  readonly found: readonly T[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last key or common prefix of this page: `after` of the next one. */
  readonly last: string | undefined;
}

export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** Epoch milliseconds. */
  readonly initiatedAt: number;
  readonly facts: ObjectFacts;
  readonly checksum: Pick<Checksum, 'name' | 'type'> | undefined;
}

export interface Part {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly checksum: Omit<Checksum, 'type'> | undefined;
  readonly lastModified: number;
}

export interface NamedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: Omit<Checksum, 'type'>;
}

/** Buckets and their objects. What a method changes is on the disk when it resolves; errors are S3's (`s3-errors.ts`). */
export interface Buckets {
  list(): Promise<readonly Bucket[]>;
  /** Undefined when there is none. */
  find(name: string): Promise<Bucket | undefined>;
  /** @throws BucketAlreadyOwnedByYou, InvalidBucketName */
  create(name: string, record: Recorder): Promise<Bucket>;
  /** @throws BucketNotEmpty, NoSuchBucket, and when an environment uses it */
  remove(name: string, record: Recorder): Promise<void>;
  setVersioning(name: string, to: 'Enabled' | 'Suspended', record: Recorder): Promise<void>;
  setPolicy(name: string, policy: string | undefined, record: Recorder): Promise<void>;
  setPublicAccessBlock(name: string, to: PublicAccessBlock | undefined, record: Recorder): Promise<void>;

  /** The version that is asked for, else the latest; a marker is given, too. @throws NoSuchKey, NoSuchVersion */
  version(bucket: string, key: string, versionId?: string): Promise<ObjectVersion>;
  /** The bytes of exactly that version. @throws NoSuchVersion when they are not what they were */
  read(version: ObjectVersion, range?: ByteRange): Promise<Readable>;
  put(request: PutRequest): Promise<ObjectVersion>;
  copy(request: CopyRequest): Promise<ObjectVersion>;
  setTags(version: ObjectVersion, tags: ObjectFacts['tags'], record: Recorder): Promise<void>;
  /**
   * Without a version: what S3 does in a bucket of that versioning (a deletion marker, or the end of the object). Gives the
   * marker that was made, or the version that is gone; both undefined when there was nothing.
   */
  delete(o: {
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | undefined;
    readonly ifMatch?: string;
    readonly record: Recorder;
  }): Promise<{ readonly versionId: string | undefined; readonly isMarker: boolean }>;
  /** The latest versions that are no markers. */
  objects(request: ListRequest): Promise<ListPage<ObjectVersion>>;
  /** All versions and markers, the newest of a key first; `afterVersion` goes on behind a version of `after`. */
  versions(request: ListRequest & { readonly afterVersion: string }): Promise<ListPage<ObjectVersion>>;

  beginUpload(o: {
    readonly bucket: string;
    readonly key: string;
    readonly facts: ObjectFacts;
    readonly checksum: Upload['checksum'];
    readonly record: Recorder;
  }): Promise<Upload>;
  /** @throws NoSuchUpload */
  upload(bucket: string, key: string, uploadId: string): Promise<Upload>;
  putPart(o: {
    readonly upload: Upload;
    readonly number: number;
    readonly body: AsyncIterable<Uint8Array>;
    readonly expected: ExpectedBytes;
  }): Promise<Part>;
  /** @throws InvalidPart, InvalidPartOrder, EntityTooSmall, NoSuchUpload; completing once more gives the same version */
  complete(o: {
    readonly upload: Upload;
    readonly parts: readonly NamedPart[];
    /** Of the whole object, as the client has it. @throws BadDigest */
    readonly checksum?: Omit<Checksum, 'type'>;
    /** Bytes of the whole object, as the client has it. @throws InvalidRequest */
    readonly size?: number;
    readonly conditions: WriteConditions;
    readonly record: Recorder;
  }): Promise<ObjectVersion>;
  abort(upload: Upload, record: Recorder): Promise<void>;
  uploads(request: ListRequest & { readonly afterUpload: string }): Promise<ListPage<Upload>>;
  /** Parts with a number above `after`, in order. */
  parts(
    upload: Upload,
    o: { readonly after: number; readonly most: number },
  ): Promise<{ readonly parts: readonly Part[]; readonly isTruncated: boolean }>;
}
