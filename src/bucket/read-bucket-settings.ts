import { s3Error } from '../contract/s3-errors.ts';
import type { PublicAccessBlock } from './objects.ts';
import { malformedXml, readXml } from './read-xml.ts';
import { membersOf, named, optionalBoolean, optionalText, requiredText } from './xml-shape.ts';

/** Reads the body of PutBucketVersioning. @throws MalformedXML, NotImplemented for MFA delete */
export const readVersioning = async (body: Uint8Array): Promise<'Enabled' | 'Suspended'> => {
  const members = membersOf(named(await readXml(body), 'VersioningConfiguration'), ['Status', 'MfaDelete']);
  const mfa = optionalText(members('MfaDelete')) ?? 'Disabled';
  const status = requiredText(members('Status'));
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  if (mfa === 'Enabled') throw s3Error('NotImplemented', 'MFA delete is not implemented.');
  if (mfa !== 'Disabled') throw malformedXml();
  return status;
};

const blocks = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

/** Reads the body of PutPublicAccessBlock; what is not there is false. @throws MalformedXML */
export const readPublicAccessBlock = async (body: Uint8Array): Promise<PublicAccessBlock> => {
  const members = membersOf(named(await readXml(body), 'PublicAccessBlockConfiguration'), blocks);
  return {
    BlockPublicAcls: optionalBoolean(members('BlockPublicAcls')),
    IgnorePublicAcls: optionalBoolean(members('IgnorePublicAcls')),
    BlockPublicPolicy: optionalBoolean(members('BlockPublicPolicy')),
    RestrictPublicBuckets: optionalBoolean(members('RestrictPublicBuckets')),
  };
};

/**
 * Reads the body of CreateBucket, which may be empty, and gives the Region that it asks for.
 * @throws MalformedXML, NotImplemented for directory buckets and tags
 */
export const readCreateBucket = async (body: Uint8Array): Promise<string | undefined> => {
  if (body.length === 0) return undefined;
  const root = named(await readXml(body), 'CreateBucketConfiguration');
  const members = membersOf(root, ['LocationConstraint', 'Location', 'Bucket', 'Tags']);
  for (const name of ['Location', 'Bucket', 'Tags'] as const)
    if (members(name).length > 0) throw s3Error('NotImplemented', `${name} of a bucket is not implemented.`);
  return optionalText(members('LocationConstraint'))?.trim();
};
