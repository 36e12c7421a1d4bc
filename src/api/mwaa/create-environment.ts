import { environmentArn } from '../../contract/arn.ts';
import { validationException } from '../../contract/errors.ts';
import { createEnvironmentInput } from '../../contract/shapes/environments.ts';
import { EnvironmentExists, SourceUnavailable } from '../../environments/errors.ts';
import type { EnvironmentSpec, NewEnvironment } from '../../environments/record.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { randomId } from '../../lib/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { withDefaults } from './environment-defaults.ts';
import { ownTags } from './tags.ts';

/** MWAA's quota: environments per account and Region. */
export const maxEnvironments = 10;

const checkQuota = async ({ accountId, region, store }: ApiDeps): Promise<void> => {
  const names = await store.list({ accountId, region }, { limit: maxEnvironments });
  if (names.length < maxEnvironments) return;
  throw validationException(
    `The limit of ${maxEnvironments} environments per account and Region is reached. Delete an environment first.`,
  );
};

const checkContent = async (spec: EnvironmentSpec, deps: ApiDeps): Promise<void> => {
  try {
    await deps.checkContent?.({ bucketArn: spec.SourceBucketArn, path: spec.DagS3Path });
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    throw validationException(`Invalid request provided: ${error.publicText}`);
  }
};

const insert = async (environment: NewEnvironment, call: Call, deps: ApiDeps): Promise<void> => {
  try {
    await deps.store.inTransaction(async (tx) => {
      await deps.store.insert(tx, environment);
      const responseElements = { Arn: environment.arn };
      await deps.audit.write(call.auditEntry({ environmentId: environment.id, responseElements }), tx);
      failpoint('create:before-commit');
    });
    failpoint('create:after-commit');
  } catch (error) {
    if (!(error instanceof EnvironmentExists)) throw error;
    throw nameTaken(environment.name);
  }
};

const nameTaken = (name: string) =>
  validationException(
    `Environment with name ${name} already exists. Choose another name or delete it first.`,
  );

/** Writes down what is wanted and wakes the loop that makes it true. */
export const createEnvironment: Operation = {
  name: 'CreateEnvironment',
  input: createEnvironmentInput,
  action: 'airflow:CreateEnvironment',
  resources: (input, scope) => [environmentArn(scope, stringMember(input, 'Name'))],
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { accountId, region, placement } = deps;
    const { Name: _, Tags, ...wanted } = call.input;
    const tags = ownTags(Tags);
    const name = stringMember(call.input, 'Name');
    const id = randomId(12);
    const spec = withDefaults(wanted, id, deps.airflowVersions);
    if (await deps.store.find({ accountId, region, name })) throw nameTaken(name);
    await checkQuota(deps);
    await checkContent(spec, deps);
    const arn = environmentArn(deps, name);
    await insert(
      { id, arn, name, accountId, region, spec, tags, placement, createdAt: deps.clock.now() },
      call,
      deps,
    );
    deps.wake(id);
    return { Arn: arn };
  },
};
