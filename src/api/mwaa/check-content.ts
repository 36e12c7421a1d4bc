import { bucketNameOf } from '../../contract/arn.ts';
import { AwsError } from '../../contract/errors.ts';
import { SourceUnavailable } from '../../environments/errors.ts';
import { namedFiles, pinnedFiles } from '../../environments/pinned-files.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';
import { teamsOf } from './teams.ts';

/** A version that is not there is a fault of the request: what it names could never be installed. */
const checkVersions = async (spec: EnvironmentSpec, { buckets }: ApiDeps): Promise<void> => {
  if (buckets === undefined) return;
  const bucket = bucketNameOf(spec.SourceBucketArn);
  for (const { path, version } of pinnedFiles(spec)) {
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
    const files = namedFiles.flatMap((name) => {
      const path = spec[`${name}S3Path`];
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
