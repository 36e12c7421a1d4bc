import { groupArn, roleArn, userArn } from '../../identity/arn.ts';
import type { Directory, IamGroup, IamRole, IamUser, ManagedPolicy } from '../../identity/directory.ts';
import { shownTrust } from '../../identity/trust.ts';
import type { ReadyMadePolicy } from '../../policy/managed.ts';
import { policyName } from './find.ts';
import { encodedDocument } from './policy-documents.ts';
import { shownTags } from './tags.ts';

const boundaryOf = (arn: string | undefined) =>
  arn === undefined
    ? {}
    : { PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: arn } };

/** A user as the structure User of IAM's model. */
export const shownUser = (accountId: string, user: IamUser) => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: userArn(accountId, user),
  CreateDate: user.createdAt,
  ...boundaryOf(user.boundary),
  ...shownTags(user.tags),
});

export const shownGroup = (accountId: string, group: IamGroup) => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: groupArn(accountId, group),
  CreateDate: group.createdAt,
});

export const shownRole = (directory: Pick<Directory, 'get' | 'byId'>, accountId: string, role: IamRole) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(accountId, role),
  CreateDate: role.createdAt,
  AssumeRolePolicyDocument: encodedDocument(shownTrust(role.trust, { directory, accountId })),
  ...(role.description === undefined ? {} : { Description: role.description }),
  MaxSessionDuration: role.maxSessionDuration,
  ...boundaryOf(role.boundary),
  ...shownTags(role.tags),
});

const holders = (directory: Directory) => [
  ...directory.all('user'),
  ...directory.all('group'),
  ...directory.all('role'),
];

/** To how many users, groups and roles a policy is attached, and for how many it is the boundary. */
export const usesOf = (directory: Directory, arn: string) => ({
  AttachmentCount: holders(directory).filter(({ attached }) => attached.includes(arn)).length,
  PermissionsBoundaryUsageCount: [...directory.all('user'), ...directory.all('role')].filter(
    ({ boundary }) => boundary === arn,
  ).length,
});

export const shownPolicy = (directory: Directory, policy: ManagedPolicy) => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  DefaultVersionId: policy.defaultVersion,
  ...usesOf(directory, policy.arn),
  IsAttachable: true,
  ...(policy.description === undefined ? {} : { Description: policy.description }),
  CreateDate: policy.createdAt,
  UpdateDate: policy.updatedAt,
  ...shownTags(policy.tags),
});

/** A ready-made policy in the same form; it is as old as the product's first release. */
export const shownReadyMade = (directory: Directory, arn: string, policy: ReadyMadePolicy) => ({
  PolicyName: policyName(arn),
  PolicyId: policy.id,
  Arn: arn,
  Path: '/',
  DefaultVersionId: 'v1',
  ...usesOf(directory, arn),
  IsAttachable: true,
  Description: policy.description,
  CreateDate: readyMadeSince,
  UpdateDate: readyMadeSince,
});

/** Epoch milliseconds. */
export const readyMadeSince = Date.UTC(2026, 10, 24);
