import { SourceUnavailable } from '../../environments/errors.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';
import { teamsOf } from './teams.ts';

const fileMembers = ['PluginsS3Path', 'RequirementsS3Path', 'StartupScriptS3Path'];

/** A bucket, folder or file that cannot be read is a fault of the request. @throws AwsError ValidationException */
export const checkContent = async (spec: EnvironmentSpec, deps: ApiDeps): Promise<void> => {
  try {
    const files = fileMembers.flatMap((member) => {
      const path = spec[member];
      return typeof path === 'string' && path !== '' ? [path] : [];
    });
    await deps.checkContent?.({ bucketArn: spec.SourceBucketArn, path: spec.DagS3Path }, files);
    for (const { SourceBucketArn, DagS3Path } of Object.values(teamsOf(spec)))
      await deps.checkContent?.({ bucketArn: SourceBucketArn, path: DagS3Path }, []);
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    throw invalid(error.publicText);
  }
};
