import type { ArchiveFile } from './archive-file.ts';
import { type ArchiveLimits, sizeText } from './archive-limits.ts';
import { refused, shown } from './archive-refused.ts';

/** Where the central directory is (APPNOTE.TXT 4.3.16). */
export interface ArchiveEnd {
  readonly entries: number;
  readonly at: number;
  readonly size: number;
}

const [endLength, longestComment, locatorLength] = [22, 65_535, 20];
const [endSignature, locatorSignature] = [Buffer.from('PK\x05\x06'), Buffer.from('PK\x06\x07')];

/** How other files begin, in hexadecimal, and what to say of them. */
const magic: readonly (readonly [start: string, what: string])[] = [
  ['1f8b', 'a gzip file (.tar.gz, perhaps)'],
  ['425a68', 'a bzip2 file'],
  ['fd377a585a00', 'an xz file'],
  ['28b52ffd', 'a Zstandard file'],
  ['377abcaf271c', 'a 7z archive'],
  ['52617221', 'a RAR archive'],
];
const texts: readonly (readonly [start: RegExp, what: string])[] = [
  [/^.{257}ustar/s, 'a tar archive'],
  [/^(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head)/i, 'an HTML page, perhaps of a failed download'],
  [/^(\xef\xbb\xbf)?\s*<\?xml/i, 'an XML document, perhaps the error of a download'],
];

const plainAdvice =
  'Give a zip archive: from within the folder of your plugins, "zip -r ../plugins.zip ." makes one.';

const noZip = async (file: ArchiveFile): Promise<Error> => {
  if (file.size === 0)
    return refused(
      'it is empty, 0 bytes',
      'Give a zip archive; one without entries is fine where no plugins are wanted.',
    );
  const bytes = await file.read(0, Math.min(512, file.size));
  const [start, hex] = [bytes.toString('latin1'), bytes.toString('hex')];
  if (start.startsWith('version https://git-lfs'))
    return refused(
      'it is a Git LFS pointer and not the archive itself',
      'Run "git lfs pull" and upload it again.',
    );
  if (start.startsWith('PK'))
    return refused('its end is missing: it is cut off or damaged', 'Upload it again.');
  const what =
    magic.find(([begin]) => hex.startsWith(begin))?.[1] ?? texts.find(([begin]) => begin.test(start))?.[1];
  return refused(
    `it is ${what ?? `no zip archive; it begins with ${shown(start.slice(0, 16))}`}`,
    plainAdvice,
  );
};

/** Every place of these bytes. */
const placesOf = (bytes: Buffer, part: Buffer): readonly number[] => {
  const places: number[] = [];
  for (let at = bytes.indexOf(part); at !== -1; at = bytes.indexOf(part, at + 1)) places.push(at);
  return places;
};

/** The one end record that every reader takes, whether it looks for the last one or for one whose comment fits. */
const placeOfEnd = async (file: ArchiveFile, tail: Buffer): Promise<number> => {
  const places = placesOf(tail, endSignature);
  const last = places.at(-1);
  if (last === undefined) throw await noZip(file);
  const fits = (at: number): boolean =>
    at + endLength <= tail.length && tail.readUInt16LE(at + 20) === tail.length - at - endLength;
  const fitting = places.filter(fits);
  if (fitting.length > 1 || (fitting.length === 1 && fitting[0] !== last))
    throw refused('it has several ends, so that programs may see different files in it');
  if (fitting.length === 0) throw refused('there are bytes after its end, or it is cut off');
  return last;
};

/**
 * Reads the end of an archive, and says what else the file is.
 * @throws ArchiveRefused
 */
export const readEnd = async (file: ArchiveFile, limits: ArchiveLimits): Promise<ArchiveEnd> => {
  if (file.size > limits.packed)
    throw refused(`it has more than ${sizeText(limits.packed)}`, 'Give a smaller one.');
  const length = Math.min(file.size, endLength + longestComment + locatorLength);
  const tail = await file.read(file.size - length, length);
  const at = await placeOfEnd(file, tail);
  const tooMany = (): Error =>
    refused(
      `it has more than ${limits.entries.toLocaleString('en')} entries`,
      'Leave out what no plugin needs.',
    );
  if (tail.subarray(Math.max(0, at - locatorLength), at).indexOf(locatorSignature) === 0) {
    if (tail.readUInt16LE(at + 10) === 0xffff) throw tooMany();
    throw refused('it is of the kind zip64, for more than 65,535 entries or 4 GiB');
  }
  const [entries, size, start] = [
    tail.readUInt16LE(at + 10),
    tail.readUInt32LE(at + 12),
    tail.readUInt32LE(at + 16),
  ];
  if (tail.readUInt32LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== entries)
    throw refused('it is one part of several', 'Give it in one file.');
  if (entries > limits.entries) throw tooMany();
  if (start + size !== file.size - length + at)
    throw refused('its central directory is not where its end says, or of another size');
  if (size > limits.directoryBytes)
    throw refused(
      `its list of entries has more than ${sizeText(limits.directoryBytes)}`,
      'Leave out what no plugin needs.',
    );
  return { entries, at: start, size };
};
