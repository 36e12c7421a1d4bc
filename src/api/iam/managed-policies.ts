import { policyArn } from '../../identity/arn.ts';
import type { Directory, EntityOf, ManagedPolicy, PolicyVersion } from '../../identity/directory.ts';
import { uniqueId } from '../../identity/random-keys.ts';
import { managedPolicies } from '../../policy/managed.ts';
import { type Operation, optionalString, stringMember } from '../operation.ts';
import { deleteConflict, entityAlreadyExists, limitReached, noSuchEntity } from './errors.ts';
import { findPolicy } from './find.ts';
import { changing, reading } from './operation.ts';
import { page } from './page.ts';
import { checkDocument, checkSize, encodedDocument } from './policy-documents.ts';
import { readyMadeSince, shownPolicy, shownReadyMade, usesOf } from './show.ts';
import { tagOperations, tagsOf } from './tags.ts';
import { onAll, onNew, onPolicy } from './targets.ts';

const mostVersions = 5;
const longest = 6_144;

const documentOf = (document: string): string => {
  checkDocument(document, 'identity');
  checkSize(document, 'PolicySize', longest);
  return document;
};

const shownVersion = (policy: ManagedPolicy, { id, createdAt }: PolicyVersion) => ({
  VersionId: id,
  IsDefaultVersion: id === policy.defaultVersion,
  CreateDate: createdAt,
});

const versionOf = (policy: ManagedPolicy, id: string): PolicyVersion => {
  const found = policy.versions.find((version) => version.id === id);
  if (!found) throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
  return found;
};

const createPolicy = changing('CreatePolicy', onNew('policy'), (draft, { input, now, accountId }) => {
  const name = stringMember(input, 'PolicyName');
  const path = optionalString(input, 'Path') ?? '/';
  if (draft.all('policy').some((other) => other.name.toLowerCase() === name.toLowerCase()))
    throw entityAlreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
  const description = optionalString(input, 'Description');
  const document = documentOf(stringMember(input, 'PolicyDocument'));
  const policy: ManagedPolicy = {
    ...{ kind: 'policy', name, path, id: uniqueId('policy'), arn: policyArn(accountId, { path, name }) },
    ...(description === undefined ? {} : { description }),
    ...{ createdAt: now, updatedAt: now, tags: tagsOf(input['Tags']) },
    ...{ versions: [{ id: 'v1', document, createdAt: now }], defaultVersion: 'v1', lastVersion: 1 },
  };
  draft.put(policy);
  return { Policy: shownPolicy(draft, policy) };
});

const getPolicy = reading('GetPolicy', onPolicy, (directory, { input }) => {
  const arn = stringMember(input, 'PolicyArn');
  const ready = managedPolicies.get(arn);
  const policy = ready
    ? shownReadyMade(directory, arn, ready)
    : shownPolicy(directory, findPolicy(directory, arn));
  return { Policy: policy };
});

/** Scope is AWS for the ready-made ones and Local for those of the account; All when left out. */
const listed = (directory: Directory, scope: string) => [
  ...(scope === 'AWS' ? [] : directory.all('policy').map((policy) => shownPolicy(directory, policy))),
  ...(scope === 'Local'
    ? []
    : [...managedPolicies].map(([arn, policy]) => shownReadyMade(directory, arn, policy))),
];

const listPolicies = reading('ListPolicies', onAll, (directory, { input }) => {
  const usage = optionalString(input, 'PolicyUsageFilter');
  const isWanted = (policy: ReturnType<typeof listed>[number]): boolean => {
    const count =
      usage === 'PermissionsBoundary' ? policy.PermissionsBoundaryUsageCount : policy.AttachmentCount;
    const isUsed = (input['OnlyAttached'] !== true && usage === undefined) || count > 0;
    return isUsed && policy.Path.startsWith(optionalString(input, 'PathPrefix') ?? '/');
  };
  const all = listed(directory, optionalString(input, 'Scope') ?? 'All').filter(isWanted);
  const { items, end } = page(all, input, ({ Arn }) => Arn);
  return { Policies: items, ...end };
});

const deletePolicy = changing('DeletePolicy', onPolicy, (draft, { input }) => {
  const policy = findPolicy(draft, stringMember(input, 'PolicyArn'));
  const { AttachmentCount, PermissionsBoundaryUsageCount } = usesOf(draft, policy.arn);
  if (AttachmentCount + PermissionsBoundaryUsageCount > 0)
    throw deleteConflict('Cannot delete a policy attached to entities.');
  if (policy.versions.length > 1)
    throw deleteConflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    );
  draft.remove(policy);
  return {};
});

