import type { Principal } from '../../identity/principal.ts';
import { sha256Hex } from '../../identity/sigv4/canonical.ts';

/** Airflow's limit for a user name; MWAA replaces a longer one by a hash. */
const maxLength = 64;

/**
 * The Airflow user of a principal, as MWAA names it: `root`, `user/NAME`, and `assumed-role/ROLE` without the
 * session name when all who assume a role are to share one user, as on MWAA.
 */
export const airflowIdentity = (
  { type, iamIdentity }: Pick<Principal, 'type' | 'iamIdentity'>,
  o: { readonly sharedAirflowUsers: boolean },
): string => {
  const isShared = type === 'AssumedRole' && o.sharedAirflowUsers;
  const name = isShared ? iamIdentity.split('/').slice(0, 2).join('/') : iamIdentity;
  return name.length <= maxLength ? name : sha256Hex(name);
};
