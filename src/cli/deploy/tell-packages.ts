import { printJson, sizeText, tableText } from '../output.ts';
import type { Deployment } from './deployment.ts';
import type { PackagesPlan, PlannedPackage } from './packages.ts';

type Told = Pick<Deployment, 'name' | 'context' | 'o'>;

const jsonOfOne = ({ file, place, change }: PlannedPackage, isDryRun: boolean) => ({
  Change: change,
  Path: place.key,
  // before the upload the version is that of before
  ...(isDryRun && change !== 'unchanged' ? {} : { Version: place.version }),
  Size: file.size,
  ...(file.files === undefined ? {} : { Files: file.files }),
});

/** For programs: what became of each file, and of the environment. */
export const packagesJson = ({ environment, packages }: PackagesPlan, isDryRun: boolean) => {
  const of = (kind: PlannedPackage['file']['kind']) => packages.find(({ file }) => file.kind === kind);
  const [requirements, plugins] = [of('requirements'), of('plugins')];
  const message = environment.LastUpdate?.Error?.ErrorMessage;
  return {
    ...(requirements ? { Requirements: jsonOfOne(requirements, isDryRun) } : {}),
    ...(plugins ? { Plugins: jsonOfOne(plugins, isDryRun) } : {}),
    Status: environment.Status,
    ...(message === undefined ? {} : { Error: message }),
  };
};

/** The result where no DAGs are deployed. */
export const tellPackagesJson = ({ context, o }: Told, plan: PackagesPlan): void => {
  const isDryRun = o.dryRun === true;
  printJson(context, { Packages: packagesJson(plan, isDryRun), DryRun: isDryRun });
};

/** A table of the files, and what became of the environment. */
export const tellPackages = ({ name, context, o }: Told, { packages }: PackagesPlan): void => {
  const rows = packages.map(({ file, place, change }) => [
    ...[change, place.key, sizeText(file.size)],
    o.dryRun && change !== 'unchanged' ? '' : (place.version ?? ''),
  ]);
  context.out(tableText(['WHAT', 'FILE', 'SIZE', o.dryRun ? '' : 'VERSION'], rows));
  const isSame = packages.every(({ change }) => change === 'unchanged');
  if (isSame) context.err(`${name} has these packages already: no update.\n`);
  else if (!o.dryRun) context.err(`${name} runs with these packages.\n`);
};
