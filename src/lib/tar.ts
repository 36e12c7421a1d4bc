import type { Hash } from 'node:crypto';

/** One member of an archive. */
export interface TarEntry {
  /** Relative, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
  /** Epoch milliseconds. */
  readonly modified: number;
  /** Bytes; 0 for folders and links. */
  readonly size: number;
  /** Where a link leads. */
  readonly target?: string;
}

/** An entry with its bytes. A source that gives less than `size` is filled up with zeros, one that gives more is cut. */
export interface TarSource extends TarEntry {
  readonly content?: AsyncIterable<Buffer>;
}

/** Everything in an archive comes in blocks of so many bytes. */
export const block = 512;
/** What fills up the last block. */
export const padding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block);
/** The longest name and the largest size that a plain header holds (POSIX.1-1988 ustar). */
export const longestName = 100;
const largestSize = 8 ** 11 - 1;

const types = { file: '0', link: '2', folder: '5' } as const;

const header = (e: TarEntry, type: string): Buffer => {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  bytes.write(e.path, 0, longestName, 'utf8');
  octal(e.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(Math.min(e.size, largestSize), 124, 12);
  octal(Math.max(0, Math.floor(e.modified / 1000)), 136, 12);
  bytes.write('        ', 148, 'latin1');
  bytes.write(type, 156, 'latin1');
  bytes.write(e.target ?? '', 157, longestName, 'utf8');
  bytes.write('ustar\0', 257, 'latin1');
  bytes.write('00', 263, 'latin1');
  bytes.write(
    `${bytes
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  return bytes;
};

/** `LENGTH key=value\n`, where the length counts itself (POSIX.1-2001 pax). */
const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  length = bytes + String(length).length;
  return `${length}${rest}`;
};

const isPlain = (text: string): boolean =>
  Buffer.byteLength(text) <= longestName && Buffer.byteLength(text) === text.length;

/** What does not fit into the header, in one of its own before it. */
const extended = (e: TarEntry): Buffer => {
  const records = [
    isPlain(e.path) ? '' : paxRecord('path', e.path),
    e.target === undefined || isPlain(e.target) ? '' : paxRecord('linkpath', e.target),
    e.size <= largestSize ? '' : paxRecord('size', String(e.size)),
  ].join('');
  if (records === '') return Buffer.alloc(0);
  const content = Buffer.from(records);
  const about: TarEntry = { ...e, path: 'PaxHeader', size: content.length, target: '', mode: 0o600 };
  return Buffer.concat([header(about, 'x'), content, padding(content.length)]);
};

async function* exactly(e: TarSource): AsyncGenerator<Buffer> {
  let left = e.size;
  for await (const chunk of e.content ?? []) {
    const part = chunk.subarray(0, left);
    if (part.length > 0) yield part;
    left -= part.length;
    if (left === 0) break;
  }
  for (; left > 0; left -= Math.min(left, 65_536)) yield Buffer.alloc(Math.min(left, 65_536));
  yield padding(e.size);
}

async function* packed(entries: AsyncIterable<TarSource>): AsyncGenerator<Buffer> {
  for await (const e of entries) {
    yield extended(e);
    yield header(e, types[e.kind]);
    yield* exactly(e);
  }
  yield Buffer.alloc(2 * block);
}

/** The bytes of a tar archive. `hash` has seen everything before an entry by the time that entry is asked for. */
export async function* pack(entries: AsyncIterable<TarSource>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const bytes of packed(entries)) {
    hash.update(bytes);
    if (bytes.length > 0) yield bytes;
  }
}
