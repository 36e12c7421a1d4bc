import {
  customDomainOf,
  customDomainOptions,
  customDomainsGiven,
  customDomainsHeld,
  isFullName,
} from '../../environments/custom-domain.ts';
import type { EnvironmentSpec } from '../../environments/record.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { ApiDeps } from '../deps.ts';
import { invalid } from './invalid.ts';

/**
 * Checks the name that a private environment is to answer by besides its own.
 * @throws AwsError ValidationException when it is no full name, not of a private environment, or not for this
 *   installation to answer by
 */
export const checkCustomDomain = (
  spec: EnvironmentSpec,
  { customDomainFault }: Pick<ApiDeps, 'customDomainFault'>,
): EnvironmentSpec => {
  const [name, ...more] = customDomainsGiven(spec);
  if (name === undefined) return spec;
  if (more.length > 0) throw invalid(`${customDomainOptions.join(' and ')} name two domains. Give one.`);
  if (!isFullName(name))
    throw invalid(
      `The custom domain ${JSON.stringify(name)} must be a full name of at most 255 characters without protocol, port and path, such as airflow.example.com.`,
    );
  if (spec['WebserverAccessMode'] !== 'PRIVATE_ONLY')
    throw invalid('A custom domain is for an environment with WebserverAccessMode PRIVATE_ONLY.');
  const fault = customDomainFault(name.toLowerCase());
  if (fault !== undefined) throw invalid(fault);
  return spec;
};

/**
 * Checks that nobody else answers by that name, one request at a time until the transaction ends.
 * @throws AwsError ValidationException
 */
export const claimCustomDomain = async (
  tx: Transaction,
  id: string,
  wanted: EnvironmentSpec,
  deps: Pick<ApiDeps, 'store' | 'placement' | 'accountId' | 'region'>,
): Promise<void> => {
  const name = customDomainOf(wanted);
  if (name === undefined) return;
  await deps.store.countLocked(tx, deps);
  const others = await deps.store.placed(deps.placement, tx);
  if (others.some((e) => e.id !== id && customDomainsHeld(e).includes(name)))
    throw invalid(`Another environment answers by ${name}. Choose another name.`);
};
