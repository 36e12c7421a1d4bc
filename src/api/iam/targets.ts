import { groupArn, policyArn, roleArn, userArn } from '../../identity/arn.ts';
import type { Asked } from '../operation.ts';
import { optionalString, stringMember } from '../operation.ts';
import type { HolderKind } from './find.ts';
import type { TargetOf } from './operation.ts';
import { givenTagContext, ownName, tagContext } from './tags.ts';

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

/** Something that the call makes. */
export const onNew =
  (kind: HolderKind | 'policy'): TargetOf =>
  (asked) => {
    const { input, accountId } = asked;
    const name = stringMember(input, kind === 'policy' ? 'PolicyName' : member[kind]);
    const made = { path: optionalString(input, 'Path') ?? '/', name };
    const resource = kind === 'policy' ? policyArn(accountId, made) : arnOf[kind](accountId, made);
    return { resource, context: { ...givenTagContext(asked), ...policyContext(asked) } };
  };

/** The managed policy that the call names. */
export const onPolicy: TargetOf = ({ input }, directory) => {
  const arn = stringMember(input, 'PolicyArn');
  return { resource: arn, context: tagContext(directory.get('policy', arn)?.tags ?? {}) };
};

/** Operations that are about the account. */
export const onAll: TargetOf = () => ({ resource: '*' });
