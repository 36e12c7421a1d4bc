import { untagResourceInput } from '../../contract/shapes/tags.ts';
import type { Operation } from '../operation.ts';
import { changeTags, checkTagKeys, onTagged, taggedKey } from './tags.ts';

const action = 'airflow:UntagResource';

/** Takes tags away; a key that is not there is none to take away, and no fault. */
export const untagResource: Operation = {
  name: 'UntagResource',
  input: untagResourceInput,
  action,
  checks: onTagged(action),
  auditsSuccess: true,
  execute: async (call, deps) => {
    const key = taggedKey(call, action, deps);
    const keys = call.input['tagKeys'] as readonly string[];
    checkTagKeys(keys);
    await changeTags(call, key, deps, (old) =>
      Object.fromEntries(Object.entries(old).filter(([name]) => !keys.includes(name))),
    );
    return {};
  },
};
