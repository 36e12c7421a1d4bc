import { validationException } from '../../contract/errors.ts';
import { maxTags, tagResourceInput } from '../../contract/shapes/tags.ts';
import type { Tags } from '../../environments/record.ts';
import type { Operation } from '../operation.ts';
import { changeTags, checkSpelling, onTagged, ownTags, taggedKey } from './tags.ts';

const action = 'airflow:TagResource';

const merged = (old: Tags, given: Tags): Tags => {
  // an older version may have stored two spellings: the one that is asked for may be changed
  const others = Object.keys(old).filter((key) => !Object.hasOwn(given, key));
  for (const key of Object.keys(given)) if (!Object.hasOwn(old, key)) checkSpelling([...others, key]);
  const tags = { ...old, ...given };
  const count = Object.keys(tags).length;
  if (count <= maxTags) return tags;
  throw validationException(
    `Invalid request provided: the environment would have ${count} tags, and ${maxTags} are allowed. Remove some first.`,
  );
};

/** Adds tags and replaces those of the same key. Nothing is restarted by it, in whatever status the environment is. */
export const tagResource: Operation = {
  name: 'TagResource',
  input: tagResourceInput,
  action,
  checks: onTagged(action),
  auditsSuccess: true,
  execute: async (call, deps) => {
    const key = taggedKey(call, action, deps);
    const given = ownTags(call.input['Tags']);
    await changeTags(call, key, deps, (old) => merged(old, given));
    return {};
  },
};
