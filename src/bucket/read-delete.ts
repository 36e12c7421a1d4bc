import { s3Error } from '../contract/s3-errors.ts';
import { mapInTurns } from '../lib/turns.ts';
import { malformedXml, readXml, type XmlElement } from './read-xml.ts';
import { membersOf, named, optionalBoolean, optionalText, plainEtag, requiredText } from './xml-shape.ts';

export interface ObjectToDelete {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Without quotes. */
  readonly ifMatch: string | undefined;
}

/** The body of DeleteObjects. */
export interface DeleteBody {
  /** Only failures are told. */
  readonly isQuiet: boolean;
  readonly objects: readonly ObjectToDelete[];
}

const mostObjects = 1000;
/** With each all that it may hold. */
const mostElements = 2 + 6 * mostObjects;

const objectOf = (element: XmlElement): ObjectToDelete => {
  const members = membersOf(element, ['Key', 'VersionId', 'ETag', 'LastModifiedTime', 'Size']);
  // S3 has them for directory buckets only
  if (members('LastModifiedTime').length + members('Size').length > 0)
    throw s3Error('NotImplemented', 'Deleting by LastModifiedTime or Size is not implemented.');
  const etag = optionalText(members('ETag'));
  return {
    key: requiredText(members('Key')),
    versionId: optionalText(members('VersionId')) || undefined,
    ifMatch: etag === undefined ? undefined : plainEtag(etag),
  };
};

/** Reads the body of DeleteObjects. @throws MalformedXML, also for more than 1,000 objects or none; NotImplemented */
export const readDelete = async (body: Uint8Array): Promise<DeleteBody> => {
  const members = membersOf(named(await readXml(body, mostElements), 'Delete'), ['Quiet', 'Object']);
  const objects = members('Object');
  if (objects.length === 0 || objects.length > mostObjects) throw malformedXml();
  return { isQuiet: optionalBoolean(members('Quiet')), objects: await mapInTurns(objects, objectOf) };
};
