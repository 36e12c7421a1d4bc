import { realpathSync } from 'node:fs';
import { bucketNameOf, prefixOf } from '../../contract/arn.ts';
import { type ApiClient, ApiError } from '../api-client.ts';
import { awsApiClient, awsBuckets } from '../aws.ts';
import { connect } from '../commands/common.ts';
import { getContent, type LiveContent } from '../content.ts';
import type { Context } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { type Environment, getEnvironment } from '../mwaa.ts';
import { createS3Client, type S3Client } from '../s3-client.ts';
import { airflowReader } from './airflow-reader.ts';
import { AwsContent, syncTime } from './aws-content.ts';
import type { BucketPlace, Deployment, DeployOptions } from './deployment.ts';

/** The environment that is deployed to, and how it is reached. */
export interface Target {
  readonly api: ApiClient;
  /** A client of the bucket; the same each time. */
  s3(): Promise<S3Client>;
  /** @throws CliError where that folder cannot be deployed */
  checkFolder(from: string): Promise<void>;
  placeFor(from: string): Promise<Pick<Deployment, 'from' | 'to' | 'look' | 'pause' | 'settling'>>;
  close(): Promise<void>;
}

/** Where the files of an environment are in its bucket. */
const placeOf = ({ SourceBucketArn = '', DagS3Path = '' }: Environment): BucketPlace => ({
  bucket: bucketNameOf(SourceBucketArn),
  prefix: prefixOf(DagS3Path),
});

/** Of an environment that follows a folder, only that one can be deployed: nothing is changed in it. @throws CliError */
const checkFollowed = async (api: ApiClient, name: string, from: string): Promise<void> => {
  const { FollowedFolder } = await getContent(api, name);
  if (FollowedFolder === undefined || realpathSync(from) === FollowedFolder) return;
  throw new CliError(`${name} follows the folder ${FollowedFolder}.`, {
    why: 'What is in that folder is live as soon as it is saved; nothing else can be deployed.',
    todo: `Change the files there and wait for them: windsock deploy ${name} ${FollowedFolder}`,
  });
};

/** A caller without windsock:GetContent may still deploy packages; the bucket is then assumed to be on this server. */
const bucketServerOf = async (
  api: ApiClient,
  name: string,
): Promise<LiveContent['BucketServer'] | undefined> => {
  try {
    return (await getContent(api, name)).BucketServer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
};

/** An environment of a Windsock. Its bucket may be elsewhere: that is written with the caller's own credentials. */
export const windsockTarget = (name: string, o: DeployOptions, context: Context): Target => {
  const { to, api } = connect(o, context);
  let made: Promise<S3Client> | undefined;
  const make = async (): Promise<S3Client> => {
    const server = await bucketServerOf(api, name);
    if (server === undefined) return createS3Client(to, context.signal);
    const { Endpoint: endpoint, Region: region, PathStyle: pathStyle } = server;
    return awsBuckets(o, context, { endpoint, region, pathStyle }).s3;
  };
  return {
    api,
    s3: () => {
      made ??= make();
      return made;
    },
    close: async () => (await made?.catch(() => undefined))?.close(),
    checkFolder: (from) => checkFollowed(api, name, from),
    placeFor: async (from) => ({
      ...{ from, to: placeOf(await getEnvironment(api, name)) },
      ...{ look: () => getContent(api, name), pause: 250, settling: 0 },
    }),
  };
};

/** Milliseconds: each look is a listing and some calls of the REST API. */
const awsPause = 3_000;

/** Airflow of Amazon MWAA does not answer each time: it is restarted, busy, or throttled. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError
    ? error.status === 429 || error.status >= 500 || error.code.startsWith('RestApi')
    : error instanceof CliError && error.exitCode === exitCodes.unreachable;

/** After a first look that succeeded, one that fails for a passing reason is as if nothing had changed. */
const patient = (look: () => Promise<LiveContent>): (() => Promise<LiveContent>) => {
  let last: LiveContent | undefined;
  return async () => {
    try {
      last = await look();
    } catch (error) {
      if (last === undefined || !isPassing(error)) throw error;
    }
    return last;
  };
};

/** An environment of Amazon MWAA itself. */
export const awsTarget = (name: string, o: DeployOptions, context: Context): Target => {
  const { s3, sdk } = awsBuckets(o, context);
  const api = awsApiClient(o, sdk, context);
  return {
    api,
    s3: () => Promise.resolve(s3),
    close: () => s3.close(),
    checkFolder: async () => {},
    placeFor: async (from) => {
      const environment = await getEnvironment(api, name);
      const to = placeOf(environment);
      // --delete would mean the whole bucket
      if (to.bucket === '' || to.prefix === '')
        throw new CliError(`${name} names no folder of a bucket for its DAGs.`, {
          todo: `Look at it: aws mwaa get-environment --name ${name}`,
        });
      const major = Number.parseInt(environment.AirflowVersion ?? '2', 10);
      const content = new AwsContent({ s3, airflow: airflowReader(api, name, major), place: to, from });
      return { from, to, look: patient(() => content.look()), pause: awsPause, settling: syncTime };
    },
  };
};
