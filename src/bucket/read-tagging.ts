import { s3Error } from '../contract/s3-errors.ts';
import type { ObjectFacts } from './objects.ts';
import { malformedXml, readXml, type XmlElement } from './read-xml.ts';
import { membersOf, named, requiredText } from './xml-shape.ts';

type Tags = ObjectFacts['tags'];

/** "Categorizing your objects using tags" (Amazon S3 user guide). */
const mostTags = 10;
const longestName = 128;
const longestValue = 256;
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const invalid = (text: string, key: string) =>
  s3Error('InvalidTag', text, { members: { TagKey: key.slice(0, longestName) } });

const checkTag = ([name, value]: Tags[number]): void => {
  if (name === '' || name.length > longestName || !allowed.test(name))
    throw invalid('The TagKey you have provided is invalid', name);
  if (value.length > longestValue || !allowed.test(value))
    throw invalid('The TagValue you have provided is invalid', name);
  if (name.startsWith('aws:')) throw invalid('System tags cannot be added/updated by requester', name);
};

/** Tags as an object may have them. @throws InvalidTag, BadRequest for too many */
export const checkedTags = (tags: Tags): Tags => {
  if (tags.length > mostTags) throw s3Error('BadRequest', `Object tags cannot be greater than ${mostTags}`);
  tags.forEach(checkTag);
  const names = new Set(tags.map(([name]) => name));
  const doubled = tags.find(([name]) => !names.delete(name));
  if (doubled) throw invalid('Cannot provide multiple Tags with the same key', doubled[0]);
  return tags;
};

const tagOf = (element: XmlElement): Tags[number] => {
  const members = membersOf(element, ['Key', 'Value']);
  return [requiredText(members('Key')), requiredText(members('Value'))];
};

/** Reads the body of PutObjectTagging. @throws MalformedXML, InvalidTag, BadRequest */
export const readTagging = async (body: Uint8Array): Promise<Tags> => {
  const [set, ...more] = membersOf(named(await readXml(body), 'Tagging'), ['TagSet'])('TagSet');
  if (!set || more.length > 0) throw malformedXml();
  return checkedTags(membersOf(set, ['Tag'])('Tag').map(tagOf));
};
