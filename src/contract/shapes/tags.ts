import { type MapShape, type StructureShape, structure, text } from '../shape.ts';
import { environmentArnShape } from './members.ts';

const tagPattern = String.raw`([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`;
const tagKey = text(128, tagPattern);

/** Of one environment. */
export const maxTags = 50;

export const tags: MapShape = {
  kind: 'map',
  key: tagKey,
  value: text(256, tagPattern),
  min: 1,
  max: maxTags,
};

export const tagResourceInput: StructureShape = structure({ ResourceArn: environmentArnShape, Tags: tags }, [
  'ResourceArn',
  'Tags',
]);

export const untagResourceInput: StructureShape = structure(
  {
    ResourceArn: environmentArnShape,
    // The model spells this one with a small letter.
    tagKeys: { kind: 'list', member: tagKey, min: 0, max: maxTags },
  },
  ['ResourceArn', 'tagKeys'],
);

export const listTagsForResourceInput: StructureShape = structure({ ResourceArn: environmentArnShape }, [
  'ResourceArn',
]);

export const listTagsForResourceOutput: StructureShape = structure({ Tags: tags });
