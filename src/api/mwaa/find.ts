import { resourceNotFoundException, validationException } from '../../contract/errors.ts';
import type { EnvironmentKey, EnvironmentRecord } from '../../environments/record.ts';
import { mayAsk } from '../../environments/status.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, stringMember } from '../operation.ts';
import { stoppedText } from './check-status.ts';

const keyOf = (call: Call, { accountId, region }: ApiDeps): EnvironmentKey => ({
  accountId,
  region,
  name: stringMember(call.input, 'Name'),
});

const orNotFound = (found: EnvironmentRecord | undefined, { name }: EnvironmentKey): EnvironmentRecord => {
  if (found) return found;
  throw resourceNotFoundException(`No environment named ${name} found.`);
};

/** The environment that the call names; throws ResourceNotFoundException. */
export const findEnvironment = async (call: Call, deps: ApiDeps): Promise<EnvironmentRecord> => {
  const key = keyOf(call, deps);
  return orNotFound(await deps.store.find(key), key);
};

/**
 * The same, for a call that changes it: neither another call nor the loop changes it before the transaction ends, so
 * that what is checked now still holds when it is written.
 */
export const findForChange = async (
  call: Call,
  deps: ApiDeps,
  tx: Transaction,
): Promise<EnvironmentRecord> => {
  const key = keyOf(call, deps);
  return orNotFound(await deps.store.findLocked(tx, key), key);
};

/** Nothing of it runs, or not yet. */
const noWebServer = (name: string, status: string) =>
  validationException(
    `Environment ${name} is in status ${status}: its web server does not run. Wait until it is AVAILABLE.`,
  );

/**
 * The same with its host name, for calls that only make sense while it has a web server. AWS does not say what it
 * answers in other statuses; while an update runs people get in, as its web server is away for parts of it at most.
 * @throws AwsError ValidationException
 */
export const findAccessible = async (call: Call, deps: ApiDeps) => {
  const environment = await findEnvironment(call, deps);
  const { name, status, webserverHostname } = environment;
  if (environment.suspended) throw validationException(stoppedText(name));
  if (!mayAsk(status, 'access') || webserverHostname === undefined) throw noWebServer(name, status);
  return { environment, webserverHostname };
};
