import { z } from 'zod';
import {
  executionRolePolicy,
  executionRolePolicyName,
  executionRoleTrust,
  type RoleScope,
} from '../contract/execution-role.ts';
import { type ApiClient, ApiError } from './api-client.ts';

/** IAM's limit for the name of a role. */
const longestName = 64;

/** The role that an environment of this command gets where none is named. */
const roleNameOf = (environment: string): string =>
  `windsock-${environment}`.replace(/[^\w+=,.@-]/g, '-').slice(0, longestName);

const unlessThere = (error: unknown): void => {
  if (!(error instanceof ApiError) || error.code !== 'EntityAlreadyExists') throw error;
};

/**
 * Makes the execution role of an environment, as the console of Amazon MWAA does, and gives its ARN. A role of that
 * name that is there gets the policy for the environment and stays as it is otherwise. Throws ApiError.
 */
export const makeExecutionRole = async (
  api: ApiClient,
  environment: string,
  bucket: string,
  scope: RoleScope,
): Promise<string> => {
  const RoleName = roleNameOf(environment);
  const role = { RoleName, AssumeRolePolicyDocument: executionRoleTrust };
  await api
    .form(z.unknown(), { service: 'iam', action: 'CreateRole', members: role })
    .catch((error: unknown) => unlessThere(error));
  const policy = {
    RoleName,
    PolicyName: executionRolePolicyName(environment),
    PolicyDocument: executionRolePolicy({ environment, bucket }, scope),
  };
  await api.form(z.unknown(), { service: 'iam', action: 'PutRolePolicy', members: policy });
  return `arn:aws:iam::${scope.accountId}:role/${RoleName}`;
};
