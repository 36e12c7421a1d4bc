import { serviceUnavailableException, validationException } from '../../contract/errors.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { GenerationChanged } from '../../environments/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { checkStatus } from './check-status.ts';
import { findEnvironment } from './find.ts';
import { onEnvironment } from './rights.ts';

/** Marks the record, ends what lets people in and audits, all or nothing. */
const markDeleting = (call: Call, deps: ApiDeps) =>
  deps.store.inTransaction(async (tx) => {
    const environment = await findEnvironment(call, deps, tx);
    checkStatus(environment, 'delete');
    const { id, generation } = environment;
    await deps.store.setDeleting(tx, id, generation);
    const cut = await deps.endAll(tx, id);
    await deps.audit.write(call.auditEntry({ environmentId: id }), tx);
    failpoint('delete:before-commit');
    return { id, cut };
  });

/** Milliseconds for which a second deletion is told that there was a first one. */
const remembered = 60_000;

/** AWS's own words, which Terraform's provider looks for. */
const checkDeleted = async (call: Call, { accountId, region, store }: ApiDeps): Promise<void> => {
  const key = { accountId, region, name: stringMember(call.input, 'Name') };
  if ((await store.find(key)) === undefined && (await store.wasDeleted(key, remembered)))
    throw validationException('Environments with DELETED status cannot be deleted');
};

export const deleteEnvironment: Operation = {
  name: 'DeleteEnvironment',
  input: environmentNameInput,
  action: 'airflow:DeleteEnvironment',
  checks: onEnvironment('airflow:DeleteEnvironment'),
  auditsSuccess: true,
  execute: async (call, deps) => {
    await checkDeleted(call, deps);
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
