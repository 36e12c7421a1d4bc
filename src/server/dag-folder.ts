import type { DagFolder } from '../airflow/local/context.ts';
import { follow } from '../content/follow.ts';
import { type PublishResult, publish } from '../content/publish.ts';
import { readState, treeVersion } from '../content/publish-state.ts';
import type { ContentSource } from '../content/source.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import type { Log } from '../lib/log.ts';

const about = (e: EnvironmentRecord) => ({ environment: e.name, environmentId: e.id });

type To = Parameters<DagFolder['follow']>[1];

const what = (source: ContentSource, e: EnvironmentRecord, { target, stateFile, group }: To) => ({
  source,
  where: { bucketArn: e.spec.SourceBucketArn, path: e.spec.DagS3Path },
  target,
  stateFile,
  owner: { uid: group ? 0 : undefined, gid: group?.gid, fileMode: 0o640, dirMode: 0o750 },
});

const tellPublished = (log: Log, e: EnvironmentRecord, result: PublishResult): void => {
  const { changes, added, changed, removed, refused } = result;
  if (changes.length === 0) return;
  log.info('DAGs published', { ...about(e), added, changed, removed });
  if (refused.length > 0) log.warn('DAG files refused', { ...about(e), refused: refused.slice(0, 20) });
};

/** Says a reason once, not at every try. */
const teller = (log: Log, e: EnvironmentRecord) => {
  let told: string | undefined;
  return (reason: string | undefined): void => {
    if (reason !== undefined && reason !== told) log.warn('DAGs not published', { ...about(e), reason });
    told = reason;
  };
};

/** Joins buckets and environments: the tree under DagS3Path is what Airflow sees as its DAGs folder. */
export const dagFolder = (source: ContentSource, log: Log): DagFolder => ({
  publish: async (e, to, signal) => {
    const all = { ...what(source, e, to), signal };
    tellPublished(log, e, await publish(all, await source.list(all.where, signal)));
  },
  follow: (e, to, changed) =>
    follow({
      ...what(source, e, to),
      published: (result) => {
        tellPublished(log, e, result);
        changed(result.changes);
      },
      failed: teller(log, e),
    }),
  published: (stateFile) => {
    const state = readState(stateFile);
    return { version: treeVersion(state), since: state.since, files: state.files };
  },
});
