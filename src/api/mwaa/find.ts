import { resourceNotFoundException, validationException } from '../../contract/errors.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, stringMember } from '../operation.ts';

/** The environment that the call names; throws ResourceNotFoundException. */
export const findEnvironment = async (
  call: Call,
  deps: ApiDeps,
  tx?: Transaction,
): Promise<EnvironmentRecord> => {
  const name = stringMember(call.input, 'Name');
  const { accountId, region } = deps;
  const found = await deps.store.find({ accountId, region, name }, tx);
  if (found) return found;
  throw resourceNotFoundException(`No environment named ${name} found.`);
};

/**
 * The same with its host name, for calls that only make sense while the web server runs; throws ValidationException,
 * which says what can be done then.
 */
export const findAvailable = async (call: Call, deps: ApiDeps, what = 'Tokens can be created') => {
  const environment = await findEnvironment(call, deps);
  const { name, status, webserverHostname } = environment;
  if (status !== 'AVAILABLE' || webserverHostname === undefined) {
    throw validationException(`Environment ${name} is in status ${status}. ${what} when it is AVAILABLE.`);
  }
  return { environment, webserverHostname };
};
