import { environmentArn } from '../../contract/arn.ts';
import { validationException } from '../../contract/errors.ts';
import { createEnvironmentInput } from '../../contract/shapes/environments.ts';
import { EnvironmentExists } from '../../environments/errors.ts';
import type { NewEnvironment, Tags } from '../../environments/record.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { randomId } from '../../lib/ids.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { checkContent } from './check-content.ts';
import { claimCustomDomain } from './custom-domain.ts';
import { newSpec } from './environment-spec.ts';
import { checkPassedRole, passRole, requestTags } from './rights.ts';
import { ownTags } from './tags.ts';

/** Asked within the transaction that adds one: calls at once do not pass it together. */
const checkQuota = async (tx: Transaction, { accountId, region, store, quotas }: ApiDeps): Promise<void> => {
  const most = quotas.environments;
  if ((await store.countLocked(tx, { accountId, region })) < most) return;
  throw validationException(
    `The limit of ${most} environments per account and Region is reached. Delete an environment first.`,
  );
};

const insert = async (environment: NewEnvironment, call: Call, deps: ApiDeps): Promise<void> => {
  try {
    await deps.store.inTransaction(async (tx) => {
      await checkQuota(tx, deps);
      await claimCustomDomain(tx, environment.id, environment.spec, deps);
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
  checks: ({ input, ...scope }) => {
    const arn = environmentArn(scope, stringMember(input, 'Name'));
    const tags = (input['Tags'] ?? {}) as Tags;
    const context = requestTags(tags);
    const tagging = { action: 'airflow:TagResource', resources: [arn], context };
    return [
      { action: 'airflow:CreateEnvironment', resources: [arn], context },
      ...(Object.keys(tags).length === 0 ? [] : [tagging]),
      passRole(stringMember(input, 'ExecutionRoleArn'), arn),
    ];
  },
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { accountId, region, placement } = deps;
    checkPassedRole(stringMember(call.input, 'ExecutionRoleArn'), deps);
    const { Name: _, Tags, ...wanted } = call.input;
    const tags = ownTags(Tags);
    const name = stringMember(call.input, 'Name');
    const id = randomId(12);
    const spec = newSpec(wanted, id, deps);
    if (await deps.store.find({ accountId, region, name })) throw nameTaken(name);
    await checkContent(spec, deps);
    const arn = environmentArn(deps, name);
    await insert(
      { id, arn, name, accountId, region, spec, tags, placement, createdAt: deps.clock.now() },
      call,
      deps,
    );
    return { Arn: arn };
  },
};
