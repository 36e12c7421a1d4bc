import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { WindsockOperationName } from '../../contract/windsock-operations.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { checkStatus } from '../mwaa/check-status.ts';
import { findForChange } from '../mwaa/find.ts';
import { onEnvironment } from '../mwaa/rights.ts';
import type { Call, Operation } from '../operation.ts';

const write = (call: Call, suspended: boolean, deps: ApiDeps): Promise<void> =>
  deps.store.inTransaction(async (tx) => {
    const e = await findForChange(call, deps, tx);
    checkStatus(e, 'update');
    if (e.suspended !== suspended) await deps.store.setSuspended(tx, e.id, e.generation, suspended);
    await deps.audit.write(call.auditEntry({ environmentId: e.id }), tx);
    failpoint('suspend:before-commit');
  });

/** An operation that stops an environment's Airflow or starts it again; asked for twice it changes nothing more. */
export const suspending = (name: WindsockOperationName, suspended: boolean): Operation => ({
  name,
  input: environmentNameInput,
  action: `windsock:${name}`,
  checks: onEnvironment(`windsock:${name}`),
  auditsSuccess: true,
  execute: async (call, deps) => {
    await write(call, suspended, deps);
    return {};
  },
});
