import type { ObjectFacts } from '../../bucket/objects.ts';
import { checkedTags } from '../../bucket/read-tagging.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import { tagKeys } from '../../identity/condition-context.ts';
import { invalidArgument } from './errors.ts';

export type Tags = ObjectFacts['tags'];

const badEncoding = (text: string) =>
  invalidArgument(
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    'x-amz-tagging',
    text,
  );

const pieceOf = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw badEncoding(text);
  }
};

/** The header `x-amz-tagging`: names and values as in a form. Throws InvalidArgument, InvalidTag, BadRequest. */
export const tagsOfHeader = (text = ''): Tags => {
  const tags = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [pieceOf(name), pieceOf(rest.join('='))] as const;
    });
  const names = new Set(tags.map(([name]) => name));
  if (names.has('') || names.size < tags.length) throw badEncoding(text);
  return checkedTags(tags);
};

/** Condition keys of the tags that a request gives. */
export const requestTags = (tags: Tags): ConditionContext =>
  tags.length === 0
    ? {}
    : {
        ...tagKeys('s3:RequestObjectTag', Object.fromEntries(tags)),
        's3:RequestObjectTagKeys': tags.map(([name]) => name),
      };

/** Condition keys of the tags that an object has. */
export const existingTags = (tags: Tags): ConditionContext =>
  tagKeys('s3:ExistingObjectTag', Object.fromEntries(tags));
