import { serviceUnavailableException } from '../../contract/errors.ts';
import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { WindsockOperationName } from '../../contract/windsock-operations.ts';
import { GenerationChanged } from '../../environments/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { checkStatus } from '../mwaa/check-status.ts';
import { findEnvironment } from '../mwaa/find.ts';
import { onEnvironment } from '../mwaa/rights.ts';
import type { Call, Operation } from '../operation.ts';

const write = (call: Call, suspended: boolean, deps: ApiDeps): Promise<string> =>
  deps.store.inTransaction(async (tx) => {
    const e = await findEnvironment(call, deps, tx);
    checkStatus(e, 'update');
    if (e.suspended !== suspended) await deps.store.setSuspended(tx, e.id, e.generation, suspended);
    await deps.audit.write(call.auditEntry({ environmentId: e.id }), tx);
    failpoint('suspend:before-commit');
    return e.id;
  });

/** An operation that stops an environment's Airflow or starts it again; asked for twice it changes nothing more. */
export const suspending = (name: WindsockOperationName, suspended: boolean): Operation => ({
  name,
  input: environmentNameInput,
  action: `windsock:${name}`,
  checks: onEnvironment(`windsock:${name}`),
  auditsSuccess: true,
  execute: async (call, deps) => {
    try {
      deps.wake(await write(call, suspended, deps));
    } catch (error) {
      if (error instanceof GenerationChanged)
        throw serviceUnavailableException(`${error.publicText}. Try again.`);
      throw error;
    }
    return {};
  },
});
