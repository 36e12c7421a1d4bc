import { createHash } from 'node:crypto';
import type { ListRequest } from '../../bucket/objects.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import { type Asked, given } from './asked.ts';
import { invalidArgument } from './errors.ts';
import type { S3Request } from './request.ts';
import { group, text, urlEncoded } from './xml.ts';

/** Keys of one page. */
const mostKeys = 1_000;

/** A number of things for a page, 1,000 at most. Throws InvalidArgument. */
export const pageSize = ({ query }: S3Request, name: string): number => {
  const value = query.get(name);
  if (value === undefined || value === '') return mostKeys;
  if (!/^\d{1,10}$/.test(value) || Number(value) > 2_147_483_647)
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, value);
  return Math.min(Number(value), mostKeys);
};

/** How keys are written in the answer. Throws InvalidArgument. */
export const encoderOf = ({ query }: S3Request): ((key: string) => string) => {
  const type = query.get('encoding-type');
  if (type === undefined) return (key) => key;
  if (type === 'url') return urlEncoded;
  throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
};

/** What a list is about, and behind which key it begins. */
export const listRequest = (request: S3Request, after: string, size = 'max-keys'): ListRequest => ({
  begins: true,
  bucket: request.bucket,
  prefix: request.query.get('prefix') ?? '',
  delimiter: request.query.get('delimiter') ?? '',
  after,
  most: pageSize(request, size),
});

/** A page of nothing: `max-keys=0` asks for it, and is not asked of anybody. */
export const emptyPage = { found: [], commonPrefixes: [], isTruncated: false, last: undefined } as const;

/** Condition keys of a list (Service Authorization Reference, Amazon S3, ListBucket). */
export const listContext = ({ request: { query } }: Asked): ConditionContext => ({
  ...given('s3:prefix', query.get('prefix')),
  ...given('s3:delimiter', query.get('delimiter')),
  ...given('s3:max-keys', query.get('max-keys')),
});

/** `CommonPrefixes`, one each. */
export const prefixElements = (prefixes: readonly string[], encode: (key: string) => string): string =>
  prefixes.map((prefix) => group('CommonPrefixes', text('Prefix', encode(prefix)))).join('');

/** The one owner of everything: the account, by an id of the form that S3's canonical users have. */
export const ownerElement = (accountId: string, name = 'Owner'): string => {
  const id = createHash('sha256').update(accountId).digest('hex');
  return group(name, text('ID', id), text('DisplayName', accountId));
};

/** What a token is good for: the list that it was given for. */
type Question = Pick<ListRequest, 'bucket' | 'prefix' | 'delimiter'>;

const questionOf = ({ bucket, prefix, delimiter }: Question): string =>
  createHash('sha256')
    .update(JSON.stringify([bucket, prefix, delimiter]))
    .digest('base64url')
    .slice(0, 22);

export const continuationToken = (list: Question, after: string): string =>
  Buffer.from(JSON.stringify([questionOf(list), after])).toString('base64url');

/** Where the token goes on. Throws InvalidArgument for one that was not given for this list. */
export const afterToken = (list: Question, token: string): string => {
  const invalid = invalidArgument(
    'The continuation token provided is incorrect',
    'continuation-token',
    token,
  );
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw invalid;
  }
  const [question, after] = Array.isArray(value) ? (value as unknown[]) : [];
  if (question !== questionOf(list) || typeof after !== 'string') throw invalid;
  return after;
};
