import { type ConditionContext, tagKeys } from '../../identity/condition-context.ts';
import type { Directory, EntityOf, IamTags } from '../../identity/directory.ts';
import { requestTags } from '../mwaa/rights.ts';
import type { Asked, Operation } from '../operation.ts';
import { optionalString } from '../operation.ts';
import { invalidInput, limitExceeded } from './errors.ts';
import { changing, reading, type Target, type TargetOf } from './operation.ts';
import { page } from './page.ts';

const mostTags = 50;

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** The tags of a request: a key once, whatever its spelling, and none that is AWS's. Throws InvalidInput. */
export const tagsOf = (given: unknown): IamTags => {
  const tags = (given ?? []) as readonly Tag[];
  const seen = new Set<string>();
  for (const { Key } of tags) {
    const key = Key.toLowerCase();
    if (key.startsWith('aws:'))
      throw invalidInput(`Tag keys cannot begin with aws: (${Key}). Choose another key.`);
    if (seen.has(key))
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    seen.add(key);
  }
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
};

const tagList = (tags: IamTags): readonly Tag[] =>
  Object.entries(tags)
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((a, b) => (a.Key < b.Key ? -1 : 1));

/** Left out where there are none, as IAM does. */
export const shownTags = (tags: IamTags) => (Object.keys(tags).length === 0 ? {} : { Tags: tagList(tags) });

/** The condition keys of an entity's tags. */
export const tagContext = (tags: IamTags): ConditionContext => ({
  ...tagKeys('aws:ResourceTag', tags),
  ...tagKeys('iam:ResourceTag', tags),
});

/** The tags that a call brings. */
export const givenTags = (input: Asked['input']): readonly Tag[] => (input['Tags'] ?? []) as readonly Tag[];

/** The condition keys of the tags that a call brings or takes away. */
export const givenTagContext = ({ input }: Asked): ConditionContext => {
  const given = givenTags(input);
  const keys = input['TagKeys'] as readonly string[] | undefined;
  return {
    ...requestTags(Object.fromEntries(given.map(({ Key, Value }) => [Key, Value]))),
    ...(keys === undefined ? {} : { 'aws:TagKeys': keys }),
  };
};

/** Keys that are there in another spelling are meant as well: a condition may name either. */
const withStoredSpelling = (keys: readonly string[], stored: ConditionContext = {}): readonly string[] => {
  const meant = new Set(keys.map((key) => key.toLowerCase()));
  const prefix = 'iam:ResourceTag/';
  const spelled = Object.keys(stored)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return [...new Set([...keys, ...spelled.filter((key) => meant.has(key.toLowerCase()))])];
};

const without = (tags: IamTags, keys: readonly string[]): IamTags => {
  const left = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !left.has(key.toLowerCase())));
};

const merged = (old: IamTags, given: IamTags): IamTags => {
  const tags = { ...without(old, Object.keys(given)), ...given };
  if (Object.keys(tags).length > mostTags) throw limitExceeded('TagsPerResource', mostTags);
  return tags;
};

type Tagged = EntityOf<'user' | 'role' | 'policy'>;

/** TagX, UntagX and ListXTags of one kind of entity. */
export const tagOperations = (
  kind: 'User' | 'Role' | 'Policy',
  target: TargetOf,
  findIn: (directory: Directory, asked: Asked) => Tagged,
): readonly Operation[] => {
  const withGiven: TargetOf = (asked, directory) => {
    const found: Target = target(asked, directory);
    const given = givenTagContext(asked);
    const keys = given['aws:TagKeys'];
    const meant = Array.isArray(keys) ? { 'aws:TagKeys': withStoredSpelling(keys, found.context) } : {};
    return { ...found, context: { ...found.context, ...given, ...meant } };
  };
  return [
    changing(`Tag${kind}`, withGiven, (draft, work) => {
      const found = findIn(draft, work);
      draft.put({ ...found, tags: merged(found.tags, tagsOf(work.input['Tags'])) });
      return {};
    }),
    changing(`Untag${kind}`, withGiven, (draft, work) => {
      const found = findIn(draft, work);
      draft.put({ ...found, tags: without(found.tags, work.input['TagKeys'] as readonly string[]) });
      return {};
    }),
    reading(`List${kind}Tags`, target, (directory, work) => {
      const { items, end } = page(tagList(findIn(directory, work).tags), work.input, ({ Key }) => Key);
      return { Tags: items, ...end };
    }),
  ];
};

/** The name of the entity a call is about, or of the calling user where that may be left out. */
export const ownName = ({ input, principal }: Asked): string | undefined =>
  optionalString(input, 'UserName') ??
  (principal.type === 'IAMUser' ? principal.iamIdentity.slice('user/'.length) : undefined);
