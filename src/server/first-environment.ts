import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WindsockError } from '../lib/errors.ts';
import { executionRoleArn } from './execution-role.ts';

const examples = join(dirname(fileURLToPath(import.meta.url)), 'example-dags');

export interface FirstEnvironment {
  readonly name: string;
  readonly airflowVersion: string | undefined;
  /** The user's folder of DAGs; the examples without one. */
  readonly dags: string | undefined;
}

/** Bucket names have no upper case and no underscore. */
const bucketOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

const checkFolder = (folder: string): void => {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  throw new WindsockError('NoSuchFolder', `--dags ${folder} is not a folder`);
};

/**
 * Copies DAGs into the bucket's `dags` folder, aside first where there is none yet. Files that are in the bucket
 * already stay; the examples never come over them.
 * @throws WindsockError NoSuchFolder
 */
export const fillBucket = (buckets: string, e: FirstEnvironment): string => {
  const source = e.dags === undefined ? examples : resolve(e.dags);
  checkFolder(source);
  const bucket = join(buckets, bucketOf(e.name));
  const target = join(bucket, 'dags');
  mkdirSync(bucket, { recursive: true, mode: 0o755 });
  const filter = (path: string) => !path.includes('__pycache__');
  if (existsSync(target)) {
    if (e.dags !== undefined) cpSync(source, target, { recursive: true, dereference: true, filter });
    return bucketOf(e.name);
  }
  rmSync(`${target}.tmp`, { recursive: true, force: true });
  cpSync(source, `${target}.tmp`, { recursive: true, dereference: true, filter });
  renameSync(`${target}.tmp`, target);
  return bucketOf(e.name);
};

/** The CreateEnvironment request for it, like anybody's. */
export const firstEnvironmentRequest = (e: FirstEnvironment, bucket: string, accountId: string): object => ({
  ...(e.airflowVersion === undefined ? {} : { AirflowVersion: e.airflowVersion }),
  SourceBucketArn: `arn:aws:s3:::${bucket}`,
  DagS3Path: 'dags',
  ExecutionRoleArn: executionRoleArn(accountId),
  EnvironmentClass: 'mw1.small',
  NetworkConfiguration: { SubnetIds: ['subnet-local-a', 'subnet-local-b'], SecurityGroupIds: ['sg-local'] },
});
