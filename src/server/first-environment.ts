import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FollowedFolders } from '../content/followed.ts';
import type { BucketFolder } from '../environments/record.ts';
import { WindsockError } from '../lib/errors.ts';
import { executionRoleArn } from './execution-role.ts';

const examples = join(dirname(fileURLToPath(import.meta.url)), 'example-dags');

export interface FirstEnvironment {
  readonly name: string;
  readonly airflowVersion: string | undefined;
  /** The user's folder of DAGs, which is followed; the examples without one. */
  readonly dags: string | undefined;
}

/** What `--dags` is given to follow no folder any more. */
const nothing = 'none';

/** The bucket of the first environment: names of buckets have no upper case and no underscore. */
export const bucketOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

const checkFolder = (folder: string): void => {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  throw new WindsockError('NoSuchFolder', `--dags ${folder} is not a folder`);
};

const followedBy = (dags: string | undefined): string | undefined => {
  if (dags === undefined || dags === nothing) return undefined;
  const folder = resolve(dags);
  checkFolder(folder);
  return folder;
};

/** Copies the examples, aside first. */
const copyExamples = (target: string): void => {
  rmSync(`${target}.tmp`, { recursive: true, force: true });
  cpSync(examples, `${target}.tmp`, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  renameSync(`${target}.tmp`, target);
};

/**
 * Makes the bucket's `dags` folder, with the examples where it is new and no folder is named; one that is named is
 * followed in its place. Files that are in the bucket already stay.
 * @throws WindsockError NoSuchFolder
 */
export const fillBucket = (buckets: string, e: FirstEnvironment): string => {
  const folder = followedBy(e.dags);
  const bucket = bucketOf(e.name);
  const target = join(buckets, bucket, 'dags');
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  if (folder !== undefined) mkdirSync(target, { recursive: true, mode: 0o755 });
  else if (!existsSync(target)) copyExamples(target);
  return bucket;
};

/** What `--dags` means for an environment: follow that folder from now on, or none. @throws WindsockError NoSuchFolder */
export const followDags = (followed: FollowedFolders, where: BucketFolder, dags: string): void =>
  followed.set(where, followedBy(dags));

/** The CreateEnvironment request for it, like anybody's. */
export const firstEnvironmentRequest = (e: FirstEnvironment, bucket: string, accountId: string): object => ({
  ...(e.airflowVersion === undefined ? {} : { AirflowVersion: e.airflowVersion }),
  SourceBucketArn: `arn:aws:s3:::${bucket}`,
  DagS3Path: 'dags',
  ExecutionRoleArn: executionRoleArn(accountId),
  EnvironmentClass: 'mw1.small',
  NetworkConfiguration: { SubnetIds: ['subnet-local-a', 'subnet-local-b'], SecurityGroupIds: ['sg-local'] },
});
