import { SourceUnavailable } from '../../environments/errors.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';

/** A bucket or folder that cannot be read is a fault of the request. @throws AwsError ValidationException */
export const checkContent = async (spec: EnvironmentSpec, deps: ApiDeps): Promise<void> => {
  try {
    await deps.checkContent?.({ bucketArn: spec.SourceBucketArn, path: spec.DagS3Path });
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    throw invalid(error.publicText);
  }
};
