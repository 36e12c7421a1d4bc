import type { OperationBinding } from './operations.ts';
import { explainAccessInput, guardRailInput, nothingInput, roleNameInput } from './shapes/access.ts';
import { environmentNameInput } from './shapes/environments.ts';
import { listSessionsInput, revokeSessionInput } from './shapes/sessions.ts';

/**
 * Operations that Amazon MWAA does not have: a service of their own, with the signing name `windsock`, spoken like
 * MWAA's (rest-json), with IAM actions `windsock:*`.
 */
export const windsockOperations = {
  StopEnvironment: {
    method: 'POST',
    uri: '/windsock/environments/{Name}/stop',
    body: false,
    input: environmentNameInput,
    readOnly: false,
  },
  StartEnvironment: {
    method: 'POST',
    uri: '/windsock/environments/{Name}/start',
    body: false,
    input: environmentNameInput,
    readOnly: false,
  },
  GetContent: {
    method: 'GET',
    uri: '/windsock/environments/{Name}/content',
    body: false,
    input: environmentNameInput,
    readOnly: true,
  },
  ExplainAccess: {
    method: 'POST',
    uri: '/windsock/access',
    body: true,
    input: explainAccessInput,
    readOnly: true,
  },
  ExplainEnvironmentAccess: {
    method: 'GET',
    uri: '/windsock/environments/{Name}/access',
    body: false,
    input: environmentNameInput,
    readOnly: true,
  },
  PutGuardRail: {
    method: 'PUT',
    uri: '/windsock/guard-rail',
    body: true,
    input: guardRailInput,
    readOnly: false,
  },
  GetGuardRail: {
    method: 'GET',
    uri: '/windsock/guard-rail',
    body: false,
    input: nothingInput,
    readOnly: true,
  },
  DeleteGuardRail: {
    method: 'DELETE',
    uri: '/windsock/guard-rail',
    body: false,
    input: nothingInput,
    readOnly: false,
  },
  RevokeRoleSessions: {
    method: 'POST',
    uri: '/windsock/roles/{RoleName}/revoke-sessions',
    body: false,
    input: roleNameInput,
    readOnly: false,
  },
  ListSessions: {
    method: 'GET',
    uri: '/windsock/sessions',
    query: {
      EnvironmentName: 'EnvironmentName',
      Principal: 'Principal',
      MaxResults: 'MaxResults',
      NextToken: 'NextToken',
    },
    body: false,
    input: listSessionsInput,
    readOnly: true,
  },
  RevokeSession: {
    method: 'POST',
    uri: '/windsock/sessions/revoke',
    body: true,
    input: revokeSessionInput,
    readOnly: false,
  },
} as const satisfies Record<string, CallBinding>;

/** What it takes to find an operation and read its request. */
export type CallBinding = Pick<OperationBinding, 'method' | 'uri' | 'query' | 'body' | 'input' | 'readOnly'>;

export type WindsockOperationName = keyof typeof windsockOperations;

export const isWindsockOperationName = (name: string): name is WindsockOperationName =>
  Object.hasOwn(windsockOperations, name);
