import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { ignoreFile } from '../../lib/deploy-rules.ts';
import type { ApiClient } from '../api-client.ts';
import { getContent } from '../content.ts';
import type { Context } from '../context.ts';
import { type BucketPlace, type Deployment, type DeployOptions, deployOnce } from '../deploy/deployment.ts';
import { findFiles, rulesOf, stampOf } from '../deploy/files.ts';
import { tell } from '../deploy/tell.ts';
import { CliError, exitCodes } from '../errors.ts';
import { getEnvironment } from '../mwaa.ts';
import { createS3Client } from '../s3-client.ts';
import { apiCommand, connect, example } from './common.ts';

/** Where the files of an environment are in its bucket. */
const placeOf = async (api: ApiClient, name: string): Promise<BucketPlace> => {
  const { SourceBucketArn = '', DagS3Path = '' } = await getEnvironment(api, name);
  const segments = DagS3Path.split('/').filter(Boolean);
  return {
    bucket: SourceBucketArn.split(':').at(-1) ?? '',
    prefix: segments.map((segment) => `${segment}/`).join(''),
  };
};

/** Of an environment that follows a folder, only that one can be deployed: nothing is changed in it. @throws CliError */
const checkFolder = async (api: ApiClient, name: string, from: string): Promise<void> => {
  const { FollowedFolder } = await getContent(api, name);
  if (FollowedFolder === undefined || realpathSync(from) === FollowedFolder) return;
  throw new CliError(`${name} follows the folder ${FollowedFolder}.`, {
    why: 'What is in that folder is live as soon as it is saved; nothing else can be deployed.',
    todo: `Change the files there and wait for them: windsock deploy ${name} ${FollowedFolder}`,
  });
};

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

/** `windsock deploy ENV [DIR]` */
export const deployCommand = (context: Context): Command =>
  apiCommand('deploy')
    .description(
      `Bring the DAGs of a folder to an environment: only what changed, until Airflow has read it. A file ${ignoreFile} in the folder, in the form of .gitignore, says what stays behind.`,
    )
    .argument('<env>', 'name of the environment')
    .argument('[folder]', 'the folder with the DAGs (else dags)')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--delete', 'remove what is in the environment and not in the folder; asks first')
    .option('--yes', 'delete without a question')
    .option('--watch', 'go on, and deploy whatever changes')
    .option('--timeout <seconds>', 'how long Airflow is waited for', '90')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `\nExit codes: 0 all was read, 1 a file cannot be imported or was not read in time.\n${example(
        'windsock deploy demo ./dags --delete',
      )}`,
    )
    .action(async (name: string, folder: string | undefined, o: DeployOptions, command: Command) => {
      if (!(Number(o.timeout) > 0))
        throw new CliError(`"${o.timeout}" is no number of seconds.`, { exitCode: exitCodes.usage });
      const from = folderOf(folder);
      const { to, api } = connect(o, context);
      await checkFolder(api, name, from);
      const s3 = createS3Client(to, context.signal);
      try {
        const d = { api, s3, name, from, to: await placeOf(api, name), o, context };
        if (o.watch && !o.dryRun) return await watchAndDeploy(d);
        const done = await deployOnce(d);
        tell(d, done);
        if (done.broken.length + done.left.length > 0) command.setOptionValue('exitCode', exitCodes.failed);
      } finally {
        await s3.close();
      }
    });
