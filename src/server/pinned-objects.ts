import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { PinnedObjects } from '../airflow/ports.ts';
import type { Buckets, ObjectVersion } from '../bucket/objects.ts';
import { bucketNameOf } from '../contract/arn.ts';
import { AwsError } from '../contract/errors.ts';
import { StepFailed } from '../environments/errors.ts';

/** 1 GiB: what an archive of plugins may have. */
const mostBytes = 2 ** 30;

const find = async (
  buckets: Pick<Buckets, 'version'>,
  { bucketArn, path, version }: Parameters<PinnedObjects['fetch']>[0],
): Promise<ObjectVersion> => {
  try {
    const found = await buckets.version(bucketNameOf(bucketArn), path, version);
    if (!found.isMarker) return found;
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
  }
  throw new StepFailed(
    `There is no version ${version} of ${path} in ${bucketArn}. Update the environment with one that is there.`,
    { retry: false },
  );
};

/** The objects of this server's buckets that environments name by their versions. */
export const pinnedObjects = (buckets: () => Pick<Buckets, 'version' | 'read'>): PinnedObjects => ({
  fetch: async (object, to, signal) => {
    const version = await find(buckets(), object);
    if (version.size > mostBytes)
      throw new StepFailed(`${object.path} has more than 1 GiB. Make it smaller.`, { retry: false });
    const bytes = await buckets().read(version);
    await pipeline(bytes, createWriteStream(to, { flags: 'wx', mode: 0o640, flush: true }), { signal });
  },
});
