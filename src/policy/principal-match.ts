import { matches, patternOf } from './pattern.ts';

/** The Principal of a trust or resource policy. */
export interface PrincipalElement {
  readonly negated: boolean;
  readonly everyone: boolean;
  /** Account numbers, ARNs and unique ids. */
  readonly aws: readonly string[];
  readonly service: readonly string[];
  readonly federated: readonly string[];
  /** True in a trust policy and in that of a bucket, which are kept with unique ids: a name in it means nobody, whoever has that name now. */
  readonly byId: boolean;
}

/** Who asks, as far as a policy can tell. */
export interface PolicyPrincipal {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'FederatedUser' | 'Service';
  /** Of a service its name, for instance `airflow-env.amazonaws.com`. */
  readonly arn: string;
  /** The unique id of the user or role, where it is known. */
  readonly id?: string | undefined;
  readonly sessionName?: string | undefined;
}

/** `account`: the policy trusts the account, which hands the decision to the caller's own policies. */
export type PrincipalMatch = 'named' | 'account' | 'none';

const accountOf = (arn: string): string => arn.split(':')[4] ?? '';

/** What stands in a policy for an account: the number itself, or the ARN of the root user. */
export const accountPrincipal = (text: string): string | undefined =>
  /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(text)?.[1];

/** A session's ARN does not tell the path of its role, so it stands for a role without one. */
const roleArnOf = ({ arn }: PolicyPrincipal): string | undefined => {
  if (arn.startsWith('arn:aws:iam::')) return arn;
  const [, account, role] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return account === undefined ? undefined : `arn:aws:iam::${account}:role/${role}`;
};

/** The texts that mean this caller: the user, or the role and the session. */
interface Names {
  /** A user or a role. */
  readonly entity: string | undefined;
  readonly session: string | undefined;
}

const idsOf = ({ id, sessionName }: PolicyPrincipal): Names => ({
  entity: id,
  session: id === undefined || sessionName === undefined ? undefined : `${id}:${sessionName}`,
});

const arnsOf = (principal: PolicyPrincipal): Names =>
  principal.type === 'AssumedRole'
    ? { entity: roleArnOf(principal), session: principal.arn }
    : { entity: principal.arn, session: undefined };

const namesOf = (principal: PolicyPrincipal, byId: boolean): Names =>
  byId ? idsOf(principal) : arnsOf(principal);

const listsAccount = ({ aws }: PrincipalElement, principal: PolicyPrincipal): boolean =>
  aws.some((wanted) => accountPrincipal(wanted) === accountOf(principal.arn));

/** A service is let in only where it is named; a deny for all, as people close a role by it, is one for services too. */
const serviceMatch = (e: PrincipalElement, service: string, denies: boolean): PrincipalMatch => {
  const meansAll = e.everyone || e.aws.includes('*') || e.service.includes('*');
  return e.service.includes(service) || (denies && meansAll) ? 'named' : 'none';
};

const matchOf = (
  element: PrincipalElement,
  principal: PolicyPrincipal,
  effect: 'Allow' | 'Deny',
): PrincipalMatch => {
  if (principal.type === 'Service') return serviceMatch(element, principal.arn, effect === 'Deny');
  const { entity, session } = namesOf(principal, element.byId);
  const isNamed = element.aws.some((wanted) => wanted === '*' || wanted === entity || wanted === session);
  if (isNamed || element.everyone) return 'named';
  return listsAccount(element, principal) ? 'account' : 'none';
};

/**
 * NotPrincipal spares only whoever is listed with everything that he is: the account, the user or role, and of a role
 * the session as well (IAM User Guide, "AWS JSON policy elements: NotPrincipal"). The account alone spares its root
 * user.
 */
const isSpared = (element: PrincipalElement, principal: PolicyPrincipal): boolean => {
  if (principal.type === 'Service') return element.service.includes(principal.arn);
  if (element.everyone || element.aws.includes('*')) return true;
  if (!listsAccount(element, principal)) return false;
  if (principal.type === 'Root') return true;
  const { entity, session } = namesOf(principal, element.byId);
  const isListed = (name: string | undefined) => name !== undefined && element.aws.includes(name);
  return isListed(entity) && (principal.type !== 'AssumedRole' || isListed(session));
};

/** How the element of a statement speaks of this caller. */
export const principalMatch = (
  element: PrincipalElement,
  principal: PolicyPrincipal,
  effect: 'Allow' | 'Deny',
): PrincipalMatch => {
  if (!element.negated) return matchOf(element, principal, effect);
  return isSpared(element, principal) ? 'none' : 'named';
};

/** The unique id of a user, a role, or a role with the name of a session. */
const uniqueId = /^(?:AIDA[A-Z2-7]{17}|AROA[A-Z2-7]{17}(?::[\w+=,.@-]{2,64})?)$/;

/** Whether a text can stand under AWS in a Principal. */
export const isPrincipalText = (text: string): boolean =>
  text === '*' ||
  /^\d{12}$/.test(text) ||
  uniqueId.test(text) ||
  matches(patternOf('arn:aws:iam::????????????:*'), text) ||
  matches(patternOf('arn:aws:sts::????????????:assumed-role/*/*'), text) ||
  matches(patternOf('arn:aws:sts::????????????:federated-user/*'), text);
