import type { RemoteBucket } from '../aws/remote-bucket.ts';
import type { RemoteBuckets } from '../aws/remote-buckets.ts';
import type { Buckets } from '../bucket/objects.ts';
import type { FollowedFolders } from '../content/followed.ts';
import { unavailable } from '../content/remote-source.ts';
import type { ContentSource } from '../content/source.ts';
import { bucketNameOf, prefixOf } from '../contract/arn.ts';
import { AwsError } from '../contract/errors.ts';
import { SourceUnavailable } from '../environments/errors.ts';
import type { NamedFile } from '../environments/pinned-files.ts';
import type { ContentLocation } from '../environments/record.ts';

/** Milliseconds for a request that waits. */
const checkWithin = { ours: 5_000, remote: 20_000 } as const;

const late = `it does not answer within ${checkWithin.remote / 1000} seconds`;

const noFile = ({ path }: NamedFile, bucketArn: string): SourceUnavailable =>
  new SourceUnavailable(`There is no file ${path} in ${bucketArn}. Put it there first.`);

/** What it names could never be installed. */
const noVersion = ({ path, version }: NamedFile, bucketArn: string): SourceUnavailable =>
  new SourceUnavailable(
    `There is no version ${version} of ${path} in ${bucketArn}. Name the VersionId that S3 gave when the file was put.`,
  );

const hasVersion = async (
  buckets: Pick<Buckets, 'version'>,
  bucket: string,
  { path, version = '' }: NamedFile,
): Promise<boolean> => {
  try {
    return !(await buckets.version(bucket, path, version)).isMarker;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
};

const checkOurs = async (
  d: CheckedBuckets,
  folder: ContentLocation,
  files: readonly NamedFile[],
): Promise<void> => {
  const { bucketArn } = folder;
  const signal = AbortSignal.timeout(checkWithin.ours);
  await d.source.list(folder, signal);
  for (const file of files) {
    const at = file.path.lastIndexOf('/');
    const listing = await d.source.list({ ...folder, path: file.path.slice(0, Math.max(0, at)) }, signal);
    if (!listing.has(file.path.slice(at + 1))) throw noFile(file, bucketArn);
    if (file.version !== undefined && !(await hasVersion(d.buckets, bucketNameOf(bucketArn), file)))
      throw noVersion(file, bucketArn);
  }
};

/** The first page of a listing is enough: it says whether there is a bucket that may be read. */
const checkRemote = async (
  d: CheckedBuckets,
  bucket: RemoteBucket,
  folder: ContentLocation,
  files: readonly NamedFile[],
  signal: AbortSignal,
): Promise<void> => {
  const { bucketArn } = folder;
  const isFolderHere = d.followed.folderFor(folder) !== undefined;
  if (isFolderHere) await d.source.list(folder, signal);
  else for await (const _ of bucket.pages(prefixOf(folder.path), signal)) break;
  for (const file of files) {
    if (!(await bucket.has(file.path, undefined, signal))) throw noFile(file, bucketArn);
    if (file.version !== undefined && !(await bucket.has(file.path, file.version, signal)))
      throw noVersion(file, bucketArn);
  }
};

export interface CheckedBuckets {
  readonly source: ContentSource;
  readonly buckets: Pick<Buckets, 'version'>;
  readonly remote: Pick<RemoteBuckets, 'find'>;
  readonly followed: Pick<FollowedFolders, 'folderFor'>;
}

/**
 * A bucket that cannot be listed, or lacks a file, is a fault of the request; what it holds may change later.
 * @throws SourceUnavailable
 */
export const checkBucket =
  (d: CheckedBuckets) =>
  async (folder: ContentLocation, files: readonly NamedFile[]): Promise<void> => {
    const bucket = d.remote.find(bucketNameOf(folder.bucketArn), folder.roleArn);
    if (bucket === undefined) return checkOurs(d, folder, files);
    const signal = AbortSignal.timeout(checkWithin.remote);
    await checkRemote(d, bucket, folder, files, signal).catch((error: unknown) => {
      if (error instanceof SourceUnavailable) throw error;
      throw unavailable(folder, bucket.place, signal.aborted ? new Error(late) : error);
    });
  };
