import type { ObjectFacts } from '../../bucket/objects.ts';
import { checkedTags } from '../../bucket/read-tagging.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { ConditionContext } from '../../identity/condition-context.ts';
import { tagKeys } from '../../identity/condition-context.ts';

export type Tags = ObjectFacts['tags'];

const pieceOf = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw s3Error('InvalidTag', 'The header x-amz-tagging must be encoded as the parameters of a URL.');
  }
};

/** The header `x-amz-tagging`: names and values as in a form. Throws InvalidTag. */
export const tagsOfHeader = (text: string | undefined): Tags =>
  checkedTags(
    (text ?? '')
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', ...rest] = pair.split('=');
        return [pieceOf(name), pieceOf(rest.join('='))] as const;
      }),
  );

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
