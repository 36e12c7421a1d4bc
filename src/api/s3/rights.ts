import type { ObjectVersion } from '../../bucket/objects.ts';
import { accessDeniedException } from '../../contract/errors.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import { deniedText } from '../../policy/denied-text.ts';
import type { Decision } from '../../policy/evaluate.ts';
import { isPossible } from '../../policy/possible.ts';
import type { Check } from '../operation.ts';
import { type Asked, bucketArn, given, isMissing, onBucket, onObject, wholeChecks } from './asked.ts';
import type { Work } from './operation.ts';
import { header } from './request.ts';
import { existingTags, requestTags, tagsOfHeader } from './tags.ts';

/** A read of one version has an action of its own. */
const versioned = (action: string, versionId: string | undefined): string =>
  versionId === undefined ? `s3:${action}` : `s3:${action.replace('Object', 'ObjectVersion')}`;

/** Condition keys of an object that is there. */
export const tagsOfObject = async (
  asked: Asked,
  bucket: string,
  key: string,
  versionId: string | undefined,
): Promise<ConditionContext> => {
  try {
    return existingTags((await asked.version(bucket, key, versionId)).tags);
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
};

/** The right to do something with an object, or with one version of it, by the tags that it has. */
export const onExisting = async (
  asked: Asked,
  action: string,
  context: ConditionContext = {},
): Promise<Check> => {
  const { bucket, key, query } = asked.request;
  const versionId = query.get('versionId');
  return onObject(asked, versioned(action, versionId), {
    ...given('s3:VersionId', versionId),
    ...(await tagsOfObject(asked, bucket, key, versionId)),
    ...context,
  });
};

/** What a delete needs: that is decided without the tags of the object. */
export const deleteCheck = (asked: Asked, versionId: string | undefined, ifMatch?: string): Check =>
  onObject(asked, versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', {
    ...given('s3:VersionId', versionId),
    ...given('s3:if-match', ifMatch),
  });

/** Rights of a write of an object; with tags the right to give them, with `If-Match` the right to know the ETag. */
export const writeChecks = (asked: Asked, context: ConditionContext = {}): readonly Check[] => {
  const { request } = asked;
  const tags = tagsOfHeader(header(request, 'x-amz-tagging'));
  const whole = {
    ...requestTags(tags),
    ...given('s3:x-amz-acl', header(request, 'x-amz-acl')),
    ...given('s3:x-amz-storage-class', header(request, 'x-amz-storage-class')),
    ...given('s3:if-match', header(request, 'if-match')),
    ...given('s3:if-none-match', header(request, 'if-none-match')),
    ...context,
  };
  return [
    onObject(asked, 's3:PutObject', whole),
    ...(tags.length > 0 ? [onObject(asked, 's3:PutObjectTagging', whole)] : []),
    ...(header(request, 'if-match') === undefined ? [] : [onObject(asked, 's3:GetObject')]),
  ];
};

/** What the policies say to one check, with that of the bucket. */
export const decide = async (work: Work, check: Check): Promise<Decision> => {
  const [whole = check] = await wholeChecks(work, work.head, [check]);
  const { action, context, policy } = whole;
  return work.deps.authorizer.decide(work.call.mint, {
    ...{ action, context, policy },
    resource: whole.resources[0] ?? '*',
  });
};

/**
 * Throws AccessDenied where no policy could allow one of these actions on anything: what is decided by the body needs not
 * be read then.
 */
export const checkIsPossible = async (work: Work, checks: readonly Check[]): Promise<void> => {
  const { mint } = work.call;
  const [first] = await wholeChecks(work, work.head, checks);
  if (!first || mint.principal.type === 'Root') return;
  const policies = { ...work.deps.authorizer.policiesOf(mint), resource: first.policy };
  const actions = checks.map(({ action }) => action);
  if (!isPossible(policies, actions)) throw refusal(work, first, await decide(work, first));
};

/** What a caller reads who lacks this right. */
export const refusal = ({ call }: Work, check: Check, decision: Decision) =>
  accessDeniedException(
    deniedText({
      principalArn: call.principal.arn,
      action: check.action,
      resource: check.resources[0] ?? '*',
      decision,
    }),
  );

/**
 * The version; whether a key is there is told only to who may list the bucket, as S3 does (GetObject, "Permissions").
 * Throws AccessDenied, NoSuchKey, NoSuchVersion, NoSuchBucket.
 */
export const foundVersion = async (
  work: Work,
  bucket: string,
  key: string,
  versionId: string | undefined,
): Promise<ObjectVersion> => {
  try {
    return await work.version(bucket, key, versionId);
  } catch (error) {
    if (isMissing(error)) await checkMayList(work, bucket, versionId);
    throw error;
  }
};

/** Throws AccessDenied. */
const checkMayList = async (work: Work, bucket: string, versionId: string | undefined): Promise<void> => {
  const action = versionId === undefined ? 's3:ListBucket' : 's3:ListBucketVersions';
  const check = { ...onBucket(work, action), resources: [bucketArn(bucket)] };
  const decision = await decide(work, check);
  if (!decision.allowed) throw refusal(work, check, decision);
};
