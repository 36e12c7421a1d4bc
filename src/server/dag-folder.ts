import type { DagFolder } from '../airflow/local/driver.ts';
import { publish } from '../content/publish.ts';
import type { ContentLocation, ContentSource } from '../environments/ports.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';
import type { Account } from '../lib/process.ts';

/** Every change is published by then, also where the bucket gives no hints. */
const lookEvery = 2_500;

const locationOf = (e: EnvironmentRecord): ContentLocation => ({
  bucketArn: e.spec.SourceBucketArn,
  path: e.spec.DagS3Path,
});

/** Joins buckets and environments: the tree under DagS3Path is what Airflow sees as its DAGs folder. */
export const dagFolder = (source: ContentSource, log: Log): DagFolder => {
  const once = async (
    e: EnvironmentRecord,
    target: string,
    stateFile: string,
    group: Account | undefined,
    signal: AbortSignal,
  ) => {
    const owner = { uid: group ? 0 : undefined, gid: group?.gid, fileMode: 0o640, dirMode: 0o750 };
    const result = await publish({ source, where: locationOf(e), target, stateFile, owner, signal });
    const changes = result.added + result.changed + result.removed;
    if (changes > 0)
      log.info('DAGs published', {
        environment: e.name,
        added: result.added,
        changed: result.changed,
        removed: result.removed,
      });
  };
  return {
    publish: once,
    follow: (e, target, stateFile, group) => {
      const ended = new AbortController();
      let told = '';
      let queued = Promise.resolve();
      const again = (): Promise<void> => {
        queued = queued
          .then(() => (ended.signal.aborted ? undefined : once(e, target, stateFile, group, ended.signal)))
          .then(
            () => {
              told = '';
            },
            (error: unknown) => {
              if (!ended.signal.aborted && told !== textOf(error))
                log.warn('DAGs not published', { environment: e.name, reason: textOf(error) });
              told = textOf(error);
            },
          );
        return queued;
      };
      const stops = [source.watch(locationOf(e), () => void again()), every(lookEvery, again, () => {})];
      return () => {
        ended.abort();
        for (const stop of stops) stop();
      };
    },
  };
};
