import type { Principal } from '../../identity/principal.ts';
import { sha256Hex } from '../../identity/sigv4/canonical.ts';

/** Airflow's limit for a user name; MWAA replaces a longer one by a hash. */
const maxLength = 64;

/**
 * The Airflow user of a principal, as MWAA names it: `root`, `user/NAME`, and `assumed-role/ROLE` without the
 * session name, so that all who assume one role share one user.
 */
export const airflowIdentity = ({ type, iamIdentity }: Pick<Principal, 'type' | 'iamIdentity'>): string => {
  const name = type === 'AssumedRole' ? iamIdentity.split('/').slice(0, 2).join('/') : iamIdentity;
  return name.length <= maxLength ? name : sha256Hex(name);
};
