import type { IamGroup, IamRole, IamUser } from './directory.ts';

/** ARNs of IAM have no Region (Service Authorization Reference, AWS Identity and Access Management). */
const iamArn = (accountId: string, resource: string): string => `arn:aws:iam::${accountId}:${resource}`;

export const userArn = (accountId: string, { path, name }: Pick<IamUser, 'path' | 'name'>): string =>
  iamArn(accountId, `user${path}${name}`);

export const groupArn = (accountId: string, { path, name }: Pick<IamGroup, 'path' | 'name'>): string =>
  iamArn(accountId, `group${path}${name}`);

export const roleArn = (accountId: string, { path, name }: Pick<IamRole, 'path' | 'name'>): string =>
  iamArn(accountId, `role${path}${name}`);

export const policyArn = (accountId: string, { path, name }: { path: string; name: string }): string =>
  iamArn(accountId, `policy${path}${name}`);

/** The session of a role: without the role's path. */
export const assumedRoleArn = (accountId: string, role: string, session: string): string =>
  `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`;
