import { createHash } from 'node:crypto';
import { type CrcName, createCrc } from './crc.ts';
import { combineCrcs } from './crc-combine.ts';
import type { ChecksumName } from './objects.ts';

/** Computes a checksum of bytes that come piece by piece. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Base64 of the big-endian bytes; asked for once, at the end. */
  digest(): string;
}

/** How many bytes a checksum has. */
const lengths: Readonly<Record<ChecksumName, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** The names of the checksums, in the order of Amazon S3's own lists. */
export const checksumNames = Object.keys(lengths) as readonly ChecksumName[];

const isCrc = (name: ChecksumName | 'MD5'): name is CrcName => name.startsWith('CRC');

const raw = (name: ChecksumName | 'MD5') => (isCrc(name) ? createCrc(name) : createHash(name.toLowerCase()));

/** Begins a checksum. */
export const createHasher = (name: ChecksumName | 'MD5'): Hasher => {
  const hasher = raw(name);
  return {
    update: (bytes) => {
      hasher.update(bytes);
    },
    digest: () => hasher.digest().toString('base64'),
  };
};

/** Base64 as RFC 4648 has it: no other text stands for the same bytes. */
export const isBase64Of = (text: string, bytes: number): boolean => {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
};

/** True for the text of a checksum of that name; nothing is said of what it is a checksum of. */
export const isChecksum = (name: ChecksumName, value: string): boolean => isBase64Of(value, lengths[name]);

/**
 * What Amazon S3 offers for an object of parts ("Checking object integrity for multipart uploads"): every algorithm but
 * CRC64NVME as COMPOSITE, the CRCs as FULL_OBJECT.
 */
export const canBe = (name: ChecksumName, type: 'FULL_OBJECT' | 'COMPOSITE'): boolean =>
  type === 'FULL_OBJECT' ? isCrc(name) : name !== 'CRC64NVME';

/** The checksum over the checksums of the parts, with the number of parts behind it. */
export const compositeChecksum = (name: ChecksumName, parts: readonly string[]): string => {
  const hasher = createHasher(name);
  for (const part of parts) hasher.update(Buffer.from(part, 'base64'));
  return `${hasher.digest()}-${parts.length}`;
};

/** The checksum of one part, and its bytes. */
export interface PartChecksum {
  readonly value: string;
  readonly size: number;
}

/** The checksum of all bytes from those of the parts; undefined for algorithms that do not allow it. */
export const fullObjectChecksum = async (
  name: ChecksumName,
  parts: readonly PartChecksum[],
): Promise<string | undefined> => {
  if (!isCrc(name)) return undefined;
  const crcs = parts.map(({ value, size }) => ({ crc: Buffer.from(value, 'base64'), size }));
  return (await combineCrcs(name, crcs)).toString('base64');
};
