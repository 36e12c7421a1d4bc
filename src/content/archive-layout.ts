import { slices } from '../lib/turns.ts';
import type { ArchiveEntry } from './archive-entry.ts';
import { type Extras, extraIds, extraOf, readExtras } from './archive-extras.ts';
import type { ArchiveFile } from './archive-file.ts';
import { isAscii, nameOf } from './archive-name.ts';
import { entryRefused, refused } from './archive-refused.ts';

/** An entry whose bytes are found. */
export interface FoundEntry extends ArchiveEntry {
  /** Where they begin. */
  readonly dataAt: number;
}

const [signature, headLength] = [0x04034b50, 30];
const descriptorSignature = 0x08074b50;
/** CRC and sizes are not in the local header but behind the bytes. */
const hasDescriptor = (flags: number): boolean => (flags & 0x08) !== 0;
/** What both headers must say alike; that a name is UTF-8 as well, unless it is ASCII. */
const flagsThatMatter = (raw: Buffer): number => (isAscii(raw) ? 0x2069 : 0x2869);

const differs = (e: ArchiveEntry, what: string): Error =>
  entryRefused(e.raw, `has ${what} in one place and another one elsewhere in the archive`);
const overlaps = (e: ArchiveEntry): Error => entryRefused(e.raw, 'overlaps with another, as in a zip bomb');

/** The sizes of a local header, packed first; in a zip64 field where the header has no room (APPNOTE.TXT 4.5.3). */
const sizesOf = (head: Buffer, extras: Extras): readonly [packed: number, size: number] => {
  const plain = [head.readUInt32LE(18), head.readUInt32LE(22)] as const;
  const wide = extraOf(extras, extraIds.zip64);
  if (plain.some((size) => size !== 0xffffffff) || !wide || wide.length < 16) return plain;
  return [Number(wide.readBigUInt64LE(8)), Number(wide.readBigUInt64LE(0))];
};

const compare = (e: ArchiveEntry, head: Buffer, rest: Buffer): void => {
  const name = rest.subarray(0, head.readUInt16LE(26));
  const extras = readExtras(rest.subarray(name.length));
  if (!extras) throw entryRefused(e.raw, 'has damaged fields');
  const flags = head.readUInt16LE(6);
  const mask = flagsThatMatter(e.raw);
  if (!name.equals(e.raw)) throw differs(e, 'one name');
  if ((flags & mask) !== (e.flags & mask)) throw differs(e, 'one set of flags');
  if (nameOf(name, e.flags, extras) !== (e.isFolder ? `${e.path}/` : e.path)) throw differs(e, 'one name');
  if (head.readUInt16LE(8) !== (e.isDeflated ? 8 : 0)) throw differs(e, 'one method');
  const [packed, size] = sizesOf(head, extras);
  const isKnown = (value: number, wanted: number): boolean =>
    value === wanted || (value === 0 && hasDescriptor(flags));
  if (!isKnown(packed, e.packed) || !isKnown(size, e.size)) throw differs(e, 'one size');
  if (!isKnown(head.readUInt32LE(14), e.crc)) throw differs(e, 'one checksum');
};

/** What stands between the bytes of an entry and the next one: its data descriptor, or nothing (APPNOTE.TXT 4.3.9). */
const checkDescriptor = (e: ArchiveEntry, bytes: Buffer): void => {
  const start = bytes.length === 16 || bytes.length === 24 ? 4 : 0;
  if (start === 4 && bytes.readUInt32LE(0) !== descriptorSignature)
    throw entryRefused(e.raw, 'has hidden bytes behind it');
  const isWide = bytes.length >= 20;
  const number = (at: number): number =>
    isWide ? Number(bytes.readBigUInt64LE(start + 4 + 8 * at)) : bytes.readUInt32LE(start + 4 + 4 * at);
  if (bytes.readUInt32LE(start) !== e.crc) throw differs(e, 'one checksum');
  if (number(0) !== e.packed || number(1) !== e.size) throw differs(e, 'one size');
};

const find = async (file: ArchiveFile, e: ArchiveEntry, next: number): Promise<FoundEntry> => {
  if (e.at + headLength > next) throw overlaps(e);
  const head = await file.piece(e.at, headLength);
  if (head.readUInt32LE(0) !== signature) throw entryRefused(e.raw, 'is not where the archive says');
  const length = head.readUInt16LE(26) + head.readUInt16LE(28);
  const dataAt = e.at + headLength + length;
  const end = dataAt + e.packed;
  if (end > next) throw overlaps(e);
  compare(e, head, await file.piece(e.at + headLength, length));
  const between = next - end;
  if (hasDescriptor(e.flags) ? ![12, 16, 20, 24].includes(between) : between !== 0)
    throw entryRefused(e.raw, 'has hidden bytes behind it');
  if (between > 0) checkDescriptor(e, await file.piece(end, between));
  return { ...e, dataAt };
};

/**
 * Compares every local header with the central directory. Entries must lie one after the other from the first byte of the
 * archive to the directory: nothing is used twice, and nothing is hidden between them.
 * @throws ArchiveRefused
 */
export const findEntries = async (
  file: ArchiveFile,
  entries: readonly ArchiveEntry[],
  directoryAt: number,
): Promise<readonly FoundEntry[]> => {
  const [found, pause]: [FoundEntry[], () => Promise<void>] = [[], slices()];
  const inOrder = entries.toSorted((a, b) => a.at - b.at);
  if ((inOrder[0]?.at ?? directoryAt) !== 0) throw refused('there are bytes before its first entry');
  for (const [i, entry] of inOrder.entries()) {
    await pause();
    found.push(await find(file, entry, inOrder[i + 1]?.at ?? directoryAt));
  }
  return found;
};
