import { plural } from '../../lib/plural.ts';
import { type ApiClient, ApiError } from '../api-client.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { type Environment, getEnvironment, updateEnvironment } from '../mwaa.ts';
import { sizeText } from '../output.ts';
import type { ObjectHead, S3Client } from '../s3-client.ts';
import { awsPace, NotAvailable, waitUntilAvailable } from '../wait.ts';
import type { PackageFile } from './package-files.ts';
import {
  checkCanUpdate,
  type PackageChange,
  type PackagePlace,
  packageChange,
  packagePlace,
  packagesBody,
} from './package-plan.ts';

/** The environment that gets packages. */
export interface PackagesTarget {
  readonly api: ApiClient;
  readonly s3: S3Client;
  readonly name: string;
  readonly context: Context;
  /** Whether it is one of Amazon MWAA itself. */
  readonly o?: { readonly aws?: boolean };
}

/** A file, where it belongs, and whether the environment has it. */
export interface PlannedPackage {
  readonly file: PackageFile;
  readonly place: PackagePlace;
  readonly change: PackageChange;
}

export interface PackagesPlan {
  readonly environment: Environment;
  readonly packages: readonly PlannedPackage[];
}

/** The version that an environment has. @throws CliError when the caller may not look at it */
const headOf = async (
  s3: S3Client,
  { bucket, key, version }: PackagePlace,
): Promise<ObjectHead | undefined> => {
  if (version === undefined) return undefined;
  try {
    return await s3.head(bucket, key, version);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    throw new CliError(`You may not look at ${key} in the bucket ${bucket}. Nothing was uploaded.`, {
      why: 'It is compared with the file, so that what is the same causes no update.',
      todo: `It takes s3:GetObjectVersion on arn:aws:s3:::${bucket}/${key}`,
      cause: error,
    });
  }
};

/**
 * Compares the files with those that the environment has; changes nothing.
 * @throws CliError when something is to be changed, and the environment cannot be now
 */
export const planPackages = async (
  { api, s3, name }: PackagesTarget,
  files: readonly PackageFile[],
): Promise<PackagesPlan> => {
  const environment = await getEnvironment(api, name);
  const packages: PlannedPackage[] = [];
  for (const file of files) {
    const place = packagePlace(environment, file.kind);
    packages.push({ file, place, change: packageChange(file, await headOf(s3, place)) });
  }
  if (packages.some(({ change }) => change !== 'unchanged')) checkCanUpdate(environment);
  return { environment, packages };
};

/** Gives the place of the new version. */
const upload = async (
  { s3, context }: PackagesTarget,
  { file, place: { bucket, key } }: PlannedPackage,
): Promise<PackagePlace> => {
  const count = file.files === undefined ? '' : `, ${plural(file.files, 'file')} zipped`;
  context.err(`uploading ${key}: ${sizeText(file.size)}${count}\n`);
  const put = await s3.put(bucket, key, file.file, file.sha256);
  if (!put)
    throw new CliError(`${file.file} was changed while it was read.`, {
      todo: 'Deploy again when it is written.',
    });
  if (put.versionId === undefined || put.versionId === 'null')
    throw new CliError(`The bucket ${bucket} keeps no versions, and an environment names one.`, {
      todo: `Let it keep them: aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
    });
  return { bucket, key, version: put.versionId };
};

const update = async ({ api, name, context }: PackagesTarget, done: PackagesPlan): Promise<void> => {
  const uploaded = done.packages.flatMap(({ change, file: { kind }, place: { key, version } }) =>
    change === 'unchanged' || version === undefined ? [] : [{ kind, key, version }],
  );
  try {
    await updateEnvironment(api, name, packagesBody(uploaded));
  } catch (error) {
    context.err(`The bucket has the files, but ${name} was not updated and runs with what it had.\n`);
    throw error;
  }
};

/** Uploads what is new or changed; gives the plan with the versions that came of it. @throws ApiError, CliError */
export const uploadPackages = async (t: PackagesTarget, plan: PackagesPlan): Promise<PackagesPlan> => {
  const packages: PlannedPackage[] = [];
  for (const one of plan.packages)
    packages.push(one.change === 'unchanged' ? one : { ...one, place: await upload(t, one) });
  return { ...plan, packages };
};

/**
 * Has the environment use what was uploaded, and waits until it does.
 * @throws NotAvailable with the reason when it could not, ApiError
 */
export const updatePackages = async (t: PackagesTarget, uploaded: PackagesPlan): Promise<PackagesPlan> => {
  const { api, name, context, o } = t;
  await update(t, uploaded);
  try {
    return {
      ...uploaded,
      environment: await waitUntilAvailable(api, name, context, o?.aws ? awsPace : undefined),
    };
  } catch (error) {
    if (!(error instanceof NotAvailable))
      context.err(
        `The update of ${name} goes on without this. Look at it: windsock environment get ${name}\n`,
      );
    throw error;
  }
};
