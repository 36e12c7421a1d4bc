import { readEnvironmentArn } from '../../contract/arn.ts';
import {
  accessDeniedException,
  resourceNotFoundException,
  validationException,
} from '../../contract/errors.ts';
import type { EnvironmentKey, Tags } from '../../environments/record.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';
import { environmentContext, requestTags } from './rights.ts';

/** "Tag naming limits and requirements", AWS General Reference: in any spelling. */
const reserved = /^aws:/i;

/** Throws ValidationException for a key that only AWS may use. */
export const checkTagKeys = (keys: readonly string[]): void => {
  const found = keys.find((key) => reserved.test(key));
  if (found === undefined) return;
  throw validationException(
    `Invalid request provided: the tag key ${found} begins with aws:, which is reserved for AWS. Choose another key.`,
  );
};

/**
 * Condition keys are the same in any spelling (IAM User Guide, "aws:ResourceTag/tag-key"): of two tags that differ by
 * case a policy could only see one. Throws ValidationException for a key that is there in another spelling.
 */
export const checkSpelling = (keys: readonly string[]): void => {
  const seen = new Map<string, string>();
  for (const key of keys) {
    const other = seen.get(key.toLowerCase());
    if (other !== undefined && other !== key)
      throw validationException(
        `Invalid request provided: the tag keys ${other} and ${key} differ by case only, and policies take them for one. Use one spelling, and remove the other first.`,
      );
    seen.set(key.toLowerCase(), key);
  }
};

/** The member Tags of a request, absent or checked against its shape; throws ValidationException. */
export const ownTags = (given: unknown): Tags => {
  const tags = (given ?? {}) as Tags;
  checkTagKeys(Object.keys(tags));
  checkSpelling(Object.keys(tags));
  return tags;
};

/** The right to do something with the tags of the resource that the call names, with the tags or keys it brings. */
export const onTagged =
  (action: string): Operation['checks'] =>
  async ({ input }, deps) => {
    const arn = stringMember(input, 'ResourceArn');
    const name = readEnvironmentArn(arn)?.name;
    const keys = input['tagKeys'] as readonly string[] | undefined;
    const context = {
      ...(name === undefined ? {} : await environmentContext(name, deps)),
      ...requestTags((input['Tags'] ?? {}) as Tags),
      ...(keys === undefined ? {} : { 'aws:TagKeys': keys }),
    };
    return [{ action, resources: [arn], context }];
  };

const notFound = (arn: string) => resourceNotFoundException(`No environment with ARN ${arn} found.`);

/**
 * The environment that ResourceArn names. Throws AccessDeniedException for another account, as AWS answers where no
 * policy opens a resource to others, and ResourceNotFoundException for another Region or partition.
 */
export const taggedKey = (call: Call, action: string, deps: ApiDeps): EnvironmentKey => {
  const arn = stringMember(call.input, 'ResourceArn');
  const found = readEnvironmentArn(arn);
  if (!found) throw notFound(arn);
  const { accountId, region, name, partition } = found;
  if (accountId !== deps.accountId) {
    throw accessDeniedException(
      `User: ${call.principal.arn} is not authorized to perform: ${action} on resource: ${arn} because no resource-based policy allows the ${action} action`,
    );
  }
  if (region !== deps.region || partition !== 'aws') throw notFound(arn);
  return { accountId, region, name };
};

/** Replaces the tags by what `change` makes of them, with the audit entry, all or nothing and one after the other. */
export const changeTags = (
  call: Call,
  key: EnvironmentKey,
  deps: ApiDeps,
  change: (tags: Tags) => Tags,
): Promise<void> =>
  deps.store.inTransaction(async (tx) => {
    const found = await deps.store.findLocked(tx, key);
    if (!found) throw notFound(stringMember(call.input, 'ResourceArn'));
    await deps.store.setTags(tx, found.id, change(found.tags));
    await deps.audit.write(call.auditEntry({ environmentId: found.id }), tx);
  });

/** The tags of an environment; throws ResourceNotFoundException. */
export const findTags = async (call: Call, key: EnvironmentKey, deps: ApiDeps): Promise<Tags> => {
  const found = await deps.store.find(key);
  if (!found) throw notFound(stringMember(call.input, 'ResourceArn'));
  return found.tags;
};
