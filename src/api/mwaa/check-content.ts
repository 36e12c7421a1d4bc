import { SourceUnavailable } from '../../environments/errors.ts';
import { filesNamedBy } from '../../environments/pinned-files.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';
import { teamsOf } from './teams.ts';

/** A bucket, folder or file that cannot be read is a fault of the request. @throws AwsError ValidationException */
export const checkContent = async (
  spec: EnvironmentSpec,
  { checkContent: check }: Pick<ApiDeps, 'checkContent'>,
): Promise<void> => {
  const roleArn = spec.ExecutionRoleArn;
  try {
    await check?.({ bucketArn: spec.SourceBucketArn, path: spec.DagS3Path, roleArn }, filesNamedBy(spec));
    for (const { SourceBucketArn, DagS3Path } of Object.values(teamsOf(spec)))
      await check?.({ bucketArn: SourceBucketArn, path: DagS3Path, roleArn }, []);
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    throw invalid(error.publicText);
  }
};
