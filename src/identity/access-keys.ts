import { rootArn } from '../contract/arn.ts';
import { expiredTokenException } from '../contract/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { userArn } from './arn.ts';
import type { AccessKey, Directory } from './directory.ts';
import type { IdentityBoxes } from './identity-key.ts';
import type { Caller, Principal } from './principal.ts';
import type { RootAccount } from './root-account.ts';
import { openSessionToken } from './session-token.ts';
import type { Credential, KeyLookup } from './sigv4/credential.ts';

export interface AccessKeyDeps {
  readonly root: RootAccount;
  readonly directory: () => Directory;
  readonly boxes: IdentityBoxes;
  readonly clock: Pick<Clock, 'now'>;
}

const rootCaller = (root: RootAccount): Caller => ({
  principal: {
    type: 'Root',
    arn: rootArn(root.accountId),
    accountId: root.accountId,
    iamIdentity: 'root',
    accessKeyId: root.accessKeyId,
    id: root.accountId,
  },
  session: {},
});

type OpenSecret = (key: AccessKey) => string | undefined;

/** Opens a secret once for as long as the directory holds the key as it is: a changed key is another object. */
const secretOpener = ({ accessKeys }: IdentityBoxes): OpenSecret => {
  const opened = new WeakMap<AccessKey, string>();
  return (key) => {
    const secret = opened.get(key) ?? accessKeys.open(key.sealedSecret, key.id);
    if (secret !== undefined) opened.set(key, secret);
    return secret;
  };
};

/** A long-term key of a user that is there, active, and can be opened. */
const userCredential = (
  d: AccessKeyDeps,
  accessKeyId: string,
  openSecret: OpenSecret,
): Credential | undefined => {
  const key = d.directory().get('access-key', accessKeyId);
  const user = key?.isActive ? d.directory().get('user', key.userName) : undefined;
  const secretAccessKey = key && openSecret(key);
  if (!user || secretAccessKey === undefined) return undefined;
  const { accountId } = d.root;
  const caller: Caller = {
    principal: {
      type: 'IAMUser',
      arn: userArn(accountId, user),
      accountId,
      iamIdentity: `user/${user.name}`,
      accessKeyId,
      id: user.id,
    },
    session: {},
  };
  return { secretAccessKey, caller };
};

/**
 * Whom temporary credentials were made for, as it is called now; undefined when it is gone, though another may have its
 * name.
 */
const livingPrincipal = (principal: Principal, directory: Directory): Principal | undefined => {
  const { type, id, accountId } = principal;
  if (type === 'Root') return principal;
  const found = id === undefined ? undefined : directory.byId(id);
  if (found?.kind === 'role') return type === 'AssumedRole' ? principal : undefined;
  if (!found || type !== 'IAMUser') return undefined;
  return { ...principal, arn: userArn(accountId, found), iamIdentity: `user/${found.name}` };
};

/**
 * Finds who an access key stands for: the root user, a user, or whoever temporary credentials were made for.
 * Throws ExpiredTokenException for temporary credentials after their time.
 */
export const accessKeyLookup = (d: AccessKeyDeps): KeyLookup => {
  const root = { secretAccessKey: d.root.secretAccessKey, caller: rootCaller(d.root) };
  const openSecret = secretOpener(d.boxes);
  return async (accessKeyId, sessionToken) => {
    if (sessionToken === undefined) {
      return accessKeyId === d.root.accessKeyId ? root : userCredential(d, accessKeyId, openSecret);
    }
    const token = openSessionToken(d.boxes.sessionTokens, accessKeyId, sessionToken);
    if (!token) return undefined;
    const { secretAccessKey, session } = token;
    const principal = livingPrincipal(token.principal, d.directory());
    if (!principal) return undefined;
    const expired = d.clock.now() >= token.expiresAt ? expiredTokenException() : undefined;
    return { secretAccessKey, caller: { principal, session }, ...(expired ? { refused: expired } : {}) };
  };
};
