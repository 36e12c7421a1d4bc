import type { PinnedFile } from '../../environments/pinned-files.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { PinnedObjects } from '../ports.ts';

/** A file of an environment as an object of its bucket, for its execution role. */
export const objectOf = (
  { spec }: EnvironmentRecord,
  { path, version }: PinnedFile,
): Parameters<PinnedObjects['fetch']>[0] => ({
  ...{ path, version },
  bucketArn: spec.SourceBucketArn,
  roleArn: spec.ExecutionRoleArn,
});
