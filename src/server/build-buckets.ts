import type { AuditEntry, AuditSink } from '../audit/record.ts';
import { createBuckets, type RunningBuckets } from '../bucket/create-buckets.ts';
import type { ObjectVersion } from '../bucket/objects.ts';
import type { DataFolder } from '../config/data-folder.ts';
import type { FollowedFolders } from '../content/followed.ts';
import { bucketNameOf } from '../contract/arn.ts';
import { namedFiles } from '../environments/pinned-files.ts';
import type { EnvironmentStore } from '../environments/ports.ts';
import type { EnvironmentRecord, Placement } from '../environments/record.ts';
import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import { createBucketTable } from '../store/bucket-table.ts';
import type { Database } from '../store/database.ts';
import type { Started } from './started.ts';

/** True when the environment has this version of this object. */
const uses = ({ spec }: EnvironmentRecord, { bucket, key, versionId }: ObjectVersion): boolean =>
  bucketNameOf(spec.SourceBucketArn) === bucket &&
  namedFiles.some(
    (name) => spec[`${name}S3Path`] === key && (spec[`${name}S3ObjectVersion`] ?? versionId) === versionId,
  );

const removedByRule = ({ bucket, key, versionId }: ObjectVersion): AuditEntry => ({
  ...{ eventName: 'DeleteObject', eventSource: 's3.amazonaws.com', isDataEvent: true },
  ...{ readOnly: false, principal: 'server', sourceIp: 'windsock', userAgent: 'windsock', requestId: '' },
  requestParameters: { bucketName: bucket, key, versionId },
});

/** The buckets of this data folder; what a killed server left is put right. */
export const buildBuckets = async (d: {
  readonly folders: DataFolder;
  readonly db: Database;
  readonly store: EnvironmentStore;
  readonly placement: Placement;
  readonly followed: Pick<FollowedFolders, 'folderOver'>;
  readonly audit: AuditSink;
  /** How long versions are kept that are no longer the latest; 0 for ever. */
  readonly objectVersionDays: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly started: Started;
}): Promise<RunningBuckets> => {
  const buckets = createBuckets({
    table: createBucketTable(d.db),
    ...{ buckets: d.folders.buckets, store: d.folders.bucketStore },
    usersOf: async (bucket) => {
      const all = await d.store.placed(d.placement);
      const users = all.filter(({ spec }) => bucketNameOf(spec.SourceBucketArn) === bucket);
      const folderOf = (path: string) => path.split('/').filter(Boolean).join('/');
      return new Map(users.map(({ name, spec }) => [name, folderOf(spec.DagS3Path)]));
    },
    followed: (bucket, key) => d.followed.folderOver(bucket, key),
    ...{ now: d.clock.now, log: d.log },
  });
  await buckets.recover();
  const stopRemoving = every(
    3_600_000,
    () =>
      buckets.removeOutdated({
        days: d.objectVersionDays,
        isUsed: async (version) => (await d.store.placed(d.placement)).some((e) => uses(e, version)),
        record: (version) => (tx) => d.audit.write(removedByRule(version), tx),
      }),
    (error) => d.log.warn('bucket not looked after', { reason: textOf(error) }),
  );
  d.started.add('buckets', () => {
    stopRemoving();
    return buckets.close();
  });
  return buckets;
};
