import { environmentArn } from '../../contract/arn.ts';
import { serviceUnavailableException, validationException } from '../../contract/errors.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { GenerationChanged } from '../../environments/errors.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { EnvironmentStatus } from '../../environments/status.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { findEnvironment } from './find.ts';

const deletable: readonly EnvironmentStatus[] = [
  'AVAILABLE',
  'CREATE_FAILED',
  'PENDING',
  'UNAVAILABLE',
  'UPDATE_FAILED',
];

const checkStatus = ({ status }: EnvironmentRecord): void => {
  if (deletable.includes(status)) return;
  throw validationException(
    `Environments with ${status} status must complete previous operation before initiating a new operation`,
  );
};

/** Marks the record, ends what lets people in and audits, all or nothing. */
const markDeleting = (call: Call, deps: ApiDeps) =>
  deps.store.inTransaction(async (tx) => {
    const environment = await findEnvironment(call, deps, tx);
    checkStatus(environment);
    const { id, generation } = environment;
    await deps.store.setDeleting(tx, id, generation);
    const cut = await deps.endAll(tx, id);
    await deps.audit.write(call.auditEntry({ environmentId: id }), tx);
    failpoint('delete:before-commit');
    return { id, cut };
  });

export const deleteEnvironment: Operation = {
  name: 'DeleteEnvironment',
  input: environmentNameInput,
  action: 'airflow:DeleteEnvironment',
  resources: (input, scope) => [environmentArn(scope, stringMember(input, 'Name'))],
  auditsSuccess: true,
  execute: async (call, deps) => {
    try {
      const { id, cut } = await markDeleting(call, deps);
      failpoint('delete:after-commit');
      cut?.();
      deps.wake(id);
    } catch (error) {
      if (error instanceof GenerationChanged)
        throw serviceUnavailableException(`${error.publicText}. Try again.`);
      throw error;
    }
    return {};
  },
};
