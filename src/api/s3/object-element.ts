import type { ObjectVersion } from '../../bucket/objects.ts';
import { ownerElement } from './lists.ts';
import { quoted } from './version-headers.ts';
import { group, text, xmlTime } from './xml.ts';

/** An object of a list: `Contents`, or `Version` with what tells versions apart. */
export const objectElement = (
  name: 'Contents' | 'Version',
  version: ObjectVersion,
  encode: (key: string) => string,
  ownerAccount: string | undefined,
): string =>
  group(
    name,
    text('Key', encode(version.key)),
    ...(name === 'Version' ? [text('VersionId', version.versionId), text('IsLatest', version.isLatest)] : []),
    text('LastModified', xmlTime(version.lastModified)),
    text('ETag', quoted(version.etag)),
    text('ChecksumAlgorithm', version.checksum?.name),
    text('ChecksumType', version.checksum?.type),
    text('Size', version.size),
    text('StorageClass', 'STANDARD'),
    ownerAccount === undefined ? '' : ownerElement(ownerAccount),
  );
