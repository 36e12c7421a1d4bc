import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { endOf, field, type MadeEntry, u16, u32, unpackTries, zip } from './test-archives.ts';

const { whyRefused, end } = unpackTries();
afterAll(end);

/** An honest entry beside each bad one: it is not left either. */
const good: MadeEntry = { name: 'good.py', bytes: 'G = 1\n' };
const text = Buffer.from('hello '.repeat(100));
const link = 0o120777;

describe('the whole archive is refused for an entry that', () => {
  const long = 'x'.repeat(256);
  const short = Buffer.alloc(1025, 0x81);
  const shortens = field(0x7075, Buffer.concat([Buffer.from([1]), u32(crc32(short)), Buffer.from('x')]));
  const cases: readonly (readonly [what: string, entry: MadeEntry, why: string])[] = [
    ['leads up', { name: '../x' }, 'has ".." in its path'],
    ['leads up later', { name: 'a/../../x' }, 'has ".." in its path'],
    ['is the folder above', { name: '../' }, 'has ".." in its path'],
    ['is absolute', { name: '/etc/x' }, 'has an absolute path'],
    ['is on a drive', { name: 'C:/x' }, 'has an absolute path'],
    ['is on the present folder of a drive', { name: 'c:x' }, 'has an absolute path'],
    ['has backslashes', { name: '..\\x' }, 'has a backslash'],
    ['has a NUL', { name: 'a\0.py' }, 'has a control character'],
    ['has a line break', { name: 'a\nb' }, 'has a control character'],
    ['has a C1 control', { name: 'a\u0085b' }, 'has a control character'],
    ['has an empty name', { name: '' }, 'has no name'],
    ['is a slash', { name: '/' }, 'has no name'],
    ['has an empty segment', { name: 'a//b' }, 'has "//"'],
    ['ends in two slashes', { name: 'a//' }, 'has "//"'],
    ['has a dot', { name: './a' }, 'has "." in its path'],
    ['is a dot', { name: '.' }, 'has "." in its path'],
    ['has a long name', { name: long }, 'more than 255 bytes'],
    ['has a long name in UTF-8', { name: 'é'.repeat(128) }, 'more than 255 bytes'],
    ['has a long path', { name: Array(9).fill('x'.repeat(120)).join('/') }, 'more than 1024 bytes'],
    [
      'has a path that becomes long',
      { name: Buffer.from(Array(5).fill('\xb0'.repeat(80)).join('/'), 'latin1') },
      'more than 1024 bytes',
    ],
    ['has a path that a field makes short', { name: short, extra: shortens }, 'more than 1024 bytes'],
    ['is deep', { name: Array(33).fill('x').join('/') }, 'more than 32 names deep'],
    ['is no UTF-8', { name: Buffer.from([0x61, 0xff]), flags: 0x800 }, 'not UTF-8'],
    ['is overlong UTF-8', { name: Buffer.from([0xc0, 0xaf]), flags: 0x800 }, 'not UTF-8'],
    ['is a link', { name: 'l', bytes: '/etc/passwd', mode: link }, 'is a symbolic link'],
    ['is a link named as a folder', { name: 'l/', mode: link }, 'is a symbolic link'],
    ['is a device', { name: 'd', mode: 0o020666 }, 'is a device'],
    ['is a pipe', { name: 'd', mode: 0o010666 }, 'is a device'],
    ['is a hard link', { name: 'h', extra: field(0x000d, Buffer.alloc(18)) }, 'is a link'],
    ['is a link of old', { name: 'h', extra: field(0x756e, Buffer.alloc(20)) }, 'is a link'],
    [
      'is a link of old by its mode',
      { name: 'h', extra: field(0x756e, Buffer.concat([u32(0), u16(link), Buffer.alloc(8)])) },
      'is a symbolic link',
    ],
    ['is a folder by its mode', { name: 'f', mode: 0o040755 }, 'by its mode'],
    ['is a file by its mode', { name: 'f/', mode: 0o100644 }, 'by its mode'],
    ['is a folder for DOS', { name: 'f', attributes: 0x10 }, 'named like a file'],
    ['is a folder with bytes', { name: 'f/', bytes: 'x' }, 'with bytes in it'],
    ['is encrypted', { name: 'a', flags: 0x801 }, 'is encrypted'],
    ['is encrypted strongly', { name: 'a', flags: 0x841 }, 'is encrypted'],
    ['is encrypted with AES', { name: 'a', method: 99 }, 'is encrypted'],
    ['is a patch', { name: 'a', flags: 0x820 }, 'is a patch'],
    ['is packed with LZMA', { name: 'a', method: 14 }, 'is packed with LZMA'],
    ['is packed with what nobody knows', { name: 'a', method: 77 }, 'is packed with method 77'],
    ['has a wrong checksum', { name: 'a', bytes: 'x', crc: 1 }, 'is damaged'],
    ['has two sizes', { name: 'a', bytes: 'x', size: 2 }, 'has two sizes'],
    ['is larger than it says', { name: 'a', bytes: text, deflate: true, size: 5 }, 'is larger'],
    ['is smaller than it says', { name: 'a', bytes: text, deflate: true, size: 700 }, 'is smaller'],
    ['is no deflated data', { name: 'a', packed: Buffer.alloc(9, 255), method: 8 }, 'is damaged'],
    [
      'is cut off',
      { name: 'a', bytes: text, method: 8, packed: deflateRawSync(text).subarray(0, -3) },
      'is damaged',
    ],
    [
      'has a tail',
      { name: 'a', bytes: text, method: 8, packed: Buffer.concat([deflateRawSync(text), text]) },
      'has hidden bytes',
    ],
    ['is followed by hidden bytes', { name: 'a', after: Buffer.from('hidden') }, 'has hidden bytes'],
    ['is large', { name: 'a', size: 268_435_457, packedSize: 268_435_457 }, 'more than 256 MiB'],
    ['is zip64', { name: 'a', size: 0xffffffff, packedSize: 0xffffffff }, 'more than 256 MiB'],
    ['is a bomb', { name: 'a', bytes: Buffer.alloc(1_100_000), deflate: true }, 'more than 100 times'],
    ['has fields that are cut off', { name: 'a', extra: u16(1, 9) }, 'damaged fields'],
    ['has another local name', { name: 'a', local: { name: Buffer.from('b') } }, 'has one name'],
    ['has another local method', { name: 'a', local: { method: 8 } }, 'has one method'],
    ['has another local checksum', { name: 'a', local: { crc: 1 } }, 'has one checksum'],
    ['has another local size', { name: 'a', local: { size: 1 } }, 'has one size'],
    ['is encrypted locally', { name: 'a', local: { flags: 0x801 } }, 'has one set of flags'],
    ['has another encoding locally', { name: 'é', local: { flags: 0 } }, 'has one set of flags'],
    ['has damaged local fields', { name: 'a', local: { extra: u16(1, 9) } }, 'damaged fields'],
    ['says sizes behind it, without them', { name: 'a', bytes: 'x', flags: 0x808 }, 'has hidden bytes'],
    ['is not where it is said to be', { name: 'a', at: 1 }, 'overlaps'],
  ];
  it.each(cases)('%s', async (_, entry, why) => {
    const reason = await whyRefused(zip([good, entry]));
    expect(reason).toContain(why);
    expect(reason).toMatch(/^The archive is refused: its entry "[^\n]*"[^\n]*\. [A-Z][^\n]*\.$/);
  });

  it.each<[string, Buffer]>([
    ['a checksum', u32(0x08074b50, 9, 1, 1)],
    ['a size', u32(0x08074b50, crc32('x'), 1, 2)],
    ['a signature', u32(1, crc32('x'), 1, 1)],
  ])('has another %s behind it', async (_, after) => {
    const entry = { name: 'a', bytes: 'x', flags: 0x808, after };
    expect(await whyRefused(zip([entry]))).toMatch(/has (one|hidden)/);
  });

  it('has a second name in a Unicode path field, in either header or in both', async () => {
    const other = (name: string): Buffer =>
      field(0x7075, Buffer.concat([Buffer.from([1]), u32(crc32(name)), Buffer.from('../../x')]));
    expect(await whyRefused(zip([{ name: 'a', extra: other('a') }]))).toContain('a second name');
    const local = { extra: other('a') };
    expect(await whyRefused(zip([{ name: 'a', local }]))).toContain('a second name');
    const raw = Buffer.from([0x81]);
    const leading = field(0x7075, Buffer.concat([Buffer.from([1]), u32(crc32(raw)), Buffer.from('../../x')]));
    expect(await whyRefused(zip([{ name: raw, extra: leading }]))).toContain('has ".."');
    expect(await whyRefused(zip([{ name: raw, local: { extra: leading } }]))).toContain('has one name');
    const same = (of: Buffer): Buffer =>
      field(0x7075, Buffer.concat([Buffer.from([1]), u32(crc32(of)), Buffer.from('x')]));
    const second = Buffer.from([0x82]);
    const local2 = { name: second, extra: same(second) };
    expect(await whyRefused(zip([{ name: raw, extra: same(raw), local: local2 }]))).toContain('has one name');
    const both = Buffer.concat([same(raw), leading]);
    expect(await whyRefused(zip([{ name: raw, extra: both }]))).toContain('has several names');
  });
});

