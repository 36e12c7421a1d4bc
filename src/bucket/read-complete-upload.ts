import { s3Error } from '../contract/s3-errors.ts';
import { mapInTurns } from '../lib/turns.ts';
import { checksumNames } from './checksums.ts';
import type { NamedPart } from './objects.ts';
import { malformedXml, readXml, type XmlElement } from './read-xml.ts';
import { membersOf, named, optionalText, plainEtag, requiredText } from './xml-shape.ts';

const mostParts = 10_000;
/** A part has its number, its ETag and a checksum. */
const mostElements = 1 + 4 * mostParts;

const checksumElements = checksumNames.map((name) => [name, `Checksum${name}`] as const);
const partMembers = ['PartNumber', 'ETag', ...checksumElements.map(([, element]) => element)];

const numberOf = (text: string): number => {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (number < 1 || number > mostParts)
    throw s3Error('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}, inclusive`, {
      members: { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 64) },
    });
  return number;
};

const partOf = (element: XmlElement): NamedPart => {
  const members = membersOf(element, partMembers);
  const checksums = checksumElements.flatMap(([name, elementName]) => {
    const value = optionalText(members(elementName));
    return value === undefined ? [] : [{ name, value: value.trim() }];
  });
  const [checksum] = checksums;
  if (checksums.length > 1) throw malformedXml();
  return {
    number: numberOf(requiredText(members('PartNumber'))),
    etag: plainEtag(requiredText(members('ETag'))),
    ...(checksum ? { checksum } : {}),
  };
};

/**
 * Reads the body of CompleteMultipartUpload; the parts are in the order of the body.
 * @throws MalformedXML, also for no part; InvalidArgument for a number that no part can have
 */
export const readCompleteUpload = async (body: Uint8Array): Promise<readonly NamedPart[]> => {
  const parts = membersOf(named(await readXml(body, mostElements), 'CompleteMultipartUpload'), ['Part'])(
    'Part',
  );
  if (parts.length === 0 || parts.length > mostParts) throw malformedXml();
  return mapInTurns(parts, partOf);
};
