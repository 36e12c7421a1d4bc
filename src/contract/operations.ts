import type { ExceptionName } from './exceptions.ts';
import type { hostPrefixes } from './host-prefixes.ts';
import type { StructureShape } from './shape.ts';
import { getEnvironmentOutput } from './shapes/environment.ts';
import {
  createEnvironmentInput,
  emptyOutput,
  environmentArnOutput,
  environmentNameInput,
  listEnvironmentsInput,
  listEnvironmentsOutput,
  updateEnvironmentInput,
} from './shapes/environments.ts';
import { publishMetricsInput } from './shapes/metrics.ts';
import { invokeRestApiInput, restApiAnswer } from './shapes/rest-api.ts';
import {
  listTagsForResourceInput,
  listTagsForResourceOutput,
  tagResourceInput,
  untagResourceInput,
} from './shapes/tags.ts';
import { createCliTokenOutput, createWebLoginTokenOutput } from './shapes/tokens.ts';

/** One operation of the MWAA model (2020-07-01): where its members are in the request, and what may come back. */
export interface OperationBinding {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** URI pattern; `{Member}` is one percent-encoded path segment. */
  readonly uri: `/${string}`;
  /** What SDKs put in front of the host; nothing here depends on it. */
  readonly hostPrefix: (typeof hostPrefixes)[number];
  /** Members that travel in the query string, by their name there. */
  readonly query?: Readonly<Record<string, string>>;
  /** True when the other members are a JSON body. */
  readonly body: boolean;
  readonly input: StructureShape;
  readonly output: StructureShape;
  readonly errors: readonly ExceptionName[];
  /** The model says that a repeat changes nothing more. */
  readonly idempotent: boolean;
  /** What CloudTrail calls read-only. */
  readonly readOnly: boolean;
  /** What the model says of an operation that is not to be called any more. */
  readonly deprecated?: string;
}

const always = ['ValidationException', 'InternalServerException'] as const;
const ofOne = ['ResourceNotFoundException', ...always] as const;
const ofChange = ['ServiceUnavailableException', ...ofOne] as const;

const api = { hostPrefix: 'api.', idempotent: false, readOnly: false } as const;
const env = { hostPrefix: 'env.', idempotent: false, readOnly: false } as const;

/** All twelve operations, served or not. */
export const operations = {
  CreateEnvironment: {
    ...api,
    method: 'PUT',
    uri: '/environments/{Name}',
    body: true,
    input: createEnvironmentInput,
    output: environmentArnOutput,
    errors: ['ServiceUnavailableException', ...always],
    idempotent: true,
  },
  GetEnvironment: {
    ...api,
    method: 'GET',
    uri: '/environments/{Name}',
    body: false,
    input: environmentNameInput,
    output: getEnvironmentOutput,
    errors: ofOne,
    readOnly: true,
  },
  ListEnvironments: {
    ...api,
    method: 'GET',
    uri: '/environments',
    query: { NextToken: 'NextToken', MaxResults: 'MaxResults' },
    body: false,
    input: listEnvironmentsInput,
    output: listEnvironmentsOutput,
    errors: always,
    readOnly: true,
  },
  UpdateEnvironment: {
    ...api,
    method: 'PATCH',
    uri: '/environments/{Name}',
    body: true,
    input: updateEnvironmentInput,
    output: environmentArnOutput,
    errors: ofChange,
  },
  DeleteEnvironment: {
    ...api,
    method: 'DELETE',
    uri: '/environments/{Name}',
    body: false,
    input: environmentNameInput,
    output: emptyOutput,
    errors: ofChange,
    idempotent: true,
  },
  CreateCliToken: {
    ...env,
    method: 'POST',
    uri: '/clitoken/{Name}',
    body: false,
    input: environmentNameInput,
    output: createCliTokenOutput,
    errors: ['ResourceNotFoundException'],
  },
  CreateWebLoginToken: {
    ...env,
    method: 'POST',
    uri: '/webtoken/{Name}',
    body: false,
    input: environmentNameInput,
    output: createWebLoginTokenOutput,
    errors: ['AccessDeniedException', ...ofOne],
    idempotent: true,
  },
  InvokeRestApi: {
    ...env,
    method: 'POST',
    uri: '/restapi/{Name}',
    body: true,
    input: invokeRestApiInput,
    output: restApiAnswer,
    errors: ['RestApiClientException', 'AccessDeniedException', ...ofOne, 'RestApiServerException'],
  },
  PublishMetrics: {
    method: 'POST',
    uri: '/metrics/environments/{EnvironmentName}',
    hostPrefix: 'ops.',
    body: true,
    input: publishMetricsInput,
    output: emptyOutput,
    errors: always,
    idempotent: false,
    readOnly: false,
    deprecated: 'This API is for internal use and not meant for public use, and is no longer available.',
  },
  TagResource: {
    ...api,
    method: 'POST',
    uri: '/tags/{ResourceArn}',
    body: true,
    input: tagResourceInput,
    output: emptyOutput,
    errors: ofOne,
  },
  UntagResource: {
    ...api,
    method: 'DELETE',
    uri: '/tags/{ResourceArn}',
    query: { tagKeys: 'tagKeys' },
    body: false,
    input: untagResourceInput,
    output: emptyOutput,
    errors: ofOne,
    idempotent: true,
  },
  ListTagsForResource: {
    ...api,
    method: 'GET',
    uri: '/tags/{ResourceArn}',
    body: false,
    input: listTagsForResourceInput,
    output: listTagsForResourceOutput,
    errors: ofOne,
    readOnly: true,
  },
} as const satisfies Record<string, OperationBinding>;

export type OperationName = keyof typeof operations;

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(operations, name);
