import { MalformedPolicy } from '../policy/malformed.ts';
import { parsePolicy } from '../policy/parse.ts';
import { accountPrincipal } from '../policy/principal-match.ts';
import { type GivenPrincipal, withPrincipals } from '../policy/trust-principals.ts';
import { assumedRoleArn, roleArn, userArn } from './arn.ts';
import type { Directory, IamRole, IamUser } from './directory.ts';
import { uniqueId } from './random-keys.ts';

/** The account whose users and roles can be looked up. */
interface Where {
  readonly directory: Pick<Directory, 'get' | 'byId'>;
  readonly accountId: string;
}

const word = '[\\w+=,.@-]+';
const entityPattern = new RegExp(`^arn:aws:iam::(\\d{12}):(user|role)/(?:[!-~]+/)?(${word})$`);
const sessionPattern = new RegExp(`^arn:aws:sts::(\\d{12}):(assumed-role)/(${word})/([\\w+=,.@-]{2,64})$`);
const federatedUser = /^arn:aws:sts::\d{12}:federated-user\/[\w+=,.@-]{2,32}$/;
const idPattern = /^(A(?:ID|RO)A[A-Z2-7]{17})(?::([\w+=,.@-]+))?$/;

/** An ARN of a user, a role or a role's session. */
interface NamedPrincipal {
  readonly accountId: string;
  readonly kind: 'user' | 'role';
  readonly name: string;
  readonly session: string | undefined;
}

const readArn = (text: string): NamedPrincipal | undefined => {
  const [, accountId, kind, name, session] = entityPattern.exec(text) ?? sessionPattern.exec(text) ?? [];
  if (accountId === undefined || name === undefined || /[*?]/.test(text)) return undefined;
  return { accountId, kind: kind === 'user' ? 'user' : 'role', name, session };
};

const arnOf = (accountId: string, entity: IamUser | IamRole, session: string | undefined): string => {
  if (entity.kind === 'user') return userArn(accountId, entity);
  return session === undefined ? roleArn(accountId, entity) : assumedRoleArn(accountId, entity.name, session);
};

/** The id that is kept for the ARN: of exactly this name and path. Undefined when nobody has it. */
const idOf = (text: string, { kind, name, session }: NamedPrincipal, where: Where): string | undefined => {
  const found = where.directory.get(kind, name);
  if (!found || arnOf(where.accountId, found, session) !== text) return undefined;
  return session === undefined ? found.id : `${found.id}:${session}`;
};

const checkedAws = ({ text, fault }: GivenPrincipal, where: Where): string => {
  if (text === '*' || accountPrincipal(text) !== undefined || federatedUser.test(text)) return text;
  const id = idPattern.exec(text)?.[1];
  if (id !== undefined) {
    if (where.directory.byId(id)) return text;
    throw fault('whoever had this id is gone; write the ARN of somebody who is there');
  }
  const named = readArn(text);
  if (!named)
    throw fault('name an account, a user, a role or a session of a role, without wildcards, or "*"');
  if (named.accountId !== where.accountId) return text;
  const kept = idOf(text, named, where);
  if (kept === undefined) throw fault(`the account has no such ${named.kind}; create it first`);
  return kept;
};

const servicePattern = /^(?:[a-z0-9-]+\.)+(?:amazonaws\.com(?:\.cn)?|aws\.internal|amazon\.com)$/;
const providerPattern =
  /^arn:aws:iam::\d{12}:(?:oidc|saml)-provider\/[^*?\s]+$|^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/;

const checked = (given: GivenPrincipal, where: Where): string => {
  const { kind, text, fault } = given;
  if (kind === 'AWS') return checkedAws(given, where);
  if (kind === 'Service' && servicePattern.test(text)) return text;
  if (kind === 'Federated' && providerPattern.test(text)) return text;
  throw fault('write a service such as airflow-env.amazonaws.com, or the ARN of an identity provider');
};

/**
 * A trust policy as it is kept: users and roles of the account by their unique ids, so that whoever gets a name later
 * does not get the trust (IAM User Guide, "AWS JSON policy elements: Principal"). Throws MalformedPolicy for principals
 * that are not there or cannot be any. Principals of other accounts are kept as they are written: nobody of them calls.
 */
export const keptTrust = (text: string, where: Where): string => {
  const negated = parsePolicy(text, 'trust').statements.find(({ principal }) => principal?.negated);
  if (negated)
    throw new MalformedPolicy('Has prohibited field NotPrincipal', negated.start, 'name who is meant');
  return withPrincipals(text, (given) => checked(given, where));
};

/** A bucket policy as it is kept, in the same way. Throws MalformedPolicy for principals that are not there or cannot be any. */
export const keptBucketPolicy = (text: string, where: Where): string =>
  withPrincipals(text, (given) => checked(given, where));

/** A kept policy as it is answered: with ARNs of now, and the ids of those who are gone. */
export const shownTrust = (text: string, { directory, accountId }: Where): string => {
  if (!/"A(?:ID|RO)A[A-Z2-7]{17}/.test(text)) return text;
  return withPrincipals(text, (given) => {
    const [, id = '', session] = idPattern.exec(given.text) ?? [];
    const found = given.kind === 'AWS' ? directory.byId(id) : undefined;
    return found ? arnOf(accountId, found, session) : given.text;
  });
};

/** A trust policy of a version that kept names, and the names that nobody has. */
export interface SettledTrust {
  readonly trust: string;
  readonly gone: readonly string[];
}

/**
 * The same with ids: of whoever has the name now, and was trusted by it until now. A name that nobody has gets an id
 * that nobody has, so that it trusts nobody who comes later. Changes nothing when it is done again.
 */
export const settledTrust = (text: string, where: Where): SettledTrust => {
  const gone: string[] = [];
  const trust = withPrincipals(text, (given) => {
    const named = given.kind === 'AWS' ? readArn(given.text) : undefined;
    if (!named || named.accountId !== where.accountId) return given.text;
    const kept = idOf(given.text, named, where);
    if (kept !== undefined) return kept;
    gone.push(given.text);
    const nobody = uniqueId(named.kind);
    return named.session === undefined ? nobody : `${nobody}:${named.session}`;
  });
  return { trust, gone };
};
