import { matches, patternOf } from './pattern.ts';

/** The Principal of a trust or resource policy. */
export interface PrincipalElement {
  readonly negated: boolean;
  readonly everyone: boolean;
  /** Account numbers and ARNs. */
  readonly aws: readonly string[];
  readonly service: readonly string[];
  readonly federated: readonly string[];
}

/** Who asks, as far as a policy can tell. */
export interface PolicyPrincipal {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'FederatedUser';
  readonly arn: string;
}

/** `account`: the policy trusts the account, which hands the decision to the caller's own policies. */
export type PrincipalMatch = 'named' | 'account' | 'none';

const accountOf = (arn: string): string => arn.split(':')[4] ?? '';

/** `arn:aws:sts::1:assumed-role/ROLE/SESSION` is also the role; a role's path is not in the session's ARN. */
const isRoleOf = (wanted: string, session: string): boolean => {
  const role = /^arn:aws:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(wanted);
  const parts = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(session);
  return role !== null && parts !== null && role[1] === parts[1] && role[2] === parts[2];
};

const matchOne = (wanted: string, principal: PolicyPrincipal): PrincipalMatch => {
  if (wanted === '*' || wanted === principal.arn) return 'named';
  if (principal.type === 'AssumedRole' && isRoleOf(wanted, principal.arn)) return 'named';
  const account = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(wanted)?.[1];
  return account !== undefined && account === accountOf(principal.arn) ? 'account' : 'none';
};

/** How the element of a statement speaks of this caller. */
export const principalMatch = (element: PrincipalElement, principal: PolicyPrincipal): PrincipalMatch => {
  const found = element.everyone
    ? ['named' as const]
    : element.aws.map((wanted) => matchOne(wanted, principal));
  const best = found.includes('named') ? 'named' : found.includes('account') ? 'account' : 'none';
  if (!element.negated) return best;
  return best === 'none' ? 'named' : 'none';
};

/** Whether a text can stand under AWS in a Principal. */
export const isPrincipalText = (text: string): boolean =>
  text === '*' ||
  /^\d{12}$/.test(text) ||
  matches(patternOf('arn:aws:iam::????????????:*'), text) ||
  matches(patternOf('arn:aws:sts::????????????:assumed-role/*/*'), text);
