import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pack, type TarSource } from './tar.ts';
import { TarDamaged, unpack } from './untar.ts';
import { walk } from './walk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/tmp/windsock-tar-');
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (path: string, text: string, size = text.length): TarSource => ({
  path,
  kind: 'file',
  mode: 0o640,
  modified: 1_700_000_000_000,
  size,
  content: Readable.from([Buffer.from(text)]),
});

async function* each(entries: readonly TarSource[]): AsyncGenerator<TarSource> {
  yield* entries;
}

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
};

const packed = async (entries: AsyncIterable<TarSource>): Promise<Buffer> =>
  Buffer.concat(await all(pack(entries, createHash('sha256'))));

/** Chunks of an odd size, as a stream may give them. */
async function* inParts(bytes: Buffer, size = 777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const contents = async (bytes: Buffer): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for await (const entry of unpack(inParts(bytes), createHash('sha256')))
    found[entry.path] = Buffer.concat(await all(entry.content)).toString();
  return found;
};

const long = `${'a-long-folder/'.repeat(12)}höhe.log`;

describe('tar', () => {
  test('gives back what was packed, with long names and names that are not ASCII', async () => {
    const texts = { one: 'first', [long]: 'second', empty: '', big: 'x'.repeat(100_000) };
    const entries = Object.entries(texts).map(([path, text]) => file(path, text));
    expect(await contents(await packed(each(entries)))).toEqual(texts);
  });

  test("the machine's own tar unpacks it", async () => {
    const source = join(folder, 'source');
    mkdirSync(join(source, long), { recursive: true });
    writeFileSync(join(source, long, 'file'), 'hello', { mode: 0o600 });
    symlinkSync('/etc/passwd', join(source, 'link'));
    writeFileSync(join(folder, 'a.tar'), await packed(walk(source, 'copy')));
    execFileSync('tar', ['-xf', join(folder, 'a.tar'), '-C', folder]);
    expect(readFileSync(join(folder, 'copy', long, 'file'), 'utf8')).toBe('hello');
    expect(lstatSync(join(folder, 'copy', long, 'file')).mode & 0o777).toBe(0o600);
    expect(readlinkSync(join(folder, 'copy', 'link'))).toBe('/etc/passwd');
  });

  test("it reads what the machine's own tar packed", async () => {
    writeFileSync(join(folder, 'one'), 'hello');
    const bytes = execFileSync('tar', ['-cf', '-', '--format=posix', '-C', folder, 'one']);
    expect(await contents(bytes)).toEqual({ one: 'hello' });
  });

  test('a file that shrinks is filled up, one that grows is cut', async () => {
    const bytes = await packed(each([file('short', 'ab', 5), file('long', 'abcdef', 3), file('next', 'n')]));
    expect(await contents(bytes)).toEqual({ short: 'ab\0\0\0', long: 'abc', next: 'n' });
  });

  test('the hash before the last member is the same on both sides', async () => {
    const hash = createHash('sha256');
    let written = '';
    const entries = async function* () {
      yield file('one', 'first');
      yield file(long, 'second');
      written = hash.copy().digest('hex');
      yield file('end', '');
    };
    const bytes = Buffer.concat(await all(pack(entries(), hash)));
    let read = '';
    for await (const entry of unpack(inParts(bytes), createHash('sha256')))
      if (entry.path === 'end') read = entry.hashBefore.digest('hex');
    expect(read).toBe(written);
  });

  test('an archive that is cut off or changed is damaged', async () => {
    const bytes = await packed(each([file('one', 'first'), file('two', 'x'.repeat(2000))]));
    await expect(contents(bytes.subarray(0, 1800))).rejects.toThrow(TarDamaged);
    const changed = Buffer.from(bytes);
    changed.write('other', 0);
    await expect(contents(changed)).rejects.toThrow(TarDamaged);
    await expect(contents(Buffer.from('no archive at all'))).rejects.toThrow(TarDamaged);
  });
});

describe('walk', () => {
  const names = async (o: Parameters<typeof walk>[2] = {}): Promise<string[]> =>
    (await all(walk(folder, 'in', o))).map((entry) => entry.path).sort();

  test('folders before what is in them; links are not followed', async () => {
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b', 'file'), '');
    symlinkSync('/etc', join(folder, 'a'));
    expect(await names()).toEqual(['in', 'in/a', 'in/b', 'in/b/file']);
    expect(await names({ wanted: (path) => path !== 'b' })).toEqual(['in', 'in/a']);
  });

  test("other accounts' files are left out where an owner is named", async () => {
    writeFileSync(join(folder, 'mine'), '');
    expect(await names({ owner: process.getuid?.() ?? 0 })).toEqual(['in', 'in/mine']);
    expect(await names({ owner: 4_000_000 })).toEqual(['in']);
  });

  test('a folder that is not there gives nothing', async () => {
    expect(await all(walk(join(folder, 'nothing'), 'x'))).toEqual([]);
  });
});
