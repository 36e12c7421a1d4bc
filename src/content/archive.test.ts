import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { endOf, field, leftIn, type MadeEntry, u32, unpackTries, zip } from './test-archives.ts';

const { folder, to, unpack, clear, end } = unpackTries();
beforeEach(clear);
afterAll(end);

const read = (path: string): string => readFileSync(join(to, path), 'utf8');
const modeOf = (path: string): number => statSync(join(to, path)).mode & 0o7777;

describe('an archive', () => {
  it('becomes a folder with plain modes and the times of its entries', async () => {
    const result = await unpack(
      zip([
        { name: 'empty/', mode: 0o40700 },
        { name: 'a.py', bytes: 'A = 1\n', mode: 0o104777 },
        { name: 'b/c/d.py', bytes: 'D = 1\n'.repeat(1000), deflate: true },
        { name: 'b/empty.py' },
      ]),
    );
    expect(result).toEqual({ files: 3, bytes: 6006, skipped: 0, extraFolder: undefined });
    expect(leftIn(to)).toEqual(['a.py', 'b', 'b/c', 'b/c/d.py', 'b/empty.py', 'empty']);
    expect([read('a.py'), read('b/c/d.py').length, read('b/empty.py')]).toEqual(['A = 1\n', 6000, '']);
    expect(['', 'b/c', 'empty', 'a.py', 'b/c/d.py'].map((path) => modeOf(path))).toEqual([
      0o755, 0o755, 0o755, 0o644, 0o644,
    ]);
    expect(statSync(join(to, 'a.py')).mtimeMs).toBe(Date.UTC(2026, 10, 28, 12));
  });

  it('may have no entries, and then makes an empty folder', async () => {
    expect(await unpack(zip([]))).toMatchObject({ files: 0, bytes: 0 });
    expect(leftIn(folder)).toEqual(['out']);
  });

  it('may have a comment, also one that looks like an end', async () => {
    const comment = Buffer.from('made by us PK\x05\x05');
    await unpack(zip([{ name: 'a' }], { end: (...facts) => endOf(...facts, comment) }));
    expect(leftIn(to)).toEqual(['a']);
  });

  it('may hold archives, which stay files', async () => {
    const wheel = zip([{ name: '../x', bytes: 'x' }]);
    await unpack(zip([{ name: 'wheels/x.whl', bytes: wheel }]));
    expect(readFileSync(join(to, 'wheels/x.whl')).equals(wheel)).toBe(true);
  });

  it('is read from an open file, which stays open', async () => {
    await unpack(zip([{ name: 'a' }]));
    const file = await open(join(folder, 'in.zip'));
    await unpack(zip([{ name: 'a' }]), { file, to: join(to, 'again') });
    expect((await file.stat()).size).toBeGreaterThan(0);
    await file.close();
    expect(leftIn(to)).toEqual(['a', 'again', 'again/a']);
  });

  it('takes times in UTC from where they are, and no time before 1970', async () => {
    const time = (seconds: number): Buffer => field(0x5455, Buffer.concat([Buffer.from([1]), u32(seconds)]));
    await unpack(
      zip([
        { name: 'a', extra: time(1_700_000_000) },
        { name: 'b', extra: time(-5) },
      ]),
    );
    expect(['a', 'b'].map((name) => statSync(join(to, name)).mtimeMs)).toEqual([1_700_000_000_000, 0]);
  });
});

describe('names', () => {
  it('are UTF-8, code page 437 or a Unicode path field, whichever the entry says', async () => {
    const raw = Buffer.from([0x81, 0x2e]);
    const unicode = Buffer.concat([Buffer.from([1]), u32(crc32(raw)), Buffer.from('ж.')]);
    const named: MadeEntry[] = [
      { name: 'é.py' },
      { name: Buffer.from([0x81, 0x2e, 0x70]) },
      { name: raw, extra: field(0x7075, unicode) },
      { name: '한국/어.py' },
    ];
    await unpack(zip(named));
    expect(leftIn(to)).toEqual(['é.py', 'ü.p', 'ж.', '한국', '한국/어.py'].sort());
  });

  it('may differ by case or by Unicode form where the disk tells them apart', async () => {
    await unpack(zip([{ name: 'a' }, { name: 'A' }, { name: 'é' }, { name: 'e\u0301' }]));
    expect(leftIn(to)).toHaveLength(4);
  });

  it('of the Finder are left out and counted', async () => {
    const result = await unpack(
      zip([
        { name: 'plugins/my_plugin.py' },
        { name: 'plugins/.DS_Store', bytes: 'x' },
        { name: '__MACOSX/' },
        { name: '__MACOSX/plugins/._my_plugin.py', bytes: '\0\0' },
      ]),
    );
    expect(result).toEqual({ files: 1, bytes: 0, skipped: 3, extraFolder: 'plugins' });
    expect(leftIn(to)).toEqual(['plugins', 'plugins/my_plugin.py']);
  });
});

describe('an extra folder', () => {
  it.each<[string | undefined, ...string[]]>([
    ['plugins', 'plugins/', 'plugins/hooks/x.py'],
    ['Plugins', 'Plugins/a.py'],
    ['airflow-stuff', 'airflow-stuff/my_plugin.py', 'airflow-stuff/hooks/x.py'],
    [undefined, 'plugins/a.py', 'readme.txt'],
    [undefined, 'plugins/a.py', 'hooks/b.py'],
    [undefined, 'my_package/__init__.py', 'my_package/my_plugin.py'],
    [undefined, 'hooks/my_hook.py'],
    [undefined, 'plugins/'],
    [undefined],
  ])('is %s', async (extraFolder, ...names) => {
    expect((await unpack(zip(names.map((name) => ({ name }))))).extraFolder).toBe(extraFolder);
  });
});

