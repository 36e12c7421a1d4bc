import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PinnedObjects } from '../airflow/ports.ts';
import type { RemoteBucket } from '../aws/remote-bucket.ts';
import type { RemoteBuckets } from '../aws/remote-buckets.ts';
import type { Buckets, ObjectVersion } from '../bucket/objects.ts';
import { bucketNameOf } from '../contract/arn.ts';
import { AwsError } from '../contract/errors.ts';
import { StepFailed } from '../environments/errors.ts';
import { textOf } from '../lib/errors.ts';

type Pinned = Parameters<PinnedObjects['fetch']>[0];

interface Opened {
  readonly bytes: Readable;
  readonly size: number;
}

/** 1 GiB: what an archive of plugins may have. */
const mostBytes = 2 ** 30;

const missing = ({ bucketArn, path, version }: Pinned): StepFailed =>
  new StepFailed(
    `There is no version ${version} of ${path} in ${bucketArn}. Update the environment with one that is there.`,
    { retry: false },
  );

const findOurs = async (buckets: Pick<Buckets, 'version'>, object: Pinned): Promise<ObjectVersion> => {
  try {
    const found = await buckets.version(bucketNameOf(object.bucketArn), object.path, object.version);
    if (!found.isMarker) return found;
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
  }
  throw missing(object);
};

const openOurs = async (buckets: Pick<Buckets, 'version' | 'read'>, object: Pinned): Promise<Opened> => {
  const version = await findOurs(buckets, object);
  return { size: version.size, bytes: await buckets.read(version) };
};

const openRemote = async (bucket: RemoteBucket, object: Pinned, signal: AbortSignal): Promise<Opened> => {
  const failed = (cause: unknown): StepFailed =>
    new StepFailed(`Cannot read ${object.path} in ${object.bucketArn}: ${textOf(cause)}.`, {
      retry: true,
      cause,
    });
  const which = { versionId: object.version };
  const opened = await bucket.open(object.path, which, signal, failed).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw failed(cause);
  });
  if (opened === undefined) throw missing(object);
  return opened;
};

/** The objects that environments name by their versions, in buckets of this server or elsewhere. */
export const pinnedObjects = (
  buckets: () => Pick<Buckets, 'version' | 'read'>,
  remote: Pick<RemoteBuckets, 'find'>,
): PinnedObjects => ({
  fetch: async (object, to, signal) => {
    const elsewhere = remote.find(bucketNameOf(object.bucketArn), object.roleArn);
    const { size, bytes } = await (elsewhere === undefined
      ? openOurs(buckets(), object)
      : openRemote(elsewhere, object, signal));
    if (size > mostBytes) {
      bytes.destroy();
      throw new StepFailed(`${object.path} has more than 1 GiB. Make it smaller.`, { retry: false });
    }
    await pipeline(bytes, createWriteStream(to, { flags: 'wx', mode: 0o640, flush: true }), { signal });
  },
});
