import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { anyText, fuzzer } from '../lib/test-fuzz.ts';
import { ArchiveRefused } from './archive-refused.ts';
import { leftIn, type MadeEntry, unpackTries, zip } from './test-archives.ts';

const { fuzz, deadline } = fuzzer(inject('fuzzSeconds'));
/** `fuzz` leaves the try that its time ends in; this waits for it, as all share a folder. */
const fuzzToTheEnd = async <T>(
  value: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
): Promise<void> => {
  let last: Promise<void> = Promise.resolve();
  await fuzz(value, (given) => {
    last = property(given);
    return last;
  });
  await last;
};

const { folder, to, unpack, clear, end } = unpackTries();
beforeAll(() => void mkdirSync(join(folder, 'beside/it'), { recursive: true }));
afterAll(end);

/** Unpacks; gives the files with what is in them, nothing when it was refused. Nothing else may have come to be. */
const filesOf = async (bytes: Buffer): Promise<Record<string, string> | undefined> => {
  clear();
  const outcome = await unpack(bytes).catch((error: unknown) => error);
  const beside = leftIn(folder).filter((path) => path !== 'out' && !path.startsWith('out/'));
  expect(beside).toEqual(['beside', 'beside/it']);
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(ArchiveRefused);
    expect(outcome.message).toMatch(/^The archive is refused: .*\.$/);
    expect(leftIn(folder)).not.toContain('out');
    return undefined;
  }
  const files = leftIn(to).filter((path) => statSync(join(to, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(to, path), 'latin1')]));
};

const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'é', 'A') },
  { weight: 1, arbitrary: fc.constantFrom('..', '.', '', 'C:', '...', ' ', '~', '-rf', '\\', '__MACOSX') },
  { weight: 1, arbitrary: anyText({ maxLength: 4 }) },
);
const entry: fc.Arbitrary<MadeEntry> = fc.record({
  name: fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .chain((segments) =>
      fc.constantFrom(
        segments.join('/'),
        `${segments.join('/')}/`,
        Buffer.from(segments.join('/'), 'latin1'),
      ),
    ),
  bytes: fc.string({ maxLength: 3 }),
  deflate: fc.boolean(),
  mode: fc.constantFrom(0, 0o100644, 0o100644, 0o120777, 0o040755),
});

it('archives of any names stay in their folder, with what they hold', deadline, async () => {
  await fuzzToTheEnd(fc.array(entry, { maxLength: 4 }), async (entries) => {
    const files = await filesOf(zip(entries));
    if (files === undefined) return;
    const wanted = entries.filter(
      ({ name }) => !name.toString().endsWith('/') && !name.toString().startsWith('__MACOSX'),
    );
    expect(Object.values(files).sort()).toEqual(wanted.map(({ bytes }) => String(bytes)).sort());
  });
});

const honest: Record<string, string> = { 'a.py': 'A = 1\n', 'b/c.py': 'C = 1\n'.repeat(40) };
const archive = zip(
  Object.entries(honest).map(([name, bytes]) => ({ name, bytes, deflate: name !== 'a.py' })),
);

it('a damaged archive is refused, or what is damaged is not what it holds', deadline, async () => {
  const damage = fc.record({
    at: fc.nat(archive.length),
    removed: fc.constantFrom(0, 1, 1, 1, 4, 46, archive.length),
    added: fc.uint8Array({ maxLength: 2 }),
  });
  await fuzzToTheEnd(fc.array(damage, { minLength: 1, maxLength: 2 }), async (damages) => {
    let bytes = archive;
    for (const { at, removed, added } of damages)
      bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
    expect([undefined, honest]).toContainEqual(await filesOf(bytes));
  });
});

it("what is accepted has the names and bytes that Python's zipfile sees", async () => {
  const list = `
import json, sys, zipfile
def files(path):
    with zipfile.ZipFile(path) as z:
        return {i.filename: z.read(i).decode("latin1") for i in z.infolist() if not i.is_dir()}
print(json.dumps([files(path) for path in sys.argv[1:]]))
`;
  const ours: Record<string, string>[] = [];
  const archives: Buffer[] = [];
  for (const entries of fc.sample(fc.array(entry, { maxLength: 2 }), 150)) {
    const files = await filesOf(zip(entries));
    if (files === undefined || entries.some(({ name }) => name.toString().startsWith('__MACOSX'))) continue;
    ours.push(files);
    archives.push(zip(entries));
  }
  const paths = archives.map((bytes, i) => {
    const path = join(folder, 'beside/it', `${i}.zip`);
    writeFileSync(path, bytes);
    return path;
  });
  const seen = execFileSync('python3', ['-c', list, ...paths], { encoding: 'utf8', timeout: 60_000 });
  for (const path of paths) rmSync(path);
  expect(ours.length).toBeGreaterThan(10);
  expect(JSON.parse(seen)).toEqual(ours);
});
