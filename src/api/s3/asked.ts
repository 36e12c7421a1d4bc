import type { Bucket, Buckets, ObjectVersion } from '../../bucket/objects.ts';
import { AwsError } from '../../contract/errors.ts';
import { noSuchBucket } from '../../contract/s3-errors.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import type { BelievedHead } from '../../identity/sigv4/verify-s3.ts';
import type { NamedPolicy } from '../../policy/evaluate.ts';
import { compiledPolicy } from '../../policy/parse.ts';
import type { ApiDeps } from '../deps.ts';
import type { Check } from '../operation.ts';
import type { S3Request } from './request.ts';

/** A request with what it is about; each is looked up once, so that what is decided on is what is done. */
export interface Asked {
  readonly request: S3Request;
  readonly deps: ApiDeps;
  readonly buckets: Buckets;
  /** Undefined when there is none of that name. */
  readonly bucket: (name: string) => Promise<Bucket | undefined>;
  /** The version that the request names, else the latest; a marker too. Throws NoSuchKey, NoSuchVersion. */
  readonly version: (bucket: string, key: string, versionId: string | undefined) => Promise<ObjectVersion>;
}

/** What is asked for once is remembered, also that it is not there. */
const once = <A extends readonly (string | undefined)[], T>(
  ask: (...args: A) => Promise<T>,
): ((...args: A) => Promise<T>) => {
  const known = new Map<string, Promise<T>>();
  return (...args) => {
    const name = JSON.stringify(args);
    const answer = known.get(name) ?? ask(...args);
    known.set(name, answer);
    return answer;
  };
};

export const askedOf = (request: S3Request, deps: ApiDeps, buckets: Buckets): Asked => {
  const bucket = once((name: string) => buckets.find(name));
  return {
    ...{ request, deps, buckets, bucket },
    version: once(async (name: string, key: string, versionId: string | undefined) => {
      if (!(await bucket(name))) throw noSuchBucket(name);
      return buckets.version(name, key, versionId);
    }),
  };
};

/** The bucket of the request. Throws NoSuchBucket. */
export const bucketOf = async ({ request, bucket }: Asked): Promise<Bucket> => {
  const found = await bucket(request.bucket);
  if (!found) throw noSuchBucket(request.bucket);
  return found;
};

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
export const objectArn = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`;

/** Condition keys that every action of S3 has (Service Authorization Reference, Amazon S3), from what is believed. */
const commonContext = ({ form, contentSha256, signatureAge }: BelievedHead): ConditionContext => ({
  's3:authType': form === 'query' ? 'REST-QUERY-STRING' : 'REST-HEADER',
  's3:signatureversion': 'AWS4-HMAC-SHA256',
  's3:signatureAge': String(signatureAge),
  's3:x-amz-content-sha256': contentSha256,
});

/** A condition key with its value, where there is one. */
export const given = (key: string, value: string | undefined): ConditionContext =>
  value === undefined ? {} : { [key]: value };

/** The right to do something with the bucket of the request. */
export const onBucket = ({ request }: Asked, action: string, context: ConditionContext = {}): Check => ({
  action,
  resources: [bucketArn(request.bucket)],
  context,
});

/** The right to do something with the object of the request. */
export const onObject = ({ request }: Asked, action: string, context: ConditionContext = {}): Check => ({
  action,
  resources: [objectArn(request.bucket, request.key)],
  context,
});

const bucketOfArn = (arn: string): string => arn.slice('arn:aws:s3:::'.length).split('/', 1)[0] ?? '';

const policyOf = async (asked: Asked, name: string): Promise<NamedPolicy | undefined> => {
  const text = (await asked.bucket(name))?.policy;
  return text === undefined
    ? undefined
    : { name: `bucket policy of ${name}`, policy: compiledPolicy(text, 'bucket') };
};

/** The checks, each with the condition keys of every call and the policy of the bucket that it is about. */
export const wholeChecks = async (
  asked: Asked,
  head: BelievedHead,
  checks: readonly Check[],
): Promise<readonly Check[]> =>
  Promise.all(
    checks.map(async (check) => ({
      ...check,
      context: { ...commonContext(head), ...check.context },
      policy: await policyOf(asked, bucketOfArn(check.resources[0] ?? '')),
    })),
  );

/** Whether something was not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof AwsError && ['NoSuchKey', 'NoSuchVersion', 'NoSuchBucket'].includes(error.code);
