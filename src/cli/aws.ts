import type { S3Client } from '@aws-sdk/client-s3';
import { reasonFor } from '../aws/aws-error.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type AwsS3Client, createAwsS3Client } from './aws-s3-client.ts';
import type { Context } from './context.ts';
import { CliError, exitCodes } from './errors.ts';
import type { Connection } from './server.ts';

/** Options of commands that call AWS with the caller's own credentials. */
export interface AwsOptions {
  /** Of the AWS config files. */
  readonly profile?: string;
  readonly region?: string;
  /** Endpoints to call instead of the public ones, such as those of a VPC. */
  readonly mwaaEndpoint?: string;
  readonly s3Endpoint?: string;
}

/** A bucket of another server than AWS, or in another region than the caller's. */
export interface BucketServer {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
}

const makeSdk = async (o: AwsOptions, at: BucketServer): Promise<S3Client> => {
  const { S3Client: Sdk } = await import('@aws-sdk/client-s3');
  const region = at.region ?? o.region;
  const endpoint = at.endpoint ?? o.s3Endpoint;
  return new Sdk({
    ...(o.profile === undefined ? {} : { profile: o.profile }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    // `windsock env` sets AWS_ENDPOINT_URL_S3: keys of AWS must not go there
    ignoreConfiguredEndpointUrls: true,
    forcePathStyle: at.pathStyle ?? endpoint !== undefined,
    followRegionRedirects: endpoint === undefined,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
  });
};

/** Buckets of AWS or of another server, as whoever calls. Made at the first use. */
export const awsBuckets = (
  o: AwsOptions,
  context: Context,
  at: BucketServer = {},
): { readonly s3: AwsS3Client; readonly sdk: () => Promise<S3Client> } => {
  let made: Promise<S3Client> | undefined;
  const sdk = (): Promise<S3Client> => {
    made ??= makeSdk(o, at);
    return made;
  };
  return { s3: createAwsS3Client(sdk, context.signal), sdk };
};

/** "Amazon Managed Workflows for Apache Airflow endpoints and quotas", AWS General Reference. */
const domainOf = (region: string): string =>
  region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';

/** The prefix of the host name is that of the operation in the service model of Amazon MWAA. */
const endpointFor = (path: string, region: string): string =>
  `https://${path.startsWith('/restapi/') ? 'env' : 'api'}.airflow.${region}.${domainOf(region)}`;

const connectionFor = async (
  path: string,
  o: AwsOptions,
  sdk: () => Promise<S3Client>,
  context: Context,
): Promise<Connection> => {
  try {
    const { config } = await sdk();
    const [region, { accessKeyId, secretAccessKey, sessionToken }] = await Promise.all([
      config.region(),
      config.credentials(),
    ]);
    return {
      ...{ endpoint: new URL(o.mwaaEndpoint ?? endpointFor(path, region)), region, accountId: undefined },
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
      caFile: context.env['AWS_CA_BUNDLE'],
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const isRegion = error instanceof Error && /region/i.test(error.message);
    const whose = o.profile === undefined ? '' : `With the profile ${o.profile}: `;
    throw new CliError('AWS cannot be called.', {
      why: isRegion ? 'No region is known.' : `${whose}${reasonFor(error)}.`,
      todo: isRegion
        ? 'Name it with --region, or in AWS_REGION or a profile.'
        : 'Sign in (aws sso login, aws configure), or name a profile with --profile NAME.',
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
};

/** The API of Amazon MWAA itself. Credentials that expire meanwhile are renewed. */
export const awsApiClient = (o: AwsOptions, sdk: () => Promise<S3Client>, context: Context): ApiClient => {
  const clientFor = async (path: string): Promise<ApiClient> =>
    createApiClient(await connectionFor(path, o, sdk, context), context.signal);
  const silent = (error: unknown): unknown => {
    if (!(error instanceof CliError) || error.exitCode !== exitCodes.unreachable) return error;
    return new CliError('Amazon MWAA does not answer.', {
      ...(error.why === undefined ? {} : { why: `${error.message} ${error.why}` }),
      todo: 'Check the region and the network; in a VPC name its endpoint with --mwaa-endpoint.',
      exitCode: error.exitCode,
      cause: error,
    });
  };
  return {
    call: async (schema, call) => {
      try {
        return await (await clientFor(call.path)).call(schema, call);
      } catch (error) {
        throw silent(error);
      }
    },
    form: () => Promise.reject(new Error('Amazon MWAA has no Query protocol')),
  };
};
