import { listTagsForResourceInput } from '../../contract/shapes/tags.ts';
import type { Operation } from '../operation.ts';
import { findTags, onTagged, taggedKey } from './tags.ts';

const action = 'airflow:ListTagsForResource';

export const listTagsForResource: Operation = {
  name: 'ListTagsForResource',
  input: listTagsForResourceInput,
  action,
  checks: onTagged(action),
  auditsSuccess: false,
  execute: async (call, deps) => ({ Tags: await findTags(call, taggedKey(call, action, deps), deps) }),
};
