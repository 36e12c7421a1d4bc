import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { ignoreFile } from '../../lib/deploy-rules.ts';
import type { Context } from '../context.ts';
import { deployPackages } from '../deploy/deploy-packages.ts';
import { type Deployment, type DeployOptions, deployOnce, secondsFor } from '../deploy/deployment.ts';
import { findFiles, rulesOf, stampOf } from '../deploy/files.ts';
import { withPackageFiles } from '../deploy/package-files.ts';
import type { PackagesPlan } from '../deploy/packages.ts';
import { awsTarget, windsockTarget } from '../deploy/target.ts';
import { tell } from '../deploy/tell.ts';
import { tellPackagesJson } from '../deploy/tell-packages.ts';
import { CliError, exitCodes } from '../errors.ts';
import { apiCommand, example } from './common.ts';

const folderOf = (given: string | undefined): string => {
  const folder = resolve(given ?? 'dags');
  if (existsSync(folder) && statSync(folder).isDirectory()) return folder;
  throw new CliError(`There is no folder ${folder}.`, {
    todo: 'Name the folder with the DAGs: windsock deploy ENV DIR',
    exitCode: exitCodes.usage,
  });
};

const stateOf = async ({ from, context }: Deployment): Promise<string> =>
  JSON.stringify([
    ...(
      await findFiles(from, {
        staysBehind: await rulesOf(from),
        signal: context.signal,
        describe: stampOf,
      })
    ).files,
  ]);

/** Deploys, and again whenever a file of the folder has changed, until it is interrupted. */
const watchAndDeploy = async (d: Deployment): Promise<void> => {
  let deployed: string | undefined;
  while (!d.context.signal.aborted) {
    const now = await stateOf(d).catch((error: unknown) => {
      if (deployed === undefined) throw error;
      return deployed;
    });
    if (now !== deployed) tell(d, await deployOnce(d));
    deployed = now;
    await delay(1_000, undefined, { signal: d.context.signal });
  }
};

const usage = (what: string, todo: string): CliError =>
  new CliError(what, { todo, exitCode: exitCodes.usage });

const namesPackages = (o: DeployOptions): boolean => (o.requirements ?? o.plugins) !== undefined;

/** What cannot be said together, and would only be found after minutes. @throws CliError */
const checkOptions = (o: DeployOptions, hasFolder: boolean, context: Context): void => {
  if (o.aws && o.endpoint !== undefined)
    throw usage('--aws is for Amazon MWAA, and --endpoint for a Windsock.', 'Leave one of them out.');
  if (!(secondsFor(o) > 0)) throw usage(`"${o.timeout}" is no number of seconds.`, 'Like --timeout 90');
  if (!namesPackages(o)) return;
  for (const name of ['watch', 'delete'] as const)
    if (o[name] && !hasFolder)
      throw usage(
        `--${name} is about a folder of DAGs, and none is named.`,
        `Name it: windsock deploy ENV DIR --${name} …`,
      );
  if (o.delete && !o.yes && !o.dryRun && !context.input.isTerminal)
    throw usage('--delete asks before it deletes, and nobody is there to answer.', 'Add --yes.');
};

/** Brings the folder there, and again and again under --watch. Gives true when all of it can be imported and was read. */
const deployFolder = async (d: Deployment, packages: PackagesPlan | undefined): Promise<boolean> => {
  if (d.o.watch && !d.o.dryRun) {
    if (packages && d.o.json) tellPackagesJson(d, packages);
    await watchAndDeploy(d);
    return true;
  }
  const done = await deployOnce(d);
  tell(d, done, packages);
  return done.broken.length + done.left.length === 0;
};

/** The packages, and then the DAGs that may need them; `from` is undefined when there are no DAGs to deploy. */
const deployAll = async (
  name: string,
  from: string | undefined,
  o: DeployOptions,
  context: Context,
): Promise<boolean> => {
  const target = (o.aws ? awsTarget : windsockTarget)(name, o, context);
  const uploading = async () => ({ api: target.api, s3: await target.s3(), name, o, context });
  try {
    if (from !== undefined) await target.checkFolder(from);
    const packages = namesPackages(o)
      ? await withPackageFiles(o, context.signal, async (files) => deployPackages(await uploading(), files))
      : undefined;
    if (from !== undefined)
      return await deployFolder({ ...(await uploading()), ...(await target.placeFor(from)) }, packages);
    if (packages && o.json) tellPackagesJson(await uploading(), packages);
    return true;
  } finally {
    await target.close();
  }
};

const endText = `
With packages and a folder, the packages come first, so that new DAGs find what they import; if they
fail, no DAG is changed. To take a package away, deploy first the DAGs that no longer import it.

Exit codes: 0 all was read and the packages are in use, 1 a file cannot be imported or was not read
in time, or the update failed, 2 what was given cannot be deployed, 130 interrupted: an update that
has begun goes on.
${example(
  'windsock deploy demo ./dags --delete',
  'windsock deploy demo --requirements requirements.txt --plugins ./plugins',
  'windsock deploy my-mwaa-environment ./dags --aws --profile prod',
)}`;

/** `windsock deploy ENV [DIR]` */
export const deployCommand = (context: Context): Command =>
  apiCommand('deploy')
    .description(
      `Bring the DAGs of a folder to an environment: only what changed, until Airflow has read it. A file ${ignoreFile} in the folder, in the form of .gitignore, says what stays behind. Also packages and plugins: only what changed, until the environment runs with it or says why it cannot.`,
    )
    .argument('<env>', 'name of the environment')
    .argument('[folder]', 'the folder with the DAGs (else dags; with packages, else none)')
    .option('--requirements <file>', 'a requirements.txt with the packages of the environment')
    .option('--plugins <path>', 'a plugins.zip, or a folder, which is zipped as its .windsockignore says')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--delete', 'remove what is in the environment and not in the folder; asks first')
    .option('--yes', 'delete without a question')
    .option('--watch', 'go on, and deploy whatever changes in the folder')
    .option(
      '--timeout <seconds>',
      'how long Airflow is waited for to read DAGs (90; with --aws 600: Amazon MWAA looks for new files every five minutes)',
    )
    .option('--aws', 'the environment is one of Amazon MWAA itself, called with your own credentials')
    .option('--profile <name>', 'profile of the AWS config files, for --aws and for buckets elsewhere')
    .option('--region <region>', 'region of Amazon MWAA (else AWS_REGION, or that of the profile)')
    .option(
      '--mwaa-endpoint <url>',
      'with --aws: the endpoint of Amazon MWAA in a VPC; variables are ignored',
    )
    .option('--s3-endpoint <url>', 'with --aws: the endpoint of S3 in a VPC; variables are ignored')
    .option('--json', 'for programs')
    .addHelpText('after', endText)
    .action(async (name: string, folder: string | undefined, o: DeployOptions, command: Command) => {
      checkOptions(o, folder !== undefined, context);
      const from = folder === undefined && namesPackages(o) ? undefined : folderOf(folder);
      const isWell = await deployAll(name, from, o, context);
      if (!isWell) command.setOptionValue('exitCode', exitCodes.failed);
    });
