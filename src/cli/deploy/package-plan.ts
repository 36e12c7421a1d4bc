import { bucketNameOf } from '../../contract/arn.ts';
import { CliError } from '../errors.ts';
import type { Environment } from '../mwaa.ts';
import type { ObjectHead } from '../s3-client.ts';
import type { PackageFile, PackageKind } from './package-files.ts';

/** Where a file of an environment is. */
export interface PackagePlace {
  readonly bucket: string;
  readonly key: string;
  /** The one that the environment has; undefined when it has none. */
  readonly version: string | undefined;
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** How the members of the API begin. */
const members = { requirements: 'Requirements', plugins: 'Plugins' } as const;
const usualNames = { requirements: 'requirements.txt', plugins: 'plugins.zip' } as const;

/** The place that the environment names, else one beside the folder of its DAGs. Pure. */
export const packagePlace = (e: Environment, kind: PackageKind): PackagePlace => {
  const path = given(e[`${members[kind]}S3Path`]);
  const beside = (e.DagS3Path ?? '').split('/').filter(Boolean).slice(0, -1);
  return {
    bucket: bucketNameOf(e.SourceBucketArn ?? ''),
    key: path ?? [...beside, usualNames[kind]].join('/'),
    version: path && given(e[`${members[kind]}S3ObjectVersion`]),
  };
};

export type PackageChange = 'new' | 'changed' | 'unchanged';

/** An object whose head does not tell of its bytes counts as changed. Pure. */
export const packageChange = (file: PackageFile, there: ObjectHead | undefined): PackageChange => {
  if (there === undefined) return 'new';
  const isSame = there.etag === file.md5 || there.sha256 === file.sha256;
  return isSame && there.size === file.size ? 'unchanged' : 'changed';
};

/** The request of UpdateEnvironment: both members of each file that was uploaded. Pure. */
export const packagesBody = (
  uploaded: readonly { readonly kind: PackageKind; readonly key: string; readonly version: string }[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    uploaded.flatMap(({ kind, key, version }) => [
      [`${members[kind]}S3Path`, key],
      [`${members[kind]}S3ObjectVersion`, version],
    ]),
  );

/** Throws CliError unless an environment can be updated now. */
export const checkCanUpdate = (e: Environment): void => {
  if (e.LastUpdate?.Error?.ErrorCode === 'ENVIRONMENT_STOPPED')
    throw new CliError(`${e.Name} is stopped.`, {
      why: 'Packages are tried by a start of Airflow.',
      todo: `Start it first: windsock environment start ${e.Name}`,
    });
  if (e.Status === 'AVAILABLE' || e.Status === 'UPDATE_FAILED') return;
  throw new CliError(`${e.Name} cannot get other packages now: its status is ${e.Status}.`, {
    why: 'Nothing was uploaded.',
    todo: `Wait until it is AVAILABLE: windsock environment get ${e.Name}`,
  });
};
