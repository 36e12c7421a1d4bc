/** One operation of the MWAA model (2020-07-01): where its members are in the request. */
export interface OperationBinding {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** URI pattern; `{Member}` is one percent-encoded path segment. */
  readonly uri: `/${string}`;
  /** Members that travel in the query string, by their name there. */
  readonly query?: Readonly<Record<string, string>>;
  /** True when the other members are a JSON body. */
  readonly body: boolean;
  /** What CloudTrail calls read-only. */
  readonly readOnly: boolean;
}

/** All twelve operations, served or not. */
export const operations = {
  CreateEnvironment: { method: 'PUT', uri: '/environments/{Name}', body: true, readOnly: false },
  GetEnvironment: { method: 'GET', uri: '/environments/{Name}', body: false, readOnly: true },
  ListEnvironments: {
    method: 'GET',
    uri: '/environments',
    query: { NextToken: 'NextToken', MaxResults: 'MaxResults' },
    body: false,
    readOnly: true,
  },
  UpdateEnvironment: { method: 'PATCH', uri: '/environments/{Name}', body: true, readOnly: false },
  DeleteEnvironment: { method: 'DELETE', uri: '/environments/{Name}', body: false, readOnly: false },
  CreateCliToken: { method: 'POST', uri: '/clitoken/{Name}', body: false, readOnly: false },
  CreateWebLoginToken: { method: 'POST', uri: '/webtoken/{Name}', body: false, readOnly: false },
  InvokeRestApi: { method: 'POST', uri: '/restapi/{Name}', body: true, readOnly: false },
  PublishMetrics: {
    method: 'POST',
    uri: '/metrics/environments/{EnvironmentName}',
    body: true,
    readOnly: false,
  },
  TagResource: { method: 'POST', uri: '/tags/{ResourceArn}', body: true, readOnly: false },
  UntagResource: {
    method: 'DELETE',
    uri: '/tags/{ResourceArn}',
    query: { tagKeys: 'TagKeys' },
    body: false,
    readOnly: false,
  },
  ListTagsForResource: { method: 'GET', uri: '/tags/{ResourceArn}', body: false, readOnly: true },
} as const satisfies Record<string, OperationBinding>;

export type OperationName = keyof typeof operations;

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(operations, name);