const createPolicyVersion = changing('CreatePolicyVersion', onPolicy, (draft, { input, now }) => {
  const policy = findPolicy(draft, stringMember(input, 'PolicyArn'));
  const document = documentOf(stringMember(input, 'PolicyDocument'));
  if (policy.versions.length >= mostVersions)
    throw limitReached(
      `A managed policy can have up to ${mostVersions} versions. Before you create a new version, you must delete an existing version.`,
    );
  const lastVersion = policy.lastVersion + 1;
  const version = { id: `v${lastVersion}`, document, createdAt: now };
  const changed: ManagedPolicy = {
    ...policy,
    ...{ versions: [...policy.versions, version], lastVersion, updatedAt: now },
    ...(input['SetAsDefault'] === true ? { defaultVersion: version.id } : {}),
  };
  draft.put(changed);
  return { PolicyVersion: shownVersion(changed, version) };
});

const getPolicyVersion = reading('GetPolicyVersion', onPolicy, (directory, { input, accountId }) => {
  const [arn, id] = [stringMember(input, 'PolicyArn'), stringMember(input, 'VersionId')];
  const ready = managedPolicies.get(arn);
  if (ready && id === 'v1') {
    const shown = { VersionId: 'v1', IsDefaultVersion: true, CreateDate: readyMadeSince };
    return { PolicyVersion: { ...shown, Document: encodedDocument(ready.document(accountId)) } };
  }
  const policy = findPolicy(directory, arn);
  const version = versionOf(policy, id);
  return {
    PolicyVersion: { ...shownVersion(policy, version), Document: encodedDocument(version.document) },
  };
});

const listPolicyVersions = reading('ListPolicyVersions', onPolicy, (directory, { input }) => {
  const arn = stringMember(input, 'PolicyArn');
  if (managedPolicies.has(arn)) {
    const shown = { VersionId: 'v1', IsDefaultVersion: true, CreateDate: readyMadeSince };
    return { Versions: [shown], IsTruncated: false };
  }
  const policy = findPolicy(directory, arn);
  const { items, end } = page(policy.versions, input, ({ id }) => id);
  return { Versions: items.map((version) => shownVersion(policy, version)), ...end };
});

const setDefaultPolicyVersion = changing('SetDefaultPolicyVersion', onPolicy, (draft, { input, now }) => {
  const policy = findPolicy(draft, stringMember(input, 'PolicyArn'));
  const { id } = versionOf(policy, stringMember(input, 'VersionId'));
  draft.put({ ...policy, defaultVersion: id, updatedAt: now });
  return {};
});

const deletePolicyVersion = changing('DeletePolicyVersion', onPolicy, (draft, { input, now }) => {
  const policy = findPolicy(draft, stringMember(input, 'PolicyArn'));
  const { id } = versionOf(policy, stringMember(input, 'VersionId'));
  if (id === policy.defaultVersion) throw deleteConflict('Cannot delete the default version of a policy.');
  const versions = policy.versions.filter((version) => version.id !== id);
  draft.put({ ...policy, versions, updatedAt: now });
  return {};
});

type Holder = EntityOf<'user' | 'group' | 'role'>;

const listEntitiesForPolicy = reading('ListEntitiesForPolicy', onPolicy, (directory, { input }) => {
  const arn = stringMember(input, 'PolicyArn');
  if (!managedPolicies.has(arn)) findPolicy(directory, arn);
  const isBoundary = input['PolicyUsageFilter'] === 'PermissionsBoundary';
  const uses = (holder: Holder): boolean =>
    isBoundary ? 'boundary' in holder && holder.boundary === arn : holder.attached.includes(arn);
  const [users, groups, roles] = [directory.all('user'), directory.all('group'), directory.all('role')];
  return {
    PolicyUsers: users.filter(uses).map(({ name, id }) => ({ UserName: name, UserId: id })),
    PolicyGroups: groups.filter(uses).map(({ name, id }) => ({ GroupName: name, GroupId: id })),
    PolicyRoles: roles.filter(uses).map(({ name, id }) => ({ RoleName: name, RoleId: id })),
    IsTruncated: false,
  };
});

export const managedPolicyOperations: readonly Operation[] = [
  ...[createPolicy, getPolicy, listPolicies, deletePolicy, listEntitiesForPolicy],
  ...[createPolicyVersion, getPolicyVersion, listPolicyVersions],
  ...[setDefaultPolicyVersion, deletePolicyVersion],
  ...tagOperations('Policy', onPolicy, (directory, { input }) =>
    findPolicy(directory, stringMember(input, 'PolicyArn')),
  ),
];
