import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { type Unpacked, type UnpackOptions, unpackArchive } from './archive.ts';
import type { ArchiveLimits } from './archive-limits.ts';
import { ArchiveRefused } from './archive-refused.ts';

interface HeaderFacts {
  readonly name: Buffer;
  readonly extra: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
}

/** For tests only: what stands in an archive, true or not. What is not given is as an honest program writes it. */
export interface MadeEntry {
  readonly name: string | Buffer;
  readonly bytes?: Buffer | string;
  readonly deflate?: boolean;
  /** What stands in the archive instead of the packed bytes. */
  readonly packed?: Buffer;
  readonly flags?: number;
  readonly method?: number;
  /** Of Unix: type and permissions. */
  readonly mode?: number;
  readonly attributes?: number;
  readonly extra?: Buffer;
  readonly size?: number;
  readonly packedSize?: number;
  readonly crc?: number;
  readonly at?: number;
  /** Only in the local header. */
  readonly local?: Partial<HeaderFacts>;
  /** What follows the packed bytes. */
  readonly after?: Buffer;
}

export const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((v) => [v & 255, v >>> 8]));
export const u32 = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value >>> 0);
      return bytes;
    }),
  );

export const field = (id: number, data: Buffer): Buffer => Buffer.concat([u16(id, data.length), data]);

/** An end record. */
export const endOf = (entries: number, size: number, at: number, comment: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u32(0x06054b50), u16(0, 0, entries, entries), u32(size, at), u16(comment.length), comment]);

const headersOf = (e: MadeEntry, at: number) => {
  const bytes = Buffer.from(e.bytes ?? '');
  const packed = e.packed ?? (e.deflate ? deflateRawSync(bytes) : bytes);
  const central: HeaderFacts = {
    name: Buffer.from(e.name as string),
    flags: e.flags ?? (typeof e.name === 'string' ? 0x800 : 0),
    method: e.method ?? (e.deflate ? 8 : 0),
    crc: e.crc ?? crc32(bytes),
    packedSize: e.packedSize ?? packed.length,
    size: e.size ?? bytes.length,
    extra: e.extra ?? Buffer.alloc(0),
  };
  const common = (h: HeaderFacts): Buffer =>
    Buffer.concat([
      ...[u16(20, h.flags, h.method, 0x6000, 0x5d7c), u32(h.crc, h.packedSize, h.size)],
      u16(h.name.length, h.extra.length),
    ]);
  const local = { ...central, ...e.local };
  const attributes = e.attributes ?? (e.mode ?? 0) * 65_536;
  return {
    local: Buffer.concat([
      ...[u32(0x04034b50), common(local), local.name, local.extra, packed],
      e.after ?? Buffer.alloc(0),
    ]),
    central: Buffer.concat([
      ...[u32(0x02014b50), u16(0x0314), common(central), u16(0, 0, 0), u32(attributes, e.at ?? at)],
      ...[central.name, central.extra],
    ]),
  };
};

/** The bytes of an archive, with 2026-11-28 12:00 as the time of its entries. */
export const zip = (
  entries: readonly MadeEntry[],
  o: { before?: Buffer; end?: (entries: number, size: number, at: number) => Buffer; gap?: Buffer } = {},
): Buffer => {
  const parts: Buffer[] = [o.before ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let at = parts[0]?.length ?? 0;
  for (const entry of entries) {
    const { local, central } = headersOf(entry, at);
    parts.push(local);
    directory.push(central);
    at += local.length;
  }
  parts.push(o.gap ?? Buffer.alloc(0));
  at += o.gap?.length ?? 0;
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, (o.end ?? endOf)(entries.length, central.length, at)]);
};

/** What a folder of a test is left with besides the archive: nothing, unless one was unpacked. */
export const leftIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'in.zip')
    .sort();

export interface UnpackTries {
  readonly folder: string;
  /** Where `unpack` unpacks to. */
  readonly to: string;
  readonly unpack: (bytes: Buffer, o?: Partial<UnpackOptions>) => Promise<Unpacked>;
  /** Why it is refused; fails when it is not, or when something is left. */
  readonly whyRefused: (bytes: Buffer, limits?: Partial<ArchiveLimits>) => Promise<string>;
  /** Removes what was unpacked. */
  readonly clear: () => void;
  readonly end: () => void;
}

export const unpackTries = (): UnpackTries => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-archive-'));
  const [file, to] = [join(folder, 'in.zip'), join(folder, 'out')];
  const unpack: UnpackTries['unpack'] = (bytes, o = {}) => {
    writeFileSync(file, bytes);
    return unpackArchive({ file, to, signal: new AbortController().signal, ...o });
  };
  return {
    ...{ folder, to, unpack },
    whyRefused: async (bytes, limits = {}) => {
      const error = await unpack(bytes, { limits }).then(
        () => new Error('it was unpacked'),
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof ArchiveRefused)) throw error;
      if (leftIn(folder).length > 0) throw new Error(`left: ${leftIn(folder).join(', ')}`);
      return error.publicText;
    },
    clear: () => rmSync(to, { recursive: true, force: true }),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
};