describe('sizes and checksums behind the bytes', () => {
  const bytes = Buffer.from('hello '.repeat(50));
  const packed = deflateRawSync(bytes);
  const unknown = { crc: 0, size: 0, packedSize: 0 };
  const wide = (value: number): Buffer => u32(value, 0);
  it.each<[string, Buffer]>([
    ['with a signature', u32(0x08074b50, crc32(bytes), packed.length, bytes.length)],
    ['without one', u32(crc32(bytes), packed.length, bytes.length)],
    ['of 64 bits', Buffer.concat([u32(0x08074b50, crc32(bytes)), wide(packed.length), wide(bytes.length)])],
  ])('are taken %s', async (_, after) => {
    await unpack(
      zip([{ name: 'a', bytes, deflate: true, flags: 0x808, local: unknown, after }, { name: 'b' }]),
    );
    expect(read('a')).toBe(bytes.toString());
  });

  it('may be in a zip64 field of the local header', async () => {
    const extra = field(1, Buffer.concat([wide(bytes.length), wide(packed.length)]));
    const local = { size: 0xffffffff, packedSize: 0xffffffff, extra };
    await unpack(zip([{ name: 'a', bytes, deflate: true, local }]));
    expect(read('a')).toBe(bytes.toString());
  });
});

describe('what is not an archive', () => {
  it('a folder that is there is not touched', async () => {
    mkdirSync(to);
    await expect(unpack(zip([{ name: 'a' }]))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(leftIn(folder)).toEqual(['out']);
  });

  it('a file that is not there is an error of the system', async () => {
    const file = join(folder, 'none.zip');
    await expect(unpack(zip([]), { file })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a pipe is not waited for', async () => {
    const file = join(folder, 'pipe');
    execFileSync('mkfifo', [file]);
    await expect(unpack(zip([]), { file })).rejects.toThrow('it is no file');
    execFileSync('rm', [file]);
  });
});

describe('an end that is asked for', () => {
  it('before anything is read', async () => {
    const signal = AbortSignal.abort(new Error('asked'));
    await expect(unpack(zip([{ name: 'a' }]), { signal })).rejects.toThrow('asked');
    expect(existsSync(to)).toBe(false);
  });

  it.each([false, true])('in the middle of a large file leaves nothing; packed: %s', async (deflate) => {
    const bytes = Buffer.alloc(2_000_000, 'abcdefgh');
    const packed = deflate ? deflateRawSync(bytes, { level: 0 }) : bytes;
    const archive = zip([{ name: 'x/a', bytes, packed, method: deflate ? 8 : 0 }]);
    const controller = new AbortController();
    let [reads, isThere] = [0, false];
    const read = async (into: Buffer, at: number, length: number, from: number) => {
      reads += 1;
      if (reads === 10) {
        isThere = existsSync(join(to, 'x/a'));
        controller.abort(new Error('asked'));
      }
      return { bytesRead: archive.copy(into, at, from, from + length), buffer: into };
    };
    const file = {
      stat: async () => ({ isFile: () => true, size: archive.length }),
      read,
    } as unknown as FileHandle;
    await expect(unpack(archive, { file, signal: controller.signal })).rejects.toThrow('asked');
    expect([reads, isThere, leftIn(folder)]).toEqual([10, true, []]);
  });
});

it('an archive that becomes shorter meanwhile is refused', async () => {
  const stat = async () => ({ isFile: () => true, size: 100 });
  const file = { stat, read: async () => ({ bytesRead: 0 }) } as unknown as FileHandle;
  await expect(unpack(zip([]), { file })).rejects.toThrow('it ends too early');
});

describe('archives of other programs', () => {
  const make = `
import io, sys, zipfile
class Pipe(io.RawIOBase):
    def __init__(self, out): self.out = out
    def writable(self): return True
    def write(self, b): return self.out.write(b)
out = open(sys.argv[1], "wb")
with zipfile.ZipFile(Pipe(out) if sys.argv[2] == "stream" else out, "w") as z:
    z.writestr("plain.py", "X = 1\\n")
    z.writestr("é/ж.py", "Y = 1\\n" * 1000, zipfile.ZIP_DEFLATED)
    z.mkdir("folder") if hasattr(z, "mkdir") else z.writestr("folder/", "")
    with z.open("large", "w", force_zip64=True) as f: f.write(b"large")
    z.comment = b"a comment"
out.close()
`;

  it.each(['file', 'stream'])("of Python's zipfile, to a %s", async (kind) => {
    const file = join(folder, 'python.zip');
    execFileSync('python3', ['-c', make, file, kind], { timeout: 60_000 });
    expect(await unpack(zip([]), { file })).toMatchObject({ files: 3, bytes: 6011 });
    expect(leftIn(to)).toEqual(['folder', 'large', 'plain.py', 'é', 'é/ж.py']);
  });
});

it('does not hold the event loop', async () => {
  const entries = Array.from({ length: 300 }, (_, i) => ({
    name: `d${i % 50}/f${i}`,
    bytes: 'x'.repeat(20),
  }));
  const archive = zip(entries);
  let [longest, last] = [0, performance.now()];
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  expect((await unpack(archive)).files).toBe(300);
  clearInterval(beat);
  // it is a few milliseconds; the machine may stall
  expect(longest).toBeLessThan(500);
});
