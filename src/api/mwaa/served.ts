import type { OperationName } from '../../contract/operations.ts';
import type { Operation } from '../operation.ts';
import { createCliToken } from './create-cli-token.ts';
import { createEnvironment } from './create-environment.ts';
import { createWebLoginToken } from './create-web-login-token.ts';
import { deleteEnvironment } from './delete-environment.ts';
import { getEnvironment } from './get-environment.ts';
import { invokeRestApi } from './invoke-rest-api.ts';
import { listEnvironments } from './list-environments.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { publishMetrics } from './publish-metrics.ts';
import { tagResource } from './tag-resource.ts';
import { untagResource } from './untag-resource.ts';
import { updateEnvironment } from './update-environment.ts';

/** Every operation of the contract, by its name. */
export const servedOperations = {
  CreateEnvironment: createEnvironment,
  GetEnvironment: getEnvironment,
  ListEnvironments: listEnvironments,
  UpdateEnvironment: updateEnvironment,
  DeleteEnvironment: deleteEnvironment,
  CreateCliToken: createCliToken,
  CreateWebLoginToken: createWebLoginToken,
  InvokeRestApi: invokeRestApi,
  PublishMetrics: publishMetrics,
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
} satisfies Record<OperationName, Operation>;
