import type { EntityOf } from '../../identity/directory.ts';
import { type Operation, optionalString, stringMember } from '../operation.ts';
import { limitExceeded, limitReached, noSuchEntity } from './errors.ts';
import { checkAttachable, find, type HolderKind, policyName } from './find.ts';
import { changing, reading } from './operation.ts';
import { page } from './page.ts';
import { checkDocument, encodedDocument, sizeOf } from './policy-documents.ts';
import { on } from './targets.ts';

/** Characters of all inline policies together, and managed policies ("IAM and AWS STS quotas", defaults). */
const quotas = {
  user: { inline: 2_048, attached: 10, quota: 'PoliciesPerUser' },
  group: { inline: 5_120, attached: 10, quota: 'PoliciesPerGroup' },
  role: { inline: 10_240, attached: 10, quota: 'PoliciesPerRole' },
} as const;

const words = {
  user: { Kind: 'User', member: 'UserName' },
  group: { Kind: 'Group', member: 'GroupName' },
  role: { Kind: 'Role', member: 'RoleName' },
} as const;

/** Put, Get, List and Delete of the policies that stand in a user, group or role. */
const inlineOperations = (kind: HolderKind): readonly Operation[] => {
  const { Kind, member } = words[kind];
  const { inline: most } = quotas[kind];
  const absent = (name: string) => noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
  return [
    changing(`Put${Kind}Policy`, on(kind), (draft, { input }) => {
      const found: EntityOf<HolderKind> = find(draft, kind, stringMember(input, member));
      const [name, document] = [stringMember(input, 'PolicyName'), stringMember(input, 'PolicyDocument')];
      checkDocument(document, 'identity');
      const inline = { ...found.inline, [name]: document };
      if (sizeOf(Object.values(inline)) > most)
        throw limitReached(`Maximum policy size of ${most} bytes exceeded for ${kind} ${found.name}`);
      draft.put({ ...found, inline });
      return {};
    }),
    reading(`Get${Kind}Policy`, on(kind), (directory, { input }) => {
      const found = find(directory, kind, stringMember(input, member));
      const name = stringMember(input, 'PolicyName');
      const document = Object.hasOwn(found.inline, name) ? found.inline[name] : undefined;
      if (document === undefined) throw absent(name);
      return { [member]: found.name, PolicyName: name, PolicyDocument: encodedDocument(document) };
    }),
    reading(`List${Kind}Policies`, on(kind), (directory, { input }) => {
      const found = find(directory, kind, stringMember(input, member));
      const { items, end } = page(Object.keys(found.inline), input, (name) => name);
      return { PolicyNames: items, ...end };
    }),
    changing(`Delete${Kind}Policy`, on(kind), (draft, { input }) => {
      const found: EntityOf<HolderKind> = find(draft, kind, stringMember(input, member));
      const name = stringMember(input, 'PolicyName');
      if (!Object.hasOwn(found.inline, name)) throw absent(name);
      const { [name]: _, ...inline } = found.inline;
      draft.put({ ...found, inline });
      return {};
    }),
  ];
};

/** Attach, Detach and ListAttached of managed policies. */
const attachedOperations = (kind: HolderKind): readonly Operation[] => {
  const { Kind, member } = words[kind];
  const { attached: most, quota } = quotas[kind];
  return [
    changing(`Attach${Kind}Policy`, on(kind), (draft, { input }) => {
      const found: EntityOf<HolderKind> = find(draft, kind, stringMember(input, member));
      const arn = stringMember(input, 'PolicyArn');
      checkAttachable(draft, arn);
      if (found.attached.includes(arn)) return {};
      if (found.attached.length >= most) throw limitExceeded(quota, most);
      draft.put({ ...found, attached: [...found.attached, arn] });
      return {};
    }),
    changing(`Detach${Kind}Policy`, on(kind), (draft, { input }) => {
      const found: EntityOf<HolderKind> = find(draft, kind, stringMember(input, member));
      const arn = stringMember(input, 'PolicyArn');
      if (!found.attached.includes(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
      draft.put({ ...found, attached: found.attached.filter((other) => other !== arn) });
      return {};
    }),
    reading(`ListAttached${Kind}Policies`, on(kind), (directory, { input }) => {
      const found = find(directory, kind, stringMember(input, member));
      const shown = found.attached
        .map((PolicyArn) => ({ PolicyName: policyName(PolicyArn), PolicyArn }))
        .filter(({ PolicyArn }) => isBelow(PolicyArn, optionalString(input, 'PathPrefix')));
      const { items, end } = page(shown, input, ({ PolicyArn }) => PolicyArn);
      return { AttachedPolicies: items, ...end };
    }),
  ];
};

const isBelow = (arn: string, prefix: string | undefined): boolean =>
  prefix === undefined || arn.slice(arn.indexOf(':policy') + ':policy'.length).startsWith(prefix);

export const holderPolicyOperations: readonly Operation[] = (['user', 'group', 'role'] as const).flatMap(
  (kind) => [...inlineOperations(kind), ...attachedOperations(kind)],
);
