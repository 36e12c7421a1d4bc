import type { Hash } from 'node:crypto';
import { block, longestName, padding, type TarEntry } from './tar.ts';

/** What an archive says is not possible, or it ends too early. */
export class TarDamaged extends Error {}

/** Bytes of a stream, as many as are wanted. */
class Bytes {
  readonly #source: AsyncIterator<Buffer>;
  readonly #hash: Hash;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>, hash: Hash) {
    this.#source = source[Symbol.asyncIterator]();
    this.#hash = hash;
  }

  /** At most so many bytes, at least one. @throws TarDamaged at the end */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) throw new TarDamaged('it ends too early');
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    this.#hash.update(part);
    return part;
  }

  async all(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0; left -= parts.at(-1)?.length ?? 0) parts.push(await this.some(left));
    return Buffer.concat(parts);
  }
}

const textAt = (bytes: Buffer, at: number, length: number): string =>
  bytes
    .subarray(at, at + length)
    .toString('utf8')
    .replace(/\0.*$/s, '');
const numberAt = (bytes: Buffer, at: number, length: number): number => {
  const text = textAt(bytes, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new TarDamaged('a header is damaged');
  return Number.parseInt(text, 8);
};

const checkSum = (bytes: Buffer): void => {
  const sum = bytes.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (numberAt(bytes, 148, 8) !== sum) throw new TarDamaged('a header is damaged');
};

const paxRecords = (content: Buffer): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.subarray(at, at + 20).toString('latin1'), 10);
    if (!(length > 0)) throw new TarDamaged('a header is damaged');
    const record = content
      .subarray(at, at + length - 1)
      .toString('utf8')
      .replace(/^\d+ /, '');
    found.set(record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1));
    at += length;
  }
  return found;
};

const kinds: Readonly<Record<string, TarEntry['kind']>> = { '0': 'file', '2': 'link', '5': 'folder' };

const entryOf = (bytes: Buffer, extra: ReadonlyMap<string, string>): TarEntry => {
  const kind = kinds[textAt(bytes, 156, 1)];
  if (kind === undefined) throw new TarDamaged('it holds something that is no file, folder or link');
  return {
    kind,
    path: extra.get('path') ?? textAt(bytes, 0, longestName),
    mode: numberAt(bytes, 100, 8),
    modified: numberAt(bytes, 136, 12) * 1000,
    size: kind === 'file' ? Number(extra.get('size') ?? numberAt(bytes, 124, 12)) : 0,
    ...(kind === 'link' ? { target: extra.get('linkpath') ?? textAt(bytes, 157, longestName) } : {}),
  };
};

/** An entry of an archive that is read. */
export interface TarFound extends TarEntry {
  /** Its bytes, once. What is not taken is skipped. */
  readonly content: AsyncGenerator<Buffer>;
  /** The hash of everything before it. */
  readonly hashBefore: Hash;
}

async function* contentOf(bytes: Bytes, size: number): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; ) {
    const part = await bytes.some(left);
    left -= part.length;
    yield part;
  }
}

/** The largest extended header that is believed, in bytes. */
const largestExtended = 65_536;

/**
 * Reads an archive that `pack` made.
 * @throws TarDamaged when it is not one, or not whole
 */
export async function* unpack(source: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<TarFound> {
  const bytes = new Bytes(source, hash);
  let extra: ReadonlyMap<string, string> = new Map();
  let hashBefore = hash.copy();
  for (;;) {
    const head = await bytes.all(block);
    if (head.every((byte) => byte === 0)) return;
    checkSum(head);
    if (textAt(head, 156, 1) === 'x') {
      const size = numberAt(head, 124, 12);
      if (size > largestExtended) throw new TarDamaged('a header is damaged');
      extra = paxRecords(await bytes.all(size));
      await bytes.all(padding(size).length);
      continue;
    }
    const entry = entryOf(head, extra);
    const content = contentOf(bytes, entry.size);
    let taken = 0;
    const counted = (async function* () {
      for await (const part of content) {
        taken += part.length;
        yield part;
      }
    })();
    yield { ...entry, content: counted, hashBefore };
    while (taken < entry.size) taken += (await bytes.some(entry.size - taken)).length;
    await bytes.all(padding(entry.size).length);
    extra = new Map();
    hashBefore = hash.copy();
  }
}
