import { RemoteBuckets } from '../aws/remote-buckets.ts';
import { remoteBucketFor } from '../config/remote-buckets.ts';
import type { Settings } from '../config/settings.ts';
import { createFolderSource } from '../content/folder-source.ts';
import type { FollowedFolders } from '../content/followed.ts';
import { createRemoteSource, type RemoteLocation } from '../content/remote-source.ts';
import type { ContentSource } from '../content/source.ts';
import { sourceByBucket } from '../content/source-by-bucket.ts';
import { bucketNameOf } from '../contract/arn.ts';
import { SourceUnavailable } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import type { Log } from '../lib/log.ts';

/** The buckets that the settings say are elsewhere. */
export const remoteBucketsOf = (
  { remoteBuckets, region }: Pick<Settings, 'remoteBuckets' | 'region'>,
  now: () => number,
): RemoteBuckets =>
  new RemoteBuckets({ placeOf: (bucket) => remoteBucketFor(remoteBuckets, bucket), region, now });

const locate =
  (remote: RemoteBuckets) =>
  ({ bucketArn, roleArn }: ContentLocation): RemoteLocation => {
    const objects = remote.find(bucketNameOf(bucketArn), roleArn);
    if (objects === undefined)
      throw new SourceUnavailable(`${bucketArn} is not among the buckets elsewhere (--remote-buckets).`);
    return { objects, place: objects.place };
  };

/** The DAGs of every environment: in a folder that is followed, in a bucket elsewhere, or in one of ours. */
export const contentSource = (d: {
  readonly buckets: string;
  readonly followed: FollowedFolders;
  readonly remote: RemoteBuckets;
  readonly log: Log;
}): ContentSource =>
  sourceByBucket({
    ours: createFolderSource({ buckets: d.buckets, followed: d.followed, log: d.log }),
    remote: createRemoteSource({ find: locate(d.remote) }),
    isRemote: (where) =>
      d.followed.folderFor(where) === undefined &&
      d.remote.serverOf(bucketNameOf(where.bucketArn)) !== undefined,
  });
