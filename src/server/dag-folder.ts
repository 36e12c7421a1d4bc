import type { DagFolder } from '../airflow/local/context.ts';
import { publish } from '../content/publish.ts';
import type { ContentSource } from '../content/source.ts';
import type { ContentLocation, EnvironmentRecord } from '../environments/record.ts';
import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import type { Log } from '../lib/log.ts';

/** Every change is published by then, also where the bucket gives no hints. */
const lookEvery = 2_500;

const locationOf = (e: EnvironmentRecord): ContentLocation => ({
  bucketArn: e.spec.SourceBucketArn,
  path: e.spec.DagS3Path,
});

const about = (e: EnvironmentRecord) => ({ environment: e.name, environmentId: e.id });

type To = Parameters<DagFolder['follow']>[1];

const publishOnce = async (
  source: ContentSource,
  log: Log,
  e: EnvironmentRecord,
  to: To,
  signal: AbortSignal,
): Promise<void> => {
  const owner = { uid: to.group ? 0 : undefined, gid: to.group?.gid, fileMode: 0o640, dirMode: 0o750 };
  const { target, stateFile } = to;
  const result = await publish({ source, where: locationOf(e), target, stateFile, owner, signal });
  const { added, changed, removed, refused } = result;
  if (added + changed + removed > 0) log.info('DAGs published', { ...about(e), added, changed, removed });
  if (refused.length > 0 && added + changed + removed > 0)
    log.warn('DAG files refused', { ...about(e), refused: refused.slice(0, 20) });
};

/** Says a reason once, not at every try. */
const teller = (log: Log, e: EnvironmentRecord) => {
  let told = '';
  return (reason: string): void => {
    if (reason !== '' && reason !== told) log.warn('DAGs not published', { ...about(e), reason });
    told = reason;
  };
};

/** Joins buckets and environments: the tree under DagS3Path is what Airflow sees as its DAGs folder. */
export const dagFolder = (source: ContentSource, log: Log): DagFolder => ({
  publish: (e, to, signal) => publishOnce(source, log, e, to, signal),
  follow: (e, to) => {
    const ended = new AbortController();
    const tell = teller(log, e);
    let running: Promise<void> | undefined;
    let wanted = false;
    // One at a time; what is asked for meanwhile is done once more.
    const again = async (): Promise<void> => {
      wanted = true;
      if (running) return running;
      running = (async () => {
        while (wanted && !ended.signal.aborted) {
          wanted = false;
          await publishOnce(source, log, e, to, ended.signal).then(
            () => tell(''),
            (error: unknown) => ended.signal.aborted || tell(textOf(error)),
          );
        }
      })().finally(() => {
        running = undefined;
      });
      return running;
    };
    const stops = [source.watch(locationOf(e), () => void again()), every(lookEvery, again, () => {})];
    return () => {
      ended.abort();
      for (const stop of stops) stop();
    };
  },
});
