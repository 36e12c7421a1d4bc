import { slices } from '../lib/turns.ts';
import type { ArchiveEnd } from './archive-end.ts';
import { type Extras, extraIds, extraOf, readExtras } from './archive-extras.ts';
import type { ArchiveFile } from './archive-file.ts';
import { type ArchiveLimits, sizeText } from './archive-limits.ts';
import { checkPath, nameOf } from './archive-name.ts';
import { entryRefused, refused } from './archive-refused.ts';

/** What the central directory says of an entry (APPNOTE.TXT 4.3.12). */
export interface ArchiveEntry {
  /** The name as it stands there. */
  readonly raw: Buffer;
  /** Relative, with `/`, none at the end. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly flags: number;
  readonly isDeflated: boolean;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  readonly size: number;
  /** Where its local header is. */
  readonly at: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

const headLength = 46;

/** Flags (APPNOTE.TXT 4.4.4): both kinds of encryption, hidden headers, patches. */
const [encrypted, patched] = [0x2041, 0x20];
const [stored, deflated] = [0, 8];
const methods: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  98: 'PPMd',
};

const [typeMask, folderType, fileType, linkType] = [0o170000, 0o040000, 0o100000, 0o120000];
const dosFolder = 0x10;
const linksAdvice = 'Put the file itself there: zip without the option -y does that.';

const checkType = (name: Buffer, type: number, isFolder: boolean): void => {
  if (type === linkType) throw entryRefused(name, 'is a symbolic link', linksAdvice);
  if (type !== 0 && type !== fileType && type !== folderType)
    throw entryRefused(name, 'is a device, pipe or socket', 'Leave it out.');
  if (type !== 0 && (type === folderType) !== isFolder)
    throw entryRefused(name, 'is a file by its name and a folder by its mode, or the reverse');
};

/** Links and devices can be in the mode, or in fields of old programs (APPNOTE.TXT 4.5.7; Info-ZIP's extrafld.txt). */
const checkKind = (name: Buffer, attributes: number, isFolder: boolean, extras: Extras): void => {
  checkType(name, (attributes >>> 16) & typeMask, isFolder);
  if (attributes & dosFolder && !isFolder) throw entryRefused(name, 'is a folder, and named like a file');
  for (const [id, data] of extras) {
    if ((id === extraIds.unix && data.length > 12) || (id === extraIds.asiUnix && data.length > 14))
      throw entryRefused(name, 'is a link', linksAdvice);
    if (id === extraIds.asiUnix && data.length >= 6)
      checkType(name, data.readUInt16LE(4) & typeMask, isFolder);
  }
};

const checkPacking = (name: Buffer, flags: number, method: number): void => {
  if (flags & encrypted || method === 99)
    throw entryRefused(name, 'is encrypted', 'Make the archive again without a password.');
  if (flags & patched) throw entryRefused(name, 'is a patch');
  if (method !== stored && method !== deflated)
    throw entryRefused(
      name,
      `is packed with ${methods[method] ?? `method ${method}`}`,
      'Use the method Deflate, which every program for zip has.',
    );
};

/** The time of the entry: UTC where it has a field for it, else the local time of whoever made it is taken as UTC. */
const modifiedOf = (date: number, time: number, extras: Extras): number => {
  const utc = extraOf(extras, extraIds.time);
  if (utc && utc.length >= 5 && (utc[0] ?? 0) & 1) return Math.max(0, utc.readInt32LE(1) * 1000);
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  return Date.UTC(
    year,
    Math.max(1, month) - 1,
    Math.max(1, day),
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
};

/** Whether something grows more than an honest file does. */
const isBomb = (size: number, packed: number, limits: ArchiveLimits): boolean =>
  size > limits.smallBytes && size > packed * limits.ratio;

const checkSizes = (e: ArchiveEntry, limits: ArchiveLimits): void => {
  if (e.isFolder && e.size > 0) throw entryRefused(e.path, 'is a folder with bytes in it');
  if (!e.isDeflated && e.packed !== e.size) throw entryRefused(e.path, 'has two sizes');
  if (e.size > limits.fileBytes)
    throw entryRefused(
      e.path,
      `has more than ${sizeText(limits.fileBytes)} unpacked`,
      'Keep large data in a bucket.',
    );
  if (isBomb(e.size, e.packed, limits))
    throw entryRefused(
      e.path,
      `becomes more than ${limits.ratio} times as large when it is unpacked`,
      'Leave it out, or store it in the archive without compression.',
    );
};

const readEntry = (head: Buffer, rest: Buffer, limits: ArchiveLimits): ArchiveEntry => {
  const nameLength = head.readUInt16LE(28);
  const raw = rest.subarray(0, nameLength);
  const extras = readExtras(rest.subarray(nameLength, nameLength + head.readUInt16LE(30)));
  if (!extras) throw entryRefused(raw, 'has damaged fields');
  const [flags, method] = [head.readUInt16LE(8), head.readUInt16LE(10)];
  checkPacking(raw, flags, method);
  if (head.readUInt16LE(34) !== 0) throw entryRefused(raw, 'is in another part of several');
  const name = nameOf(raw, flags, extras);
  const isFolder = name.endsWith('/');
  const path = isFolder ? name.slice(0, -1) : name;
  checkPath(path, limits.depth);
  checkKind(raw, head.readUInt32LE(38), isFolder, extras);
  const entry: ArchiveEntry = {
    ...{ raw, path, isFolder, flags, isDeflated: method === deflated },
    crc: head.readUInt32LE(16),
    packed: head.readUInt32LE(20),
    size: head.readUInt32LE(24),
    at: head.readUInt32LE(42),
    modified: modifiedOf(head.readUInt16LE(14), head.readUInt16LE(12), extras),
  };
  checkSizes(entry, limits);
  return entry;
};

const signature = 0x02014b50;
const damaged = (): Error => refused('its list of entries is damaged', 'Upload it again, or make it again.');

/**
 * Reads the central directory; what it says is not compared with anything else yet.
 * @throws ArchiveRefused
 */
export const readEntries = async (
  file: ArchiveFile,
  end: ArchiveEnd,
  limits: ArchiveLimits,
): Promise<readonly ArchiveEntry[]> => {
  const bytes = await file.read(end.at, end.size);
  const [entries, pause]: [ArchiveEntry[], () => Promise<void>] = [[], slices()];
  let [at, size] = [0, 0];
  while (at < bytes.length) {
    await pause();
    const head = bytes.subarray(at, at + headLength);
    if (head.length < headLength || head.readUInt32LE(0) !== signature) throw damaged();
    const length = head.readUInt16LE(28) + head.readUInt16LE(30) + head.readUInt16LE(32);
    const rest = bytes.subarray(at + headLength, at + headLength + length);
    if (rest.length < length || entries.length === end.entries) throw damaged();
    const entry = readEntry(head, rest, limits);
    entries.push(entry);
    size += entry.size;
    if (size > limits.bytes)
      throw refused(
        `it has more than ${sizeText(limits.bytes)} unpacked`,
        'Leave out what no plugin needs; keep large data in a bucket.',
      );
    at += headLength + length;
  }
  if (entries.length !== end.entries) throw damaged();
  if (isBomb(size, file.size, limits))
    throw refused(`it becomes more than ${limits.ratio} times as large when it is unpacked`);
  return entries;
};
