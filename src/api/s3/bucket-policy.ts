import type { Bucket } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import { keptBucketPolicy, shownTrust } from '../../identity/trust.ts';
import type { Condition } from '../../policy/condition.ts';
import { contextKeysOf } from '../../policy/context-keys.ts';
import { MalformedPolicy } from '../../policy/malformed.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { Policy } from '../../policy/policy.ts';
import { plainText } from '../../policy/variables.ts';
import type { ApiDeps } from '../deps.ts';
import { bucketArn } from './asked.ts';
import { isSupplied } from './condition-keys.ts';

type Account = Pick<ApiDeps, 'directory' | 'accountId'>;

const malformed = (message: string) => s3Error('MalformedPolicy', message);

const parsed = (document: string): Policy => {
  try {
    return parsePolicy(document, 'bucket');
  } catch (error) {
    throw asS3(error);
  }
};

const asS3 = (error: unknown): unknown =>
  error instanceof MalformedPolicy ? malformed(error.publicText) : error;

/**
 * The policy as it is kept: users and roles by their unique ids, so that whoever gets a name later does not get its
 * rights. Throws MalformedPolicy for principals that are not there.
 */
export const keptPolicy = (document: string, { directory, accountId }: Account): string => {
  try {
    return keptBucketPolicy(document, { directory: directory.current, accountId });
  } catch (error) {
    throw asS3(error);
  }
};

/** A kept policy as it is answered: with ARNs of now. */
export const shownPolicy = (kept: string, { directory, accountId }: Account): string =>
  shownTrust(kept, { directory: directory.current, accountId });

const listed = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** The resources that a policy names, as they are written; its parser has seen that they are texts. */
const resourcesOf = (document: string): readonly string[] => {
  const { Statement } = JSON.parse(document) as { readonly Statement: unknown };
  return (listed(Statement) as readonly Readonly<Record<string, unknown>>[]).flatMap(
    ({ Resource, NotResource }) => [...listed(Resource), ...listed(NotResource)].map(String),
  );
};

const checkResources = (document: string, { name }: Bucket): void => {
  const arn = bucketArn(name);
  const other = resourcesOf(document).find((one) => one !== arn && !one.startsWith(`${arn}/`));
  if (other !== undefined)
    throw malformed(
      `Policy has invalid resource: ${other.slice(0, 200)} is neither ${arn} nor something in it.`,
    );
};

const checkActions = ({ statements }: Policy): void => {
  for (const { actions } of statements)
    for (const { text } of actions)
      if (text !== '*' && !text.toLowerCase().startsWith('s3:'))
        throw malformed(`Policy has invalid action: ${text.slice(0, 100)} is none of S3.`);
};

/** A condition on what no call here has would never speak, or always: whoever wrote it must not rely on it. */
const checkConditions = (policy: Policy): void => {
  const unknown = contextKeysOf([policy]).find((key) => !isSupplied(key));
  if (unknown !== undefined)
    throw malformed(`Policy has an invalid condition key: no request here has ${unknown.slice(0, 100)}.`);
};

/** Condition keys that make a policy not public ("The meaning of public", Amazon S3 user guide), in small letters. */
const narrowing = new Set(['aws:PrincipalArn', 'aws:SourceIp', 'aws:userid'].map((key) => key.toLowerCase()));

/** Only with values that are fixed: neither wildcards nor variables. */
const narrows = ({ key, test }: Condition): boolean =>
  narrowing.has(key) &&
  test.kind === 'compare' &&
  !test.operator.negated &&
  !test.ifExists &&
  test.quantifier !== 'for-all-values' &&
  test.values.every((value) => value.kind !== 'open' && !/[*?]/.test(plainText(value.pattern)));

const isPublic = ({ statements }: Policy): boolean =>
  statements.some(
    ({ effect, principal, conditions }) =>
      effect === 'Allow' &&
      principal !== undefined &&
      (principal.everyone || principal.aws.includes('*')) &&
      !conditions.some(narrows),
  );

/**
 * Throws MalformedPolicy with the place of the fault, AccessDenied for a policy that names everybody where the bucket's
 * public access block forbids it.
 */
export const checkBucketPolicy = (document: string, bucket: Bucket): void => {
  const policy = parsed(document);
  checkResources(document, bucket);
  checkActions(policy);
  checkConditions(policy);
  if (bucket.publicAccessBlock?.BlockPublicPolicy && isPublic(policy))
    throw s3Error(
      'AccessDenied',
      'The policy names everybody (Principal *), and public policies are blocked by the BlockPublicPolicy block public access setting of the bucket.',
    );
};
