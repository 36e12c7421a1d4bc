import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type DataFolder, dataFolder, defaultDataFolder } from '../config/data-folder.ts';
import { codeOf, textOf } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { CliError, exitCodes } from './errors.ts';

/** The options that every command has which speaks to a server. */
export interface ServerOptions {
  readonly data?: string;
  readonly endpoint?: string;
}

const endpointSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  caBundle: z.string(),
  ca: z.string(),
});
/** What a running server tells on this machine. */
export type EndpointFacts = z.infer<typeof endpointSchema>;

const keySchema = z.object({ accountId: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() });
export type RootAccessKey = z.infer<typeof keySchema>;
export type AccessKey = Pick<RootAccessKey, 'accessKeyId' | 'secretAccessKey'>;

const notStarted = (folder: string, cause: unknown): CliError =>
  new CliError('No Windsock server was started on this machine yet.', {
    why: `There is nothing in the data folder ${folder}.`,
    todo: 'Start one with "windsock start", or name its folder with --data DIR.',
    exitCode: exitCodes.unreachable,
    cause,
  });

const readJson = <T>(schema: z.ZodType<T>, file: string, folder: string): T => {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw notStarted(folder, error);
    if (codeOf(error) === 'EACCES')
      throw new CliError(`Cannot read ${file}.`, {
        why: 'It belongs to the account that runs the server.',
        todo: 'Run this command as that account (for instance with sudo), or set AWS_ENDPOINT_URL_MWAA and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.',
        cause: error,
      });
    const why = codeOf(error) === undefined ? 'It is damaged.' : textOf(error);
    throw new CliError(`Cannot use ${file}.`, {
      why,
      todo: 'Start the server again: windsock start',
      cause: error,
    });
  }
};

/** The paths of the data folder that the options name, else of the usual one. */
export const paths = (options: ServerOptions, context: Context): DataFolder => {
  const root = resolve(options.data ?? defaultDataFolder(context.env, context.isRoot));
  return dataFolder(root, context.env);
};

/** Reads `endpoint.json` of the data folder; throws CliError. */
export const endpointFacts = (options: ServerOptions, context: Context): EndpointFacts => {
  const folder = paths(options, context);
  return readJson(endpointSchema, folder.endpoint, folder.root);
};

/** Reads the root access key of the data folder; throws CliError. */
export const rootAccessKey = (options: ServerOptions, context: Context): RootAccessKey => {
  const folder = paths(options, context);
  return readJson(keySchema, folder.rootAccessKey, folder.root);
};

/** Where to call, and as whom. */
export interface Connection {
  readonly endpoint: URL;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Unknown when the key came from the environment. */
  readonly accountId: string | undefined;
  /** A file with certificates to trust beside the public ones. */
  readonly caFile: string | undefined;
}

const asUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CliError(`"${text}" is no endpoint.`, {
    todo: 'Give a URL such as http://localhost:7400',
    exitCode: exitCodes.usage,
  });
};

const explicitConnection = (endpoint: string, options: ServerOptions, context: Context): Connection => {
  const { env } = context;
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  const own = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
  const key = own ? undefined : rootAccessKey(options, context);
  const sessionToken = own && env['AWS_SESSION_TOKEN'];
  return {
    endpoint: asUrl(endpoint),
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    credentials: { ...(own ?? keySchema.parse(key)), ...(sessionToken ? { sessionToken } : {}) },
    accountId: key?.accountId,
    caFile: env['AWS_CA_BUNDLE'],
  };
};

/** The server of the data folder, called with that key. */
export const connectionAs = (credentials: AccessKey, facts: EndpointFacts): Connection => ({
  endpoint: asUrl(facts.endpoint),
  region: facts.region,
  credentials,
  accountId: undefined,
  caFile: facts.caBundle,
});

/**
 * The server to call: `--endpoint`, else AWS_ENDPOINT_URL_MWAA, else the one of the data folder. The key of the
 * environment is used only together with an explicit endpoint, so that keys of real AWS never come here.
 */
export const connection = (options: ServerOptions, context: Context): Connection => {
  const explicit = options.endpoint ?? context.env['AWS_ENDPOINT_URL_MWAA'];
  if (explicit) return explicitConnection(explicit, options, context);
  const facts = endpointFacts(options, context);
  const { accountId, ...credentials } = rootAccessKey(options, context);
  return { ...connectionAs(credentials, facts), accountId };
};
