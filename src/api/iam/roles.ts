import type { Directory, IamRole } from '../../identity/directory.ts';
import { uniqueId } from '../../identity/random-keys.ts';
import { keptTrust } from '../../identity/trust.ts';
import { type Operation, optionalString, stringMember } from '../operation.ts';
import { deleteConflict, entityAlreadyExists, invalidInput, noSuchEntity } from './errors.ts';
import { checkBoundary, find } from './find.ts';
import { changing, reading } from './operation.ts';
import { page } from './page.ts';
import { checkedBy, checkSize } from './policy-documents.ts';
import { shownRole } from './show.ts';
import { tagOperations, tagsOf } from './tags.ts';
import { on, onAll, onNew } from './targets.ts';
import { warningOfOpenTrust } from './trust-warning.ts';
import { below } from './users.ts';

/** Seconds. */
const usualSession = 3_600;
const longestTrust = 2_048;

/** The trust policy as it is kept. Throws MalformedPolicyDocument and LimitExceeded. */
const trustOf = (document: string, directory: Directory, accountId: string): string => {
  const kept = checkedBy(() => keptTrust(document, { directory, accountId }));
  checkSize(document, 'ACLSizePerRole', longestTrust);
  return kept;
};

/** AWS keeps these paths for the roles that it makes itself (IAM User Guide, "Create a service-linked role"). */
const checkPath = (path: string): void => {
  const [reserved] = /^\/(?:aws-service-role|aws-reserved)\//i.exec(path) ?? [];
  if (reserved === undefined) return;
  const roles = /reserved/i.test(reserved) ? 'roles that AWS creates' : 'AWS Service linked Roles';
  throw invalidInput(`Path prefix '${reserved}' can only be used for ${roles}`);
};

const durationOf = (given: unknown, before: number): number => (typeof given === 'number' ? given : before);

const createRole = changing('CreateRole', onNew('role'), (draft, { input, now, accountId }) => {
  const name = stringMember(input, 'RoleName');
  if (draft.get('role', name)) throw entityAlreadyExists(`Role with name ${name} already exists.`);
  const boundary = optionalString(input, 'PermissionsBoundary');
  if (boundary !== undefined) checkBoundary(draft, boundary);
  const description = optionalString(input, 'Description');
  const path = optionalString(input, 'Path') ?? '/';
  checkPath(path);
  const role: IamRole = {
    ...{ kind: 'role', name, path, id: uniqueId('role') },
    createdAt: now,
    trust: trustOf(stringMember(input, 'AssumeRolePolicyDocument'), draft, accountId),
    maxSessionDuration: durationOf(input['MaxSessionDuration'], usualSession),
    ...(description === undefined ? {} : { description }),
    ...(boundary === undefined ? {} : { boundary }),
    tags: tagsOf(input['Tags']),
    inline: {},
    attached: [],
  };
  draft.put(role);
  return { Role: shownRole(draft, accountId, role) };
});

const getRole = reading('GetRole', on('role'), (directory, { input, accountId }) => ({
  Role: {
    ...shownRole(directory, accountId, find(directory, 'role', stringMember(input, 'RoleName'))),
    RoleLastUsed: {},
  },
}));

const listRoles = reading('ListRoles', onAll, (directory, work) => {
  const { items, end } = page(below(directory.all('role'), work), work.input, ({ name }) => name);
  return { Roles: items.map((role) => shownRole(directory, work.accountId, { ...role, tags: {} })), ...end };
});

const updateRole = changing('UpdateRole', on('role'), (draft, { input }) => {
  const role = find(draft, 'role', stringMember(input, 'RoleName'));
  const description = optionalString(input, 'Description') ?? role.description;
  const maxSessionDuration = durationOf(input['MaxSessionDuration'], role.maxSessionDuration);
  draft.put({ ...role, description, maxSessionDuration });
  return {};
});

const updateRoleDescription = changing('UpdateRoleDescription', on('role'), (draft, { input, accountId }) => {
  const role = find(draft, 'role', stringMember(input, 'RoleName'));
  const changed = { ...role, description: stringMember(input, 'Description') };
  draft.put(changed);
  return { Role: shownRole(draft, accountId, changed) };
});

const deleteRole = changing('DeleteRole', on('role'), (draft, { input }) => {
  const role = find(draft, 'role', stringMember(input, 'RoleName'));
  const first = (what: string) => deleteConflict(`Cannot delete entity, must ${what} first.`);
  if (role.attached.length > 0) throw first('detach all policies');
  if (Object.keys(role.inline).length > 0) throw first('delete policies');
  draft.remove(role);
  return {};
});

const updateAssumeRolePolicy = changing(
  'UpdateAssumeRolePolicy',
  on('role'),
  (draft, { input, accountId }) => {
    const role = find(draft, 'role', stringMember(input, 'RoleName'));
    draft.put({ ...role, trust: trustOf(stringMember(input, 'PolicyDocument'), draft, accountId) });
    return {};
  },
);

const putBoundary = changing('PutRolePermissionsBoundary', on('role'), (draft, { input }) => {
  const role = find(draft, 'role', stringMember(input, 'RoleName'));
  const boundary = stringMember(input, 'PermissionsBoundary');
  checkBoundary(draft, boundary);
  draft.put({ ...role, boundary });
  return {};
});

const deleteBoundary = changing('DeleteRolePermissionsBoundary', on('role'), (draft, { input }) => {
  const { boundary, ...role } = find(draft, 'role', stringMember(input, 'RoleName'));
  if (boundary === undefined) throw noSuchEntity(`Role ${role.name} does not have a permissions boundary.`);
  draft.put(role);
  return {};
});

/** There are no instances here; tools ask before they delete a role. */
const listInstanceProfiles = reading('ListInstanceProfilesForRole', on('role'), (directory, { input }) => {
  find(directory, 'role', stringMember(input, 'RoleName'));
  return { InstanceProfiles: [], IsTruncated: false };
});

export const roleOperations: readonly Operation[] = [
  ...[createRole, updateAssumeRolePolicy].map(warningOfOpenTrust),
  ...[getRole, listRoles, updateRole, updateRoleDescription, deleteRole, putBoundary],
  ...[deleteBoundary, listInstanceProfiles],
  ...tagOperations('Role', on('role'), (directory, { input }) =>
    find(directory, 'role', stringMember(input, 'RoleName')),
  ),
];
