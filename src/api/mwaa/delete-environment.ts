import { validationException } from '../../contract/errors.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { checkStatus } from './check-status.ts';
import { findForChange } from './find.ts';
import { onEnvironment } from './rights.ts';

/** Marks the record, ends what lets people in and audits, all or nothing. */
const markDeleting = (call: Call, deps: ApiDeps) =>
  deps.store.inTransaction(async (tx) => {
    const environment = await findForChange(call, deps, tx);
    checkStatus(environment, 'delete');
    const { id, generation } = environment;
    await deps.store.setDeleting(tx, id, generation);
    const cut = await deps.endAll(tx, id);
    await deps.audit.write(call.auditEntry({ environmentId: id }), tx);
    failpoint('delete:before-commit');
    return cut;
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
    const cut = await markDeleting(call, deps);
    failpoint('delete:after-commit');
    cut?.();
    return {};
  },
};