describe('a name is shown', () => {
  it('in one line, shortened, and without anything that acts', async () => {
    const reason = await whyRefused(zip([{ name: `../\u202e\u{1b}[31m"${'x'.repeat(200)}` }]));
    expect(reason).toContain(`"../\\u{202e}\\u{1b}[31m\\"${'x'.repeat(70)}…"`);
  });
});

describe('entries that do not go together are refused:', () => {
  it.each<[string, string, ...string[]]>([
    ['the same file twice', 'is there twice', 'a', 'a'],
    ['the same folder twice', 'is there twice', 'a/', 'a/'],
    ['a file and a folder', 'is a file and a folder', 'a', 'a/'],
    ['a folder and a file', 'is a file and a folder', 'a/', 'a'],
    ['a file, and another in it', 'is a file and a folder', 'a', 'a/b/c'],
    ['a file that is a folder already', 'is a file and a folder', 'a/b/c', 'a/b'],
  ])('%s', async (_, why, ...names) => {
    expect(await whyRefused(zip(names.map((name) => ({ name }))))).toContain(why);
  });

  it('a link, and a file through it', async () => {
    const reason = await whyRefused(zip([{ name: 'l', bytes: '/tmp', mode: link }, { name: 'l/x' }]));
    expect(reason).toContain('"l" is a symbolic link');
  });

  it('the same bytes for many, as in a zip bomb', async () => {
    const kernel = { bytes: Buffer.alloc(1000), deflate: true };
    const entries = ['a', 'b', 'c'].map((name) => ({ ...kernel, name, at: 0 }));
    expect(await whyRefused(zip(entries))).toContain('overlaps');
  });

  it('local headers as the bytes of others, as in a better zip bomb', async () => {
    const inner = zip([{ name: 'b', bytes: 'x' }]);
    const bytes = inner.subarray(0, inner.indexOf('PK\x01\x02'));
    const at = 31; // behind the header of the first
    const archive = zip([
      { name: 'a', bytes },
      { name: 'b', bytes: 'x', at },
    ]);
    expect(await whyRefused(archive)).toContain('overlaps');
  });
});

