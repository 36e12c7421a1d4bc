import { WindsockError } from '../lib/errors.ts';

/** Characters of a name that are shown. */
const longestShown = 80;

/** What would change a line or the reading of it: controls, formats (bidirectional ones too), halves of pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"\\]/gu;

const escaped = (character: string): string =>
  character === '"' || character === '\\'
    ? `\\${character}`
    : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** A name in quotes, in one line, shortened. Bytes are shown as Latin-1. */
export const shown = (name: string | Buffer): string => {
  const text = typeof name === 'string' ? name : name.subarray(0, longestShown + 1).toString('latin1');
  const characters = Array.from(text.slice(0, 2 * longestShown + 2));
  const cut = characters.length > longestShown ? '…' : '';
  return `"${characters.slice(0, longestShown).join('').replace(unprintable, escaped)}${cut}"`;
};

/** An archive that is not unpacked, with the reason and what to do in one line. */
export class ArchiveRefused extends WindsockError {
  constructor(publicText: string, cause?: unknown) {
    super('ArchiveRefused', publicText, { cause });
  }
}

const again = 'Make the archive again with zip, "python3 -m zipfile -c" or another common tool.';

/** The reason is about the whole archive: "it ends too early". */
export const refused = (reason: string, advice = again, cause?: unknown): ArchiveRefused =>
  new ArchiveRefused(`The archive is refused: ${reason}. ${advice}`, cause);

/** The reason is about one entry: "is a link". */
export const entryRefused = (
  name: string | Buffer,
  reason: string,
  advice?: string,
  cause?: unknown,
): ArchiveRefused => refused(`its entry ${shown(name)} ${reason}`, advice, cause);
