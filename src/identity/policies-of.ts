import type { NamedPolicy, Policies } from '../policy/evaluate.ts';
import { managedPolicies } from '../policy/managed.ts';
import { compiledPolicy } from '../policy/parse.ts';
import type { Policy } from '../policy/policy.ts';
import { groupArn, roleArn, userArn } from './arn.ts';
import type { Directory, EntityOf, PolicyHolder } from './directory.ts';
import { type MintContext, type Principal, roleNameOf, userNameOf } from './principal.ts';

/** The document of a managed policy, ours or one that is ready-made; undefined when there is none. */
export const managedDocument = (directory: Directory, arn: string, accountId: string): string | undefined => {
  const own = directory.get('policy', arn);
  if (own) return own.versions.find(({ id }) => id === own.defaultVersion)?.document;
  return managedPolicies.get(arn)?.document(accountId);
};

const managed = (directory: Directory, arn: string, accountId: string): readonly NamedPolicy[] => {
  const document = managedDocument(directory, arn, accountId);
  return document === undefined ? [] : [{ name: arn, policy: compiledPolicy(document, 'identity') }];
};

/** What is attached to one user, group or role, and what stands in it. */
const heldBy = (
  directory: Directory,
  holder: PolicyHolder,
  arn: string,
  accountId: string,
): readonly NamedPolicy[] => [
  ...Object.entries(holder.inline).map(([name, document]) => ({
    name: `${arn} inline policy ${name}`,
    policy: compiledPolicy(document, 'identity'),
  })),
  ...holder.attached.flatMap((policy) => managed(directory, policy, accountId)),
];

/** Absent where there is none; one whose policy is gone allows nothing. */
const boundaryOf = (
  directory: Directory,
  arn: string | undefined,
  accountId: string,
): Pick<Policies, 'boundary'> => {
  if (arn === undefined) return {};
  const document = managedDocument(directory, arn, accountId);
  const nothing: Policy = { kind: 'boundary', statements: [] };
  const policy = document === undefined ? nothing : compiledPolicy(document, 'boundary');
  return { boundary: { name: arn, policy } };
};

type Held = Pick<Policies, 'identity' | 'boundary'>;

const known = new WeakMap<Directory, Map<PolicyHolder, Held>>();

/** What a user or role holds, put together once for as long as the directory is the current one: it never changes. */
const remembered = (directory: Directory, holder: PolicyHolder, held: () => Held): Held => {
  const ofDirectory = known.get(directory) ?? new Map<PolicyHolder, Held>();
  known.set(directory, ofDirectory);
  const found = ofDirectory.get(holder) ?? held();
  ofDirectory.set(holder, found);
  return found;
};

const ofUser = (directory: Directory, { accountId, id, accessKeyId }: Principal, name: string) => {
  const user = directory.get('user', name);
  if (!user || user.id !== id) return undefined;
  const key = directory.get('access-key', accessKeyId);
  // a key that was taken away takes with it what was opened by it
  if (accessKeyId.startsWith('AKIA') && (!key?.isActive || key.userName !== user.name)) return undefined;
  return remembered(directory, user, () => {
    const groups = user.groups.flatMap((group) => directory.get('group', group) ?? []);
    return {
      identity: [
        ...heldBy(directory, user, userArn(accountId, user), accountId),
        ...groups.flatMap((group) => heldBy(directory, group, groupArn(accountId, group), accountId)),
      ],
      ...boundaryOf(directory, user.boundary, accountId),
    };
  });
};

const ofRole = (directory: Directory, { accountId, id }: Principal, name: string) => {
  const role = directory.get('role', name);
  if (!role || role.id !== id) return undefined;
  return remembered(directory, role, () => ({
    identity: heldBy(directory, role, roleArn(accountId, role), accountId),
    ...boundaryOf(directory, role.boundary, accountId),
  }));
};

const sessionPolicies = (texts: readonly string[] | undefined): Pick<Policies, 'session'> =>
  texts === undefined
    ? {}
    : {
        session: texts.map((text, i) => ({
          name: `session policy ${i + 1}`,
          policy: compiledPolicy(text, 'session'),
        })),
      };

const guardRails = (directory: Directory): Pick<Policies, 'guardRails'> => {
  const rails = directory.all('guard-rail');
  if (rails.length === 0) return {};
  return {
    guardRails: rails.map(({ name, document }) => ({
      name: `guard rail ${name}`,
      policy: compiledPolicy(document, 'guard-rail'),
    })),
  };
};

/**
 * Every policy that has a say in what this caller does, as of now. A user, key or role that is gone, was switched off
 * or made anew under the same name has none, and with that no rights. The directory must not change any more.
 */
export const policiesOf = (
  directory: Directory,
  who: Pick<MintContext, 'principal' | 'sessionPolicies'>,
): Policies => {
  const { principal } = who;
  const [user, role] = [userNameOf(principal), roleNameOf(principal)];
  const held =
    user === undefined
      ? role === undefined
        ? undefined
        : ofRole(directory, principal, role)
      : ofUser(directory, principal, user);
  return {
    ...(held ?? { identity: [] }),
    ...sessionPolicies(who.sessionPolicies),
    ...guardRails(directory),
  };
};

/** What a user, group or role of the account holds, by its ARN; for questions about somebody who does not call. */
export const policiesOfArn = (directory: Directory, arn: string, accountId: string): Policies | undefined => {
  const group = directory.all('group').find((e) => groupArn(accountId, e) === arn);
  if (group) return { identity: heldBy(directory, group, arn, accountId) };
  const principal = principalOfArn(directory, arn, accountId);
  return principal && policiesOf(directory, { principal });
};

/** A user or role of the account as a caller without credentials; a role in a session that nobody has. */
export const principalOfArn = (
  directory: Directory,
  arn: string,
  accountId: string,
): Principal | undefined => {
  const user = directory.all('user').find((e) => userArn(accountId, e) === arn);
  if (user) return ofUserEntity(user, accountId);
  const role = directory.all('role').find((e) => roleArn(accountId, e) === arn);
  return role && ofRoleEntity(role, accountId);
};

const ofUserEntity = (user: EntityOf<'user'>, accountId: string): Principal => ({
  ...{ type: 'IAMUser', arn: userArn(accountId, user), accountId, accessKeyId: '' },
  ...{ id: user.id, iamIdentity: `user/${user.name}` },
});

const ofRoleEntity = (role: EntityOf<'role'>, accountId: string): Principal => ({
  ...{ type: 'AssumedRole', arn: roleArn(accountId, role), accountId, accessKeyId: '' },
  ...{ id: role.id, iamIdentity: `assumed-role/${role.name}/anybody` },
});

/** Every user and role of the account, as `principalOfArn` gives them. */
export const allPrincipals = (directory: Directory, accountId: string): readonly Principal[] => [
  ...directory.all('user').map((user) => ofUserEntity(user, accountId)),
  ...directory.all('role').map((role) => ofRoleEntity(role, accountId)),
];