describe('an archive is refused when', () => {
  const plain = zip([good]);
  const size = plain.length;
  const two = (entries: number, length: number, at: number): Buffer =>
    endOf(entries, length, at, endOf(0, 0, size));
  const locator = Buffer.concat([u32(0x07064b50), Buffer.alloc(16, 255)]);
  it.each<[string, string, Buffer]>([
    ['its directory is smaller', 'of another size', zip([good], { end: (n, s, at) => endOf(n, s - 1, at) })],
    [
      'its directory is elsewhere',
      'of another size',
      zip([good], { end: (n, s, at) => endOf(n, s, at + 1) }),
    ],
    ['its end counts too few', 'list of entries', zip([good], { end: (_, s, at) => endOf(0, s, at) })],
    ['its end counts too many', 'list of entries', zip([good], { end: (_, s, at) => endOf(2, s, at) })],
    [
      'its directory is no directory',
      'list of entries',
      zip([], { gap: Buffer.alloc(60), end: () => endOf(1, 60, 0) }),
    ],
    [
      'it has parts',
      'one part of several',
      Buffer.concat([plain.subarray(0, -18), u16(1), plain.subarray(-16)]),
    ],
    ['it ends in the middle', 'its end is missing', plain.subarray(0, -30)],
    ['it ends in its end', 'cut off', plain.subarray(0, -3)],
    ['bytes follow', 'bytes after its end', Buffer.concat([plain, Buffer.from('x')])],
    ['bytes precede', 'of another size', Buffer.concat([Buffer.from('#!/bin/sh\n'), plain])],
    [
      'bytes precede, and are counted',
      'bytes before its first',
      zip([good], { before: Buffer.from('#!/bin/sh\n') }),
    ],
    ['bytes are hidden', 'hidden bytes', zip([good], { gap: Buffer.from('PK\x03\x04') })],
    ['a second end is in its comment', 'several ends', zip([good], { end: two })],
    ['two stand together', 'of another size', Buffer.concat([plain, plain])],
    ['it is zip64', 'zip64', zip([good], { end: (...facts) => Buffer.concat([locator, endOf(...facts)]) })],
    ['it has 100,000 entries', 'more than 65,535 entries', Buffer.concat([locator, endOf(0xffff, 0, 0)])],
    ['it is empty', 'it is empty', Buffer.alloc(0)],
    ['it is a tar.gz', 'a gzip file', Buffer.from([0x1f, 0x8b, 8, 0])],
    ['it is a tar', 'a tar archive', Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\0')])],
    ['it is a 7z', 'a 7z archive', Buffer.from('377abcaf271c0004', 'hex')],
    ['it is HTML', 'an HTML page', Buffer.from('\n<!DOCTYPE html><html>')],
    ['it is XML', 'an XML document', Buffer.from('<?xml version="1.0"?><Error/>')],
    ['it is a pointer', 'a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n')],
    ['it is a text', 'it begins with "hello\\u{a}"', Buffer.from('hello\n')],
  ])('%s', async (_, why, bytes) => {
    const reason = await whyRefused(bytes);
    expect(reason).toContain(why);
    expect(reason).toMatch(/^The archive is refused: [^\n]*\. [A-Z][^\n]*\.$/);
  });

  it('a second end has a comment that fits as well', async () => {
    const second = zip([good]).length;
    const comment = (length: number): Buffer => Buffer.alloc(length, 32);
    const fits = Buffer.concat([endOf(0, 0, 0, comment(second)).subarray(0, 22), zip([good])]);
    expect(await whyRefused(fits)).toContain('several ends');
  });

  it.each<[string, string, MadeEntry[], Parameters<typeof whyRefused>[1]]>([
    ['it has many entries', 'more than 2 entries', [good, { name: 'a' }, { name: 'b' }], { entries: 2 }],
    ['many folders come of it', 'files and folders', [{ name: 'a/b/c' }], { entries: 2 }],
    ['it is large', 'more than 100 bytes', [{ name: 'a', bytes: text }], { packed: 100 }],
    [
      'it is large unpacked',
      'more than 600 bytes unpacked',
      [good, { name: 'a', bytes: text }],
      { bytes: 600 },
    ],
    [
      'a file is large',
      'more than 599 bytes unpacked',
      [good, { name: 'a', bytes: text }],
      { fileBytes: 599 },
    ],
    [
      'all of it grows too much',
      'it becomes more than 2 times',
      Array.from({ length: 9 }, (_, i) => ({ name: `${i}`, bytes: text, deflate: true })),
      { ratio: 2, smallBytes: 1000 },
    ],
    ['its directory is large', 'its list of entries has more', [good], { directoryBytes: 50 }],
  ])('%s', async (_, why, entries, limits) => {
    expect(await whyRefused(zip(entries), limits)).toContain(why);
  });
});
