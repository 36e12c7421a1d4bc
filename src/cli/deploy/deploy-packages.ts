import { NotAvailable } from '../wait.ts';
import type { Uploading } from './deployment.ts';
import type { PackageFile } from './package-files.ts';
import { type PackagesPlan, planPackages, updatePackages, uploadPackages } from './packages.ts';
import { tellPackages, tellPackagesJson } from './tell-packages.ts';

/**
 * Brings requirements.txt and plugins.zip to the environment and waits until it runs with them; tells of it, for people.
 * @throws NotAvailable when it could not, which is told for programs as well; CliError, ApiError
 */
export const deployPackages = async (d: Uploading, files: readonly PackageFile[]): Promise<PackagesPlan> => {
  const plan = await planPackages(d, files);
  const isSame = plan.packages.every(({ change }) => change === 'unchanged');
  const done = isSame || d.o.dryRun ? plan : await uploadAndUpdate(d, plan);
  if (!d.o.json) tellPackages(d, done);
  return done;
};

const uploadAndUpdate = async (d: Uploading, plan: PackagesPlan): Promise<PackagesPlan> => {
  const uploaded = await uploadPackages(d, plan);
  try {
    return await updatePackages(d, uploaded);
  } catch (error) {
    if (d.o.json && error instanceof NotAvailable)
      tellPackagesJson(d, { ...uploaded, environment: error.environment });
    throw error;
  }
};
