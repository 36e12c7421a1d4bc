import { crc32 } from 'node:zlib';
import { type Extras, extraIds } from './archive-extras.ts';
import { entryRefused } from './archive-refused.ts';

/** Limits of Linux for one name, and of S3 for a key, in bytes of UTF-8. */
const [longestSegment, longestPath] = [255, 1024];
const tooLong = (name: string | Buffer): Error =>
  entryRefused(name, `has a path of more than ${longestPath} bytes`, 'Use shorter names.');

/** The upper half of code page 437, as Python's codec has it. */
const upperHalf =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const cp437 = (bytes: Buffer): string =>
  Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : upperHalf.charAt(byte - 0x80))).join(
    '',
  );

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const utf8 = (bytes: Buffer, raw: Buffer): string => {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw entryRefused(raw, 'has a name that is not UTF-8, although it says so', undefined, cause);
  }
};

/** The name in an Info-ZIP Unicode path field, which counts only while it is of this very name (APPNOTE.TXT 4.6.9). */
const unicodePath = (raw: Buffer, extras: Extras): string | undefined => {
  const fields = extras.filter(
    ([id, data]) => id === extraIds.unicodePath && data.length > 5 && data[0] === 1,
  );
  if (fields.length === 0) return undefined;
  const crc = crc32(raw);
  const names = fields
    .filter(([, data]) => data.readUInt32LE(1) === crc)
    .map(([, data]) => utf8(data.subarray(5), raw));
  if (new Set(names).size > 1) throw entryRefused(raw, 'has several names');
  return names[0];
};

const isUtf8 = (flags: number): boolean => (flags & 0x800) !== 0;

/** True when the name means the same in every encoding. */
export const isAscii = (raw: Buffer): boolean => raw.every((byte) => byte < 0x80);

/**
 * The name of an entry as Python's zipfile decodes it: UTF-8 where the entry says so, else code page 437, unless a
 * Unicode path field of Info-ZIP has it in UTF-8. Some builds of zip(1) write UTF-8 and do not say so: such names come out
 * wrong there and here.
 * @throws ArchiveRefused when programs may see different names
 */
export const nameOf = (raw: Buffer, flags: number, extras: Extras): string => {
  if (raw.length > longestPath) throw tooLong(raw);
  const other = unicodePath(raw, extras);
  if (!isUtf8(flags) && !isAscii(raw)) return other ?? cp437(raw);
  const name = utf8(raw, raw);
  if (other !== undefined && other !== name) throw entryRefused(raw, `has a second name`);
  return name;
};

const faultOfSegment = (segment: string): string | undefined => {
  if (segment === '') return 'has "//" in its name';
  if (segment === '.' || segment === '..') return `has "${segment}" in its path`;
  if (Buffer.byteLength(segment) > longestSegment) return `has a name of more than ${longestSegment} bytes`;
  return undefined;
};

const inside = 'Make the archive from within the folder of your plugins: "zip -r ../plugins.zip .".';

/** Throws ArchiveRefused unless the path, without the slash at the end of a folder, stays below the folder it is written to. */
export const checkPath = (path: string, depth: number): void => {
  if (path === '') throw entryRefused(path, 'has no name');
  if (path.includes('\\'))
    throw entryRefused(
      path,
      'has a backslash in its name',
      'Old programs for Windows write it; use PowerShell 7, 7-Zip or "tar -a -cf plugins.zip *" there.',
    );
  if (/\p{Cc}/u.test(path)) throw entryRefused(path, 'has a control character in its name');
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) throw entryRefused(path, 'has an absolute path', inside);
  if (Buffer.byteLength(path) > longestPath) throw tooLong(path);
  const segments = path.split('/');
  if (segments.length > depth)
    throw entryRefused(path, `is more than ${depth} names deep`, 'Use fewer folders.');
  for (const segment of segments) {
    const fault = faultOfSegment(segment);
    if (fault !== undefined) throw entryRefused(path, fault, inside);
  }
};
