import type { Checked } from '../../contract/constraints.ts';
import type { NamedPolicy, Policies } from '../../policy/evaluate.ts';
import { matches, patternOf } from '../../policy/pattern.ts';
import { invalidInput } from './errors.ts';

interface InlineIdentifier {
  readonly PolicyName: string;
  readonly AttachmentType: string;
  readonly AttachmentName: string;
}

/** One of the three (IAM API reference, PolicyIdentifier). */
interface Identifier {
  readonly PolicyType?: string;
  readonly PolicyArn?: string;
  readonly InlinePolicyIdentifier?: InlineIdentifier;
}

type IsExcluded = (policy: string) => boolean;

const inlineName = /^arn:aws:iam::\d+:(user|group|role)\/(?:.*\/)?([^/]+) inline policy (.+)$/;

const managedTypes: Readonly<Record<string, RegExp>> = {
  inline: inlineName,
  'aws-managed': /^arn:aws:iam::aws:policy\/[^ ]+$/,
  'user-managed': /^arn:aws:iam::\d+:policy\/[^ ]+$/,
};

/** At most one `*`, any number of `?`, and both only in the name. Throws InvalidInput. */
const byArn = (arn: string): IsExcluded => {
  if (!/^arn:aws:iam::(?:aws|\d{12}):policy\/[^*]*\*?[^*]*$/.test(arn))
    throw invalidInput(`${arn} does not identify managed policies: write arn:aws:iam::ACCOUNT:policy/NAME.`);
  const pattern = patternOf(arn);
  return (policy) => matches(pattern, policy);
};

/** The page speaks of wildcards in the name of the holder; the pattern of the model has no place for them. */
const byInline =
  ({ PolicyName, AttachmentType, AttachmentName }: InlineIdentifier): IsExcluded =>
  (policy) => {
    const [, kind, holder, name] = inlineName.exec(policy) ?? [];
    return kind === AttachmentType && name === PolicyName && holder === AttachmentName;
  };

const byType = (type: string): IsExcluded => {
  const pattern = managedTypes[type];
  return (policy) => pattern?.test(policy) ?? false;
};

const read = (identifier: Identifier): IsExcluded => {
  const { PolicyType, PolicyArn, InlinePolicyIdentifier } = identifier;
  if (Object.keys(identifier).length !== 1)
    throw invalidInput(
      'A PolicyIdentifier has exactly one of PolicyType, PolicyArn and InlinePolicyIdentifier.',
    );
  if (InlinePolicyIdentifier) return byInline(InlinePolicyIdentifier);
  return PolicyArn === undefined ? byType(PolicyType ?? '') : byArn(PolicyArn);
};

/**
 * What somebody has, without the policies that PolicyExclusionList identifies; what identifies none is ignored. The
 * guard rail is what AWS calls `scp`. Throws InvalidInput.
 */
export const withoutExcluded = (input: Checked, policies: Policies): Policies => {
  const identifiers = (input['PolicyExclusionList'] ?? []) as readonly Identifier[];
  const tests = identifiers.map(read);
  const types = new Set(identifiers.map(({ PolicyType }) => PolicyType));
  const isKept = ({ name }: NamedPolicy) => !tests.some((isExcluded) => isExcluded(name));
  const { boundary, guardRails, ...rest } = policies;
  return {
    ...rest,
    identity: policies.identity.filter(isKept),
    ...(types.has('permission-boundary') ? {} : { boundary }),
    ...(types.has('scp') ? {} : { guardRails }),
  };
};
