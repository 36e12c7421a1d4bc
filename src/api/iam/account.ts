import { groupArn, roleArn, userArn } from '../../identity/arn.ts';
import type { Directory, EntityOf } from '../../identity/directory.ts';
import { managedPolicies } from '../../policy/managed.ts';
import type { Operation } from '../operation.ts';
import { policyName } from './find.ts';
import { reading } from './operation.ts';
import { page } from './page.ts';
import { encodedDocument } from './policy-documents.ts';
import {
  readyMadeSince,
  shownGroup,
  shownPolicy,
  shownReadyMade,
  shownRole,
  shownUser,
  usesOf,
} from './show.ts';
import { onAll } from './targets.ts';

const policiesIn = ({ inline, attached }: EntityOf<'user' | 'group' | 'role'>) => ({
  list: Object.entries(inline).map(([PolicyName, document]) => ({
    PolicyName,
    PolicyDocument: encodedDocument(document),
  })),
  AttachedManagedPolicies: attached.map((PolicyArn) => ({ PolicyName: policyName(PolicyArn), PolicyArn })),
});

const userDetail = (accountId: string, user: EntityOf<'user'>) => {
  const { list, AttachedManagedPolicies } = policiesIn(user);
  return {
    ...shownUser(accountId, user),
    UserPolicyList: list,
    GroupList: user.groups,
    AttachedManagedPolicies,
  };
};

const groupDetail = (accountId: string, group: EntityOf<'group'>) => {
  const { list, AttachedManagedPolicies } = policiesIn(group);
  return { ...shownGroup(accountId, group), GroupPolicyList: list, AttachedManagedPolicies };
};

const roleDetail = (directory: Directory, accountId: string, role: EntityOf<'role'>) => {
  const { list, AttachedManagedPolicies } = policiesIn(role);
  const {
    MaxSessionDuration: _,
    Description: __,
    ...shown
  } = shownRole(directory, accountId, role) as Record<string, unknown>;
  return {
    ...shown,
    RolePolicyList: list,
    AttachedManagedPolicies,
    InstanceProfileList: [],
    RoleLastUsed: {},
  };
};

const policyDetail = (directory: Directory, policy: EntityOf<'policy'>) => {
  const { Tags: _, ...shown } = shownPolicy(directory, policy) as Record<string, unknown>;
  const PolicyVersionList = policy.versions.map(({ id, document, createdAt }) => ({
    VersionId: id,
    Document: encodedDocument(document),
    IsDefaultVersion: id === policy.defaultVersion,
    CreateDate: createdAt,
  }));
  return { ...shown, PolicyVersionList };
};

/** Of the ready-made policies only those that somebody uses, as AWS does. */
const usedReadyMade = (directory: Directory, accountId: string) =>
  [...managedPolicies]
    .filter(([arn]) => Object.values(usesOf(directory, arn)).some((count) => count > 0))
    .map(([arn, policy]) => {
      const Document = encodedDocument(policy.document(accountId));
      const version = { VersionId: 'v1', Document, IsDefaultVersion: true, CreateDate: readyMadeSince };
      return { ...shownReadyMade(directory, arn, policy), PolicyVersionList: [version] };
    });

interface Detail {
  readonly list: 'UserDetailList' | 'GroupDetailList' | 'RoleDetailList' | 'Policies';
  readonly filter: string;
  readonly key: string;
  readonly detail: unknown;
}

const details = (directory: Directory, accountId: string): readonly Detail[] => [
  ...directory.all('user').map((user) => ({
    ...{ list: 'UserDetailList' as const, filter: 'User', key: userArn(accountId, user) },
    detail: userDetail(accountId, user),
  })),
  ...directory.all('group').map((group) => ({
    ...{ list: 'GroupDetailList' as const, filter: 'Group', key: groupArn(accountId, group) },
    detail: groupDetail(accountId, group),
  })),
  ...directory.all('role').map((role) => ({
    ...{ list: 'RoleDetailList' as const, filter: 'Role', key: roleArn(accountId, role) },
    detail: roleDetail(directory, accountId, role),
  })),
  ...directory.all('policy').map((policy) => ({
    ...{ list: 'Policies' as const, filter: 'LocalManagedPolicy', key: policy.arn },
    detail: policyDetail(directory, policy),
  })),
  ...usedReadyMade(directory, accountId).map((policy) => ({
    ...{ list: 'Policies' as const, filter: 'AWSManagedPolicy', key: policy.Arn },
    detail: policy,
  })),
];

const getAccountAuthorizationDetails = reading(
  'GetAccountAuthorizationDetails',
  onAll,
  (directory, { input, accountId }) => {
    const filter = input['Filter'] as readonly string[] | undefined;
    const wanted = details(directory, accountId).filter(
      (detail) => filter === undefined || filter.length === 0 || filter.includes(detail.filter),
    );
    const { items, end } = page(wanted, input, ({ key }) => key);
    const of = (list: Detail['list']) =>
      items.filter((item) => item.list === list).map(({ detail }) => detail);
    return {
      UserDetailList: of('UserDetailList'),
      GroupDetailList: of('GroupDetailList'),
      RoleDetailList: of('RoleDetailList'),
      Policies: of('Policies'),
      ...end,
    };
  },
);

const getAccountSummary = reading('GetAccountSummary', onAll, (directory) => ({
  SummaryMap: {
    Users: directory.all('user').length,
    Groups: directory.all('group').length,
    Roles: directory.all('role').length,
    Policies: directory.all('policy').length,
    AccountAccessKeysPresent: 1,
    AccountMFAEnabled: 0,
    AccessKeysPerUserQuota: 2,
    GroupsPerUserQuota: 10,
    AttachedPoliciesPerUserQuota: 10,
    AttachedPoliciesPerGroupQuota: 10,
    AttachedPoliciesPerRoleQuota: 10,
    VersionsPerPolicyQuota: 5,
    PolicySizeQuota: 6_144,
    UserPolicySizeQuota: 2_048,
    GroupPolicySizeQuota: 5_120,
    AssumeRolePolicySizeQuota: 2_048,
  },
}));

const listAccountAliases = reading('ListAccountAliases', onAll, () => ({
  AccountAliases: [],
  IsTruncated: false,
}));

export const accountOperations: readonly Operation[] = [
  getAccountAuthorizationDetails,
  getAccountSummary,
  listAccountAliases,
];
