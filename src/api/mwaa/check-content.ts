import { AwsError } from '../../contract/errors.ts';
import { SourceUnavailable } from '../../environments/errors.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';
import { teamsOf } from './teams.ts';

const fileMembers = ['PluginsS3Path', 'RequirementsS3Path', 'StartupScriptS3Path'];

/** Files that are used by their object versions. */
const pinnedFiles = ['Plugins', 'Requirements'];

/** A version that is not there is a fault of the request: what it names could never be installed. */
const checkVersions = async (spec: EnvironmentSpec, { buckets }: ApiDeps): Promise<void> => {
  const bucket = spec.SourceBucketArn.split(':').at(-1) ?? '';
  for (const name of pinnedFiles) {
    const [path, version] = [spec[`${name}S3Path`], spec[`${name}S3ObjectVersion`]];
    if (buckets === undefined || typeof path !== 'string' || typeof version !== 'string' || path === '')
      continue;
    const found = await buckets.version(bucket, path, version).catch((error: unknown) => {
      if (error instanceof AwsError) return undefined;
      throw error;
    });
    if (found === undefined || found.isMarker)
      throw invalid(
        `There is no version ${version} of ${path} in ${spec.SourceBucketArn}. Name the VersionId that S3 gave when the file was put.`,
      );
  }
};

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
    await checkVersions(spec, deps);
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    throw invalid(error.publicText);
  }
};
