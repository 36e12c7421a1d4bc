import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../api-client.ts';
import type { AwsOptions } from '../aws.ts';
import type { LiveContent, LiveFile } from '../content.ts';
import type { Context } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { S3Client } from '../s3-client.ts';
import type { ServerOptions } from '../server.ts';
import { findFiles, rulesOf, sha256Of } from './files.ts';
import { type DeployPlan, deployPlan } from './plan.ts';
import { waitUntilRead } from './wait.ts';

export interface DeployOptions extends ServerOptions, AwsOptions {
  readonly dryRun?: boolean;
  readonly delete?: boolean;
  readonly yes?: boolean;
  readonly watch?: boolean;
  readonly timeout?: string;
  /** The environment is one of Amazon MWAA itself. */
  readonly aws?: boolean;
  readonly json?: boolean;
  readonly requirements?: string;
  readonly plugins?: string;
}

/** Seconds for which Airflow is waited for: Amazon MWAA looks for new files every five minutes. */
export const secondsFor = ({ timeout, aws }: DeployOptions): number => Number(timeout ?? (aws ? 600 : 90));

/** Where the files of an environment are in its bucket. */
export interface BucketPlace {
  readonly bucket: string;
  /** Of all keys, with `/` at its end; empty for the whole bucket. */
  readonly prefix: string;
}

/** An environment, and how its bucket is written. */
export interface Uploading {
  readonly api: ApiClient;
  readonly s3: S3Client;
  readonly name: string;
  readonly o: DeployOptions;
  readonly context: Context;
}

/** A folder, and the environment that gets it. */
export interface Deployment extends Uploading {
  readonly from: string;
  readonly to: BucketPlace;
  /** What is live now. */
  readonly look: () => Promise<LiveContent>;
  /** Milliseconds between two looks while it is waited. */
  readonly pause: number;
  /** Milliseconds after which what Airflow reads is certainly what the bucket has. */
  readonly settling: number;
}

/** What is live already, without what the rules of the folder name: that is nobody's business here. */
const filesThere = async (
  { from }: Deployment,
  content: LiveContent,
): Promise<ReadonlyMap<string, string>> => {
  const staysBehind = await rulesOf(from);
  return new Map([...liveFiles(content)].filter(([path]) => !staysBehind(path)));
};

const mayDelete = async ({ o, context, name }: Deployment, paths: readonly string[]): Promise<boolean> => {
  if (!o.delete || paths.length === 0) return false;
  if (o.yes || o.dryRun) return true;
  if (!context.input.isTerminal)
    throw new CliError(`${paths.length} files would be deleted from ${name}.`, {
      todo: 'Add --yes to delete them without a question, or --dry-run to see which.',
      exitCode: exitCodes.usage,
    });
  const shown = paths.slice(0, 10).map((path) => `  ${path}\n`);
  const rest = paths.length > 10 ? `  and ${paths.length - 10} more\n` : '';
  const answer = await context.input.line(`Delete from ${name}:\n${shown.join('')}${rest}Yes or no? [no] `);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
};

/** What a deployment did. */
export interface Done {
  readonly plan: DeployPlan;
  readonly removed: readonly string[];
  readonly left: readonly string[];
  readonly content: LiveContent;
  /** Files that could be imported before and cannot now, and those of the deployment that cannot. */
  readonly broken: readonly LiveFile[];
}

const isFailed = ({ State }: LiveFile): boolean => State === 'failed';

/** A file that is being written is looked at again, so often. */
const mostTries = 20;

/** Puts a file as it is now; gives its SHA-256. @throws CliError when it does not stop changing */
const putWhole = async (d: Deployment, path: string, sha256: string): Promise<string> => {
  let wanted = sha256;
  for (let tries = 0; tries < mostTries; tries += 1) {
    d.context.signal.throwIfAborted();
    const { bucket, prefix } = d.to;
    if (await d.s3.put(bucket, prefix + path, join(d.from, path), wanted)) return wanted;
    await delay(100, undefined, { signal: d.context.signal });
    wanted = await sha256Of(join(d.from, path));
  }
  throw new CliError(`${path} changes while it is read.`, { todo: 'Deploy again when it is written.' });
};

/** Gives the SHA-256 of what was put, by path. @throws ApiError when the caller may not, or the bucket cannot have it */
const write = async (
  d: Deployment,
  put: ReadonlyMap<string, string>,
  removed: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const done = new Map<string, string>();
  for (const [path, sha256] of put) done.set(path, await putWhole(d, path, sha256));
  for (const path of removed) await d.s3.remove(d.to.bucket, d.to.prefix + path);
  return done;
};

/** True when one of them is no DAG: those that are may import it. */
const hasHelper = ({ Files }: LiveContent, paths: readonly string[]): boolean =>
  Files.some(({ Path, State }) => State === 'no-dag' && paths.includes(Path));

const liveFiles = ({ Files }: LiveContent): ReadonlyMap<string, string> =>
  new Map(Files.flatMap(({ Path, Sha256 }) => (Sha256 === undefined ? [] : [[Path, Sha256]])));

/** Brings the folder to the environment once, and waits until Airflow has read what changed. */
export const deployOnce = async (d: Deployment): Promise<Done> => {
  const before = await d.look();
  const isFollowed = before.FollowedFolder !== undefined;
  const { files, leftOut } = await findFiles(d.from, {
    ...{ staysBehind: await rulesOf(d.from), signal: d.context.signal },
    // the server follows no link out of a folder that it follows
    links: !isFollowed,
  });
  for (const path of leftOut)
    d.context.err(`left out: ${path} is ${isFollowed ? 'no file' : 'no file, or leads to none'}\n`);
  const plan = deployPlan(files, isFollowed ? liveFiles(before) : await filesThere(d, before), leftOut);
  // of a folder that is followed everything that is gone from it goes by itself
  const removed = isFollowed || (await mayDelete(d, plan.others)) ? plan.others : [];
  if (d.o.dryRun) return { plan, removed, left: [], content: before, broken: [] };
  const put = new Map([...plan.added, ...plan.changed].map((path) => [path, files.get(path) ?? '']));
  const written = isFollowed ? put : await write(d, put, removed);
  // what was there already may not have been read yet
  const awaited = new Map([...files, ...written]);
  const { content, left } = await waitUntilRead(
    d.look,
    {
      files: awaited,
      removed,
      helpersRemovedAt: hasHelper(before, removed) ? (Date.now() + d.settling) / 1000 : 0,
    },
    { patience: secondsFor(d.o) * 1000, pause: d.pause, signal: d.context.signal },
  );
  const failedBefore = new Set(before.Files.filter(isFailed).map(({ Path }) => Path));
  const broken = content.Files.filter(
    (file) => isFailed(file) && (files.has(file.Path) || !failedBefore.has(file.Path)),
  );
  return { plan, removed, left, content, broken };
};
