import type { DagFolder } from '../airflow/local/context.ts';
import type { AuditEntry, AuditSink } from '../audit/record.ts';
import type { RemoteBuckets } from '../aws/remote-buckets.ts';
import { follow } from '../content/follow.ts';
import type { FollowedFolders } from '../content/followed.ts';
import { type PublishResult, publish } from '../content/publish.ts';
import { PublishStateFile } from '../content/publish-state.ts';
import type { ContentSource } from '../content/source.ts';
import { bucketNameOf } from '../contract/arn.ts';
import type { ContentFault } from '../environments/content.ts';
import type { ContentLocation, EnvironmentRecord } from '../environments/record.ts';
import { textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

const about = (e: EnvironmentRecord) => ({ environment: e.name, environmentId: e.id });

type To = Parameters<DagFolder['follow']>[1];

const whereOf = (e: EnvironmentRecord): ContentLocation => ({
  bucketArn: e.spec.SourceBucketArn,
  path: e.spec.DagS3Path,
  roleArn: e.spec.ExecutionRoleArn,
});

export interface Joined {
  readonly source: ContentSource;
  readonly followed: Pick<FollowedFolders, 'folderFor'>;
  readonly remote: Pick<RemoteBuckets, 'serverOf'>;
  readonly log: Log;
  readonly audit: Pick<AuditSink, 'write'>;
}

/** Paths that one entry of the audit record names. */
const mostNamed = 100;

const auditEntry = (e: EnvironmentRecord, { changes }: PublishResult, version: string): AuditEntry => ({
  ...{ eventName: 'ContentPublished', readOnly: false, principal: 'server', environmentId: e.id },
  ...{ sourceIp: 'windsock', userAgent: 'windsock', requestId: '' },
  requestParameters: { Name: e.name },
  responseElements: {
    version,
    count: changes.length,
    changes: changes.slice(0, mostNamed).map(({ kind, path }) => `${kind} ${path}`),
  },
});

/** What was published is there by now: a record that cannot be kept is told, and keeps nothing back. */
const record =
  ({ log, audit }: Joined, e: EnvironmentRecord) =>
  async (result: PublishResult, version: string): Promise<void> => {
    const { added, changed, removed, refused } = result;
    await audit.write(auditEntry(e, result, version)).catch((error: unknown) => {
      log.error('DAGs published without a record', { ...about(e), reason: textOf(error) });
    });
    log.info('DAGs published', { ...about(e), added, changed, removed });
    if (refused.length > 0) log.warn('DAG files refused', { ...about(e), refused: refused.slice(0, 20) });
  };

/** Says a reason once, not at every try, and keeps since when it is so. */
const teller =
  (log: Log, e: EnvironmentRecord, faults: Map<string, ContentFault>, stateFile: string) =>
  (reason: string | undefined): void => {
    const before = faults.get(stateFile);
    if (reason === undefined) {
      if (before !== undefined)
        log.info('DAGs published again', { ...about(e), took: Date.now() - before.since });
      faults.delete(stateFile);
      return;
    }
    if (reason !== before?.reason) log.warn('DAGs not published', { ...about(e), reason });
    faults.set(stateFile, { since: before?.since ?? Date.now(), reason });
  };

/** Joins buckets and environments: the tree under DagS3Path is what Airflow sees as its DAGs folder. */
export const dagFolder = (joined: Joined): DagFolder => {
  const { source, log } = joined;
  const states = new Map<string, PublishStateFile>();
  const faults = new Map<string, ContentFault>();
  const stateIn = (file: string): PublishStateFile => {
    const state = states.get(file) ?? new PublishStateFile(file);
    states.set(file, state);
    return state;
  };
  const what = (e: EnvironmentRecord, { target, stateFile, group }: To) => ({
    ...{ source, target, where: whereOf(e), state: stateIn(stateFile), record: record(joined, e) },
    owner: { uid: group ? 0 : undefined, gid: group?.gid, fileMode: 0o640, dirMode: 0o750 },
  });
  return {
    publish: async (e, to, signal) => {
      const all = { ...what(e, to), signal };
      await publish(all, await source.list(all.where, signal));
    },
    follow: (e, to, changed) =>
      follow({
        ...what(e, to),
        published: ({ changes }) => changed(changes),
        failed: teller(log, e, faults, to.stateFile),
      }),
    followed: (e) => {
      try {
        return joined.followed.folderFor(whereOf(e));
      } catch {
        return undefined;
      }
    },
    elsewhere: (e) => joined.remote.serverOf(bucketNameOf(e.spec.SourceBucketArn)),
    published: (stateFile) => stateIn(stateFile).read(),
    fault: (stateFile) => faults.get(stateFile),
    forget: (stateFile) => {
      states.delete(stateFile);
      faults.delete(stateFile);
    },
  };
};
