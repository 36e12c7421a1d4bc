import { TextDecoder } from 'node:util';
import { Unfit } from './refused.ts';

/** What all files of one requirements.txt may have together, and one line of them. */
export const limits = {
  bytes: 1024 * 1024,
  lines: 10_000,
  /** Characters of a line with what continues it; some packages have a hundred hashes. */
  lineLength: 32_768,
  files: 50,
  /** How deep a file may name another. */
  depth: 5,
} as const;

const marks: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** As in Python sources (PEP 263), which pip takes from requirement files too. */
const declaration = /^#[^\r\n]{0,200}?coding[:=][ \t]{0,20}([-\w.]{1,40})/;

/** Python's names that the standard of encodings does not have. */
const pythonNames: Readonly<Record<string, string>> = {
  'latin-1': 'latin1',
  'utf-8-sig': 'utf-8',
  cp1252: 'windows-1252',
};

const declared = (bytes: Uint8Array): string | undefined => {
  const begin = Buffer.from(bytes.subarray(0, 1_000)).toString('latin1').split('\n', 2);
  const name = begin.map((line) => declaration.exec(line)?.[1]).find((found) => found !== undefined);
  const plain = name?.toLowerCase().replaceAll('_', '-');
  return plain === undefined ? undefined : (pythonNames[plain] ?? plain);
};

const decoderOf = (encoding: string): TextDecoder => {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new Unfit('The encoding that its first lines name is not known', 'Save the file as UTF-8');
  }
};

/** The text of a file: by its byte order mark, else as it says itself, else UTF-8. Throws Unfit. */
export const decode = (bytes: Uint8Array): string => {
  if (bytes.length > limits.bytes)
    throw new Unfit('It has more than 1 MiB', 'Leave out what is not needed; hashes take the most');
  const mark = marks.find(([, begin]) => begin.every((byte, i) => bytes[i] === byte));
  const decoder = decoderOf(mark?.[0] ?? declared(bytes) ?? 'utf-8');
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new Unfit(
      `It is not ${mark === undefined ? 'UTF-8' : mark[0].toUpperCase()} text`,
      'Save the file as UTF-8',
    );
  }
  if (text.includes('\0'))
    throw new Unfit(
      'It holds NUL characters, so it is no text, or UTF-16 without a byte order mark',
      'Save the file as UTF-8',
    );
  return text;
};
