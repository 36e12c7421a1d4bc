import { groupArn, policyArn, roleArn, userArn } from '../../identity/arn.ts';
import type { Asked } from '../operation.ts';
import { optionalString, stringMember } from '../operation.ts';
import type { HolderKind } from './find.ts';
import type { TargetOf } from './operation.ts';
import { givenTagContext, givenTags, ownName, tagContext } from './tags.ts';

const arnOf = { user: userArn, group: groupArn, role: roleArn };
const member = { user: 'UserName', group: 'GroupName', role: 'RoleName' } as const;

/** The condition keys of what is attached or set, where the call names it (Service Authorization Reference, IAM). */
const policyContext = ({ input }: Asked) => {
  const boundary = optionalString(input, 'PermissionsBoundary');
  const policy = optionalString(input, 'PolicyArn');
  return {
    ...(policy === undefined ? {} : { 'iam:PolicyARN': policy }),
    ...(boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }),
  };
};

/** A user, group or role that the call names and that may be there; `*` where it names none. */
export const on =
  (kind: HolderKind): TargetOf =>
  (asked, directory) => {
    const name = kind === 'user' ? ownName(asked) : stringMember(asked.input, member[kind]);
    if (name === undefined) return { resource: '*' };
    const found = directory.get(kind, name);
    const boundary = found && 'boundary' in found ? found.boundary : undefined;
    return {
      resource: arnOf[kind](asked.accountId, found ?? { path: '/', name }),
      context: {
        ...(found && 'tags' in found ? tagContext(found.tags) : {}),
        ...(boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }),
        ...policyContext(asked),
      },
    };
  };

/**
 * A user or group that the call may give another name or path: the right is needed on what it is and on what it becomes
 * (IAM API reference, UpdateUser and UpdateGroup), or whoever may rename himself could take any name that is free.
 */
export const onRenamed =
  (kind: 'user' | 'group'): TargetOf =>
  (asked, directory) => {
    const { input, accountId } = asked;
    const target = on(kind)(asked, directory);
    const name = stringMember(input, member[kind]);
    const before = directory.get(kind, name) ?? { path: '/', name };
    const moved = arnOf[kind](accountId, {
      path: optionalString(input, 'NewPath') ?? before.path,
      name: optionalString(input, `New${member[kind]}`) ?? before.name,
    });
    return moved === target.resource ? target : { ...target, moved };
  };

const tagAction = { user: 'iam:TagUser', role: 'iam:TagRole', policy: 'iam:TagPolicy', group: undefined };

/** Something that the call makes; with tags it needs the right to tag as well (IAM User Guide, "Tags for IAM resources"). */
export const onNew =
  (kind: HolderKind | 'policy'): TargetOf =>
  (asked) => {
    const { input, accountId } = asked;
    const name = stringMember(input, kind === 'policy' ? 'PolicyName' : member[kind]);
    const made = { path: optionalString(input, 'Path') ?? '/', name };
    const resource = kind === 'policy' ? policyArn(accountId, made) : arnOf[kind](accountId, made);
    const context = { ...givenTagContext(asked), ...policyContext(asked) };
    const also = givenTags(input).length === 0 ? undefined : tagAction[kind];
    return { resource, context, ...(also === undefined ? {} : { also }) };
  };

/** The managed policy that the call names. */
export const onPolicy: TargetOf = ({ input }, directory) => {
  const arn = stringMember(input, 'PolicyArn');
  return { resource: arn, context: tagContext(directory.get('policy', arn)?.tags ?? {}) };
};

/** Operations that are about the account. */
export const onAll: TargetOf = () => ({ resource: '*' });
