import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { CliError } from './errors.ts';

const webToken = z.object({
  WebToken: z.string(),
  WebServerHostname: z.string(),
  IamIdentity: z.string().optional(),
  AirflowIdentity: z.string().optional(),
});
export type WebToken = z.infer<typeof webToken>;

const cliToken = z.object({ CliToken: z.string(), WebServerHostname: z.string() });
export type CliToken = z.infer<typeof cliToken>;

const environment = z.looseObject({
  Name: z.string(),
  Status: z.string(),
  AirflowVersion: z.string().optional(),
  Arn: z.string().optional(),
  CreatedAt: z.number().optional(),
  DagS3Path: z.string().optional(),
  EnvironmentClass: z.string().optional(),
  PluginsS3ObjectVersion: z.string().optional(),
  PluginsS3Path: z.string().optional(),
  RequirementsS3ObjectVersion: z.string().optional(),
  RequirementsS3Path: z.string().optional(),
  SourceBucketArn: z.string().optional(),
  WebserverUrl: z.string().optional(),
  LastUpdate: z
    .looseObject({
      Status: z.string().optional(),
      Error: z
        .looseObject({ ErrorCode: z.string().optional(), ErrorMessage: z.string().optional() })
        .optional(),
    })
    .optional(),
});
export type Environment = z.infer<typeof environment>;

const page = z.object({ Environments: z.array(z.string()), NextToken: z.string().nullish() });
const at = (kind: 'environments' | 'webtoken' | 'clitoken', name: string): string =>
  `/${kind}/${encodeURIComponent(name)}`;

export const createWebLoginToken = (api: ApiClient, name: string): Promise<WebToken> =>
  api.call(webToken, { method: 'POST', path: at('webtoken', name), body: {} });

export const createCliToken = (api: ApiClient, name: string): Promise<CliToken> =>
  api.call(cliToken, { method: 'POST', path: at('clitoken', name), body: {} });

export const getEnvironment = async (api: ApiClient, name: string): Promise<Environment> =>
  (await api.call(z.object({ Environment: environment }), { method: 'GET', path: at('environments', name) }))
    .Environment;

export const createEnvironment = async (api: ApiClient, name: string, body: object): Promise<string> =>
  (await api.call(z.object({ Arn: z.string() }), { method: 'PUT', path: at('environments', name), body }))
    .Arn;

export const updateEnvironment = async (api: ApiClient, name: string, body: object): Promise<string> =>
  (await api.call(z.object({ Arn: z.string() }), { method: 'PATCH', path: at('environments', name), body }))
    .Arn;

export const deleteEnvironment = async (api: ApiClient, name: string): Promise<void> => {
  await api.call(z.unknown(), { method: 'DELETE', path: at('environments', name) });
};

/** Windsock's own: Amazon MWAA has no such operation. */
export const stopOrStart = async (api: ApiClient, name: string, what: 'stop' | 'start'): Promise<void> => {
  const path = `/windsock/environments/${encodeURIComponent(name)}/${what}`;
  await api.call(z.unknown(), { method: 'POST', path, service: 'windsock' });
};

/** Every name, page by page. */
export const listEnvironments = async (api: ApiClient): Promise<readonly string[]> => {
  const names: string[] = [];
  let next: string | undefined;
  do {
    const query = { MaxResults: '25', ...(next === undefined ? {} : { NextToken: next }) };
    const answer = await api.call(page, { method: 'GET', path: '/environments', query });
    names.push(...answer.Environments);
    next = answer.NextToken ?? undefined;
  } while (next !== undefined);
  return names;
};

/** Where a browser turns the token into a session ("Create a web login token", Amazon MWAA user guide). */
export const loginUrl = (token: WebToken): string =>
  `https://${token.WebServerHostname}/aws_mwaa/aws-console-sso?login=true#${token.WebToken}`;

const restAnswer = z.object({ RestApiResponse: z.unknown() });

/** One GET of Airflow's REST API; the path is below its root, such as `/dags`. @throws ApiError */
export const getFromAirflow = async <T>(
  api: ApiClient,
  schema: z.ZodType<T>,
  name: string,
  path: string,
  query: Readonly<Record<string, unknown>> = {},
): Promise<T> => {
  const body = { Method: 'GET', Path: path, QueryParameters: query };
  const { RestApiResponse } = await api.call(restAnswer, {
    ...{ method: 'POST', path: `/restapi/${encodeURIComponent(name)}`, body },
  });
  const parsed = schema.safeParse(RestApiResponse);
  if (parsed.success) return parsed.data;
  throw new CliError(`Airflow of ${name} gave an answer to ${path} that is not of its REST API.`);
};
