import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import {
  AbortMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { RootKey } from './mwaa.ts';
import { runProgram } from './python.ts';
import { repository } from './tools.ts';

/** The client-side tests of another S3 server: github.com/versity/versitygw, Apache-2.0. */
const version = '1.8.0';
const module = 'github.com/versity/versitygw';

/** Builds the program that has them; what was built once is quick. */
export const buildVersitygw = async (): Promise<string> => {
  const folder = join(repository, '.cache', 'go');
  mkdirSync(folder, { recursive: true });
  const env = { ...(process.env as Record<string, string>), GOBIN: folder };
  const what = `${module}/cmd/versitygw@v${version}`;
  const built = await runProgram('go', ['install', what], { env, cwd: folder, seconds: 800 });
  if (built.code !== 0) throw new Error(`go install ${what} ended with ${built.code}:\n${built.stderr}`);
  return join(folder, 'versitygw');
};

/** The names of the tests in each of its groups, for instance `TestPutObject`, as its sources list them. */
export const versitygwGroups = (): ReadonlyMap<string, readonly string[]> => {
  const modules = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
  const source = readFileSync(
    join(modules, `${module}@v${version}`, 'tests/integration/group-tests.go'),
    'utf8',
  );
  const functions = source.matchAll(/^func (Test\w+)\(ts \*TestState\) \{\n(.*?)^\}/gms);
  return new Map(
    [...functions].map(([, group = '', body = '']) => [
      group,
      [...body.matchAll(/ts\.(?:Run|Sync)\((\w+)\)/g)].map(([, name = '']) => name),
    ]),
  );
};

export interface VersitygwResult {
  readonly passed: boolean;
  readonly said: string;
}

/**
 * Runs one of its tests. It passes where nothing failed but the removal of its bucket afterwards: run one by one, the
 * tests remove no versions of objects.
 */
export const runVersitygw = async (
  program: string,
  endpoint: string,
  key: RootKey,
  name: string,
): Promise<VersitygwResult> => {
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey },
  };
  const ran = await runProgram(program, ['test', '--endpoint', endpoint, name], {
    env,
    cwd: '/',
    seconds: 120,
  });
  const said = stripVTControlCharacters(`${ran.stdout}\n${ran.stderr}`).trim();
  const isLeftBucket = said.includes('failed to delete the bucket') && said.includes('BucketNotEmpty');
  const failed = /^FAIL |panic:|No help topic/m.test(said);
  return { passed: !failed && (ran.code === 0 || isLeftBucket), said };
};

/** Removes every bucket with all that is in it. */
export const removeBuckets = async (s3: S3Client): Promise<void> => {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of Buckets) {
    await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of Uploads)
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    for (;;) {
      const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
      const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (Objects.length === 0) break;
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    }
    await s3.send(new DeleteBucketCommand({ Bucket }));
  }
};
