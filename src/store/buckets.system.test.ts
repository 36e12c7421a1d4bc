// Buckets over a real PostgreSQL and a real disk.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createBuckets, type RunningBuckets } from '../bucket/create-buckets.ts';
import type {
  ExpectedBytes,
  NamedPart,
  ObjectFacts,
  ObjectVersion,
  WriteConditions,
} from '../bucket/objects.ts';
import { armFailpoints } from '../lib/failpoint.ts';
import { silentLog } from '../lib/log.ts';
import { createBucketTable } from './bucket-table.ts';
import { startTestDatabase, type TestDatabase } from './testing.ts';

let database: TestDatabase;
let base: string;
let buckets: RunningBuckets;
const record = async () => {};
const users = new Map<string, string>();
const noFacts: ObjectFacts = { headers: {}, metadata: {}, tags: [] };
const anything: ExpectedBytes = {
  ...{ size: undefined, sha256: undefined, md5: undefined, checksum: () => undefined, keep: 'CRC64NVME' },
};

beforeAll(async () => {
  database = await startTestDatabase();
}, 60_000);
afterAll(() => database.end());

const open = (): RunningBuckets =>
  createBuckets({
    table: createBucketTable(database.db),
    ...{ buckets: join(base, 'buckets'), store: join(base, 'bucket-store') },
    usersOf: async () => users,
    followed: (_, key) => (key.startsWith('followed/') ? '/home/ann/dags' : undefined),
    now: Date.now,
    log: silentLog,
  });

beforeEach(async () => {
  await database.db.query('truncate buckets, object_versions, uploads, upload_parts');
  base = mkdtempSync(join(tmpdir(), 'windsock-buckets-'));
  const made = base;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  mkdirSync(join(base, 'buckets'));
  buckets = open();
  await buckets.create('b-1', record);
  await buckets.setVersioning('b-1', 'Enabled', record);
});

const seenAt = (key: string): string => join(base, 'buckets', 'b-1', key);
const see = (key: string): string | undefined =>
  existsSync(seenAt(key)) ? readFileSync(seenAt(key), 'utf8') : undefined;
const write = (key: string, content: string): void => {
  mkdirSync(dirname(seenAt(key)), { recursive: true });
  writeFileSync(seenAt(key), content);
};
async function* bytes(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
const put = (
  key: string,
  content: string,
  o: { bucket?: string; expected?: Partial<ExpectedBytes>; conditions?: WriteConditions } = {},
): Promise<ObjectVersion> =>
  buckets.put({
    ...{ bucket: o.bucket ?? 'b-1', key, body: bytes(content), facts: noFacts, record },
    ...{ expected: { ...anything, ...o.expected }, conditions: o.conditions ?? {} },
  });
const get = async (key: string, versionId?: string): Promise<string> => {
  const version = await buckets.version('b-1', key, versionId);
  return version.isMarker ? 'marker' : text(await buckets.read(version));
};
const remove = (key: string, versionId?: string) => buckets.delete({ bucket: 'b-1', key, versionId, record });
const list = async (prefix = '', delimiter = '') => {
  const page = await buckets.objects({
    bucket: 'b-1',
    prefix,
    delimiter,
    after: '',
    begins: true,
    most: 1000,
  });
  return [...page.found.map(({ key }) => key), ...page.commonPrefixes];
};
const history = async (key: string, bucket = 'b-1') => {
  const o = {
    bucket,
    prefix: key,
    delimiter: '',
    after: '',
    afterVersion: '',
    begins: true,
    most: 100,
  };
  return (await buckets.versions(o)).found.map((v) =>
    v.isMarker ? 'marker' : `${v.size}${v.isLatest ? ' latest' : ''}`,
  );
};
const stored = (): number =>
  readdirSync(join(base, 'bucket-store'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
    .length;

describe('objects', () => {
  test('what is put is given back, and seen as a plain file', async () => {
    const version = await put('dags/a.py', 'hello');
    expect(version).toMatchObject({ size: 5, etag: createHash('md5').update('hello').digest('hex') });
    expect([await get('dags/a.py'), see('dags/a.py')]).toEqual(['hello', 'hello']);
  });

  test('versions stay what they were; a marker hides, and its end shows again', async () => {
    const first = await put('a', 'one');
    await put('a', 'second');
    const { versionId: marker } = await remove('a');
    expect([see('a'), await get('a'), await list()]).toEqual([undefined, 'marker', []]);
    expect(await get('a', first.versionId)).toBe('one');
    expect(await history('a')).toEqual(['marker', '6', '3']);
    await remove('a', marker);
    expect([see('a'), await get('a')]).toEqual(['second', 'second']);
  });

  test('a bucket that was never told to keep versions has one of each object, which becomes the oldest', async () => {
    const bucket = 'b-2';
    await buckets.create(bucket, record);
    const file = join(base, 'buckets', bucket, 'a');
    expect((await put('a', 'x', { bucket })).versionId).toBe('null');
    await put('a', 'yy', { bucket });
    expect([await history('a', bucket), stored()]).toEqual([['2 latest'], 1]);
    writeFileSync(file, 'by hand');
    expect([await history('a', bucket), stored()]).toEqual([['7 latest'], 1]);
    await buckets.delete({ bucket, key: 'a', versionId: undefined, record });
    expect([await history('a', bucket), existsSync(file), stored()]).toEqual([[], false, 0]);
    await put('a', 'first', { bucket });
    await buckets.setVersioning(bucket, 'Enabled', record);
    await put('a', 'second', { bucket });
    expect(await history('a', bucket)).toEqual(['6 latest', '5']);
  });

  test('a suspended bucket has one version that is called null, beside those of before', async () => {
    await put('a', 'kept');
    await buckets.setVersioning('b-1', 'Suspended', record);
    await put('a', 'x');
    await put('a', 'yy');
    expect(await history('a')).toEqual(['2 latest', '4']);
    await remove('a');
    expect(await history('a')).toEqual(['marker', '4']);
    expect(stored()).toBe(1);
  });

  test('what is not what it should be is not made', async () => {
    await put('a', 'old');
    await expect(put('a', 'new', { expected: { sha256: '0'.repeat(64) } })).rejects.toMatchObject({
      code: 'XAmzContentSHA256Mismatch',
    });
    await expect(put('a', 'new', { expected: { size: 4 } })).rejects.toMatchObject({
      code: 'IncompleteBody',
    });
    expect([await get('a'), see('a'), stored()]).toEqual(['old', 'old', 1]);
  });

  test('of concurrent writers who each want to be first one is; the rest leave nothing', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => put('a', `writer ${i}`, { conditions: { ifNoneMatch: '*' } })),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(stored()).toBe(1);
    const { etag } = await buckets.version('b-1', 'a');
    await expect(put('a', 'x', { conditions: { ifMatch: 'other' } })).rejects.toMatchObject({
      code: 'PreconditionFailed',
    });
    await put('a', 'next', { conditions: { ifMatch: etag } });
  });

  test('twenty writers at once: the file is the latest version, whole', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => put('a', `writer ${i}`.repeat(1000))));
    expect(see('a')).toBe(await get('a'));
    expect((await history('a')).length).toBe(20);
  });

  test('a key that cannot be a file says so, and leaves nothing', async () => {
    await put('a', 'file');
    await put('d/e', 'file');
    await expect(put('a/b', 'x')).rejects.toMatchObject({ code: 'InvalidRequest' });
    await expect(put('d', 'x')).rejects.toMatchObject({ code: 'InvalidRequest' });
    for (const key of ['../x', '/x', 'a//b', '.windsock-tmp-x', `${'k'.repeat(256)}`, 'd/./e'])
      await expect(put(key, 'x'), key).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(put('folder/', 'x')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await put('folder/', '');
    expect(existsSync(seenAt('folder'))).toBe(true);
    expect(stored()).toBe(3);
  });

  test('a link in the folder leads nowhere', async () => {
    const outside = join(base, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, seenAt('link'));
    await expect(put('link/x', 'x')).rejects.toMatchObject({ code: 'InvalidRequest' });
    writeFileSync(join(outside, 'secret'), 's');
    await expect(get('link/secret')).rejects.toMatchObject({ code: 'NoSuchKey' });
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  test('in the place of a folder that is followed nothing is changed', async () => {
    await expect(put('followed/a.py', 'x')).rejects.toMatchObject({ code: 'InvalidRequest' });
    await expect(remove('followed/a.py')).rejects.toThrow('/home/ann/dags');
    expect(stored()).toBe(0);
  });

  test('an empty object, and a copy of another', async () => {
    await put('empty', '');
    expect(await get('empty')).toBe('');
    const from = await put('a', 'copied');
    const copy = await buckets.copy({
      ...{ from, bucket: 'b-1', key: 'b', facts: noFacts, conditions: {}, keep: undefined, record },
    });
    expect([copy.etag, await get('b')]).toEqual([from.etag, 'copied']);
  });
});

describe('what people do to the folder', () => {
  test('a file that they put, change and take away becomes versions', async () => {
    write('x/hand.py', 'one');
    expect(await list()).toEqual(['x/hand.py']);
    renameSync(seenAt('x/hand.py'), seenAt('x/old'));
    write('x/hand.py', 'second');
    expect(await get('x/hand.py')).toBe('second');
    rmSync(seenAt('x/hand.py'));
    expect(await list()).toEqual(['x/old']);
    expect(await history('x/hand.py')).toEqual(['marker', '6', '3']);
  });

  test('a file that was put over S3 and edited in place is a new version; the old one has its bytes', async () => {
    const put1 = await put('a', 'from S3');
    appendFileSync(seenAt('a'), ' and by hand');
    expect(await get('a')).toBe('from S3 and by hand');
    expect(await get('a', put1.versionId)).toBe('from S3');
  });

  test('a version of a file that is edited in place has its bytes, whatever its time says', async () => {
    write('hand', 'one');
    const { versionId, lastModified } = await buckets.version('b-1', 'hand');
    writeFileSync(seenAt('hand'), 'two');
    utimesSync(seenAt('hand'), lastModified / 1000, lastModified / 1000);
    expect(await get('hand', versionId)).toBe('one');
    await put('large', 'x'.repeat(9 * 1024 ** 2));
    const { versionId: large } = await buckets.version('b-1', 'large');
    appendFileSync(seenAt('large'), 'more');
    expect((await get('large', large)).length).toBe(9 * 1024 ** 2);
  });

  test('a version into whose bytes somebody has written is not given', async () => {
    const { versionId } = await put('a', 'bytes');
    const [file] = readdirSync(join(base, 'bucket-store', 'b-1'), {
      recursive: true,
      withFileTypes: true,
    }).filter((entry) => entry.isFile());
    appendFileSync(join(file?.parentPath ?? '', file?.name ?? ''), ' and more');
    await expect(get('a', versionId)).rejects.toMatchObject({ code: 'NoSuchVersion' });
  });

  test('a link or a pipe in the place of a file is no object, and holds nobody', async () => {
    writeFileSync(join(base, 'secret'), 'secret');
    symlinkSync(join(base, 'secret'), seenAt('link'));
    await expect(get('link')).rejects.toMatchObject({ code: 'NoSuchKey' });
    await put('pipe', 'bytes');
    rmSync(seenAt('pipe'));
    execFileSync('mkfifo', [seenAt('pipe')]);
    await buckets.close();
    expect(await get('pipe')).toBe('bytes');
  });

  test('the folder of a bucket is no link', async () => {
    mkdirSync(join(base, 'elsewhere'));
    writeFileSync(join(base, 'elsewhere', 'secret'), 'secret');
    symlinkSync(join(base, 'elsewhere'), join(base, 'buckets', 'linked'));
    expect(await buckets.find('linked')).toBeUndefined();
    await buckets.remove('b-1', record);
    symlinkSync(join(base, 'elsewhere'), join(base, 'buckets', 'b-1'));
    await expect(buckets.create('b-1', record)).rejects.toThrow();
    expect(await buckets.find('b-1')).toBeUndefined();
  });

  test('what is saved while an object is put or deleted is a version of its own', async () => {
    await put('a', 'first');
    const during = async () => write('a', 'saved meanwhile');
    await buckets.put({
      ...{ bucket: 'b-1', key: 'a', body: bytes('put'), facts: noFacts, expected: anything, conditions: {} },
      record: during,
    });
    expect([see('a'), await get('a')]).toEqual(['saved meanwhile', 'saved meanwhile']);
    expect(await history('a')).toEqual(['15 latest', '3', '5']);
    const again = async () => write('a', 'and again');
    await buckets.delete({ bucket: 'b-1', key: 'a', versionId: undefined, record: again });
    expect([see('a'), await get('a')]).toEqual(['and again', 'and again']);
  });

  test('the folder in which an environment looks for DAGs stays when it is empty, as do those that people made', async () => {
    users.set('team', 'x/dags');
    const { versionId } = await put('x/dags/sub/a.py', 'pass');
    await remove('x/dags/sub/a.py', versionId);
    expect([existsSync(seenAt('x/dags')), existsSync(seenAt('x/dags/sub'))]).toEqual([true, false]);
    mkdirSync(seenAt('theirs'));
    await remove('theirs/nothing');
    expect(existsSync(seenAt('theirs'))).toBe(true);
    users.clear();
  });

  test('files come and go in one folder at once: each is seen, and the folder with them', async () => {
    for (let round = 0; round < 20; round += 1) {
      await put('d/a', 'a');
      await Promise.all([remove('d/a'), put('d/b', 'b')]);
      expect(see('d/b')).toBe('b');
      await remove('d/b');
    }
  });

  test('of a folder that is gone nothing is believed', async () => {
    await put('a', 'a');
    renameSync(join(base, 'buckets', 'b-1'), join(base, 'away'));
    expect([await list(), await get('a')]).toEqual([['a'], 'a']);
    await expect(put('b', 'b')).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    renameSync(join(base, 'away'), join(base, 'buckets', 'b-1'));
    expect(await history('a')).toEqual(['1 latest']);
  });

  test('a folder that people made is a bucket', async () => {
    mkdirSync(join(base, 'buckets', 'theirs'));
    expect((await buckets.list()).map(({ name }) => name)).toEqual(['b-1', 'theirs']);
    expect(await buckets.find('theirs')).toMatchObject({ versioning: 'Enabled' });
  });
});

describe('listings', () => {
  test('by prefix, delimiter and page: every key and common prefix once, in the order of bytes', async () => {
    const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'b!', 'z', 'ä', 'é/1', '😀', '\u{ffee}'];
    for (const key of keys) await put(key, key);
    expect(await list('', '/')).toEqual(['a', 'b!', 'z', 'ä', '\u{ffee}', '😀', 'b/', 'é/']);
    expect(await list('b/', '/')).toEqual(['b/1', 'b/2', 'b/c/']);
    for (const most of [1, 2, 3]) {
      const told: string[] = [];
      for (let after = ''; ; ) {
        const page = await buckets.objects({
          bucket: 'b-1',
          prefix: '',
          delimiter: '/',
          after,
          begins: after === '',
          most,
        });
        told.push(...page.found.map(({ key }) => key), ...page.commonPrefixes);
        if (!page.isTruncated) break;
        after = page.last ?? '';
      }
      expect(told.sort()).toEqual(['a', 'b!', 'b/', 'z', 'ä', 'é/', '😀', '\u{ffee}'].sort());
    }
  });

  test('versions page by page', async () => {
    for (const key of ['a', 'b']) for (const content of ['1', '22', '333']) await put(key, content);
    const told: string[] = [];
    for (let [after, afterVersion] = ['', '']; ; ) {
      const page = await buckets.versions({
        bucket: 'b-1',
        prefix: '',
        delimiter: '',
        begins: after === '',
        after,
        afterVersion,
        most: 2,
      });
      told.push(...page.found.map(({ key, size }) => `${key}${size}`));
      if (!page.isTruncated) break;
      [after, afterVersion] = [page.last ?? '', page.found.at(-1)?.versionId ?? ''];
    }
    expect(told).toEqual(['a3', 'a2', 'a1', 'b3', 'b2', 'b1']);
  });
});

describe('uploads', () => {
  const begin = () =>
    buckets.beginUpload({ bucket: 'b-1', key: 'big', facts: noFacts, checksum: undefined, record });
  const large = 'x'.repeat(5 * 1024 ** 2);
  const part = async (
    upload: Awaited<ReturnType<typeof begin>>,
    number: number,
    content: string,
  ): Promise<NamedPart> => {
    const { etag } = await buckets.putPart({ upload, number, body: bytes(content), expected: anything });
    return { number, etag };
  };

  test('parts become one object; completed once more it is the same', async () => {
    const upload = await begin();
    await part(upload, 1, 'replaced');
    const parts = [await part(upload, 1, large), await part(upload, 7, 'end')];
    const complete = () => buckets.complete({ upload, parts, conditions: {}, record });
    const version = await complete();
    expect(version).toMatchObject({ partSizes: [large.length, 3], size: large.length + 3 });
    expect(version.etag).toMatch(/-2$/);
    expect(await get('big')).toBe(`${large}end`);
    expect((await complete()).versionId).toBe(version.versionId);
    expect(stored()).toBe(1);
    await expect(part(upload, 2, 'late')).rejects.toMatchObject({ code: 'NoSuchUpload' });
  });

  test('one part put many times at once leaves one file, and none after the end', async () => {
    const upload = await begin();
    await Promise.all(Array.from({ length: 12 }, (_, n) => part(upload, 1, `try ${n}`)));
    expect(stored()).toBe(1);
    await buckets.abort(upload, record);
    expect(stored()).toBe(0);
  });

  test('two completions at once make one version', async () => {
    const upload = await begin();
    const parts = [await part(upload, 1, 'all')];
    const both = await Promise.all(
      [1, 2].map(() => buckets.complete({ upload, parts, conditions: {}, record })),
    );
    expect(new Set(both.map(({ versionId }) => versionId)).size).toBe(1);
    expect((await history('big')).length).toBe(1);
  });

  test('what is missing, too small or in the wrong order is refused; an end leaves nothing', async () => {
    const upload = await begin();
    const [small, last] = [await part(upload, 1, 'small'), await part(upload, 2, 'last')];
    const refused = (parts: readonly NamedPart[]) =>
      buckets
        .complete({ upload, parts, conditions: {}, record })
        .catch((error: { code: string }) => error.code);
    expect(await refused([small, last])).toBe('EntityTooSmall');
    expect(await refused([last, small])).toBe('InvalidPartOrder');
    expect(await refused([{ number: 3, etag: 'x' }])).toBe('InvalidPart');
    expect(await refused([])).toBe('InvalidPart');
    const checksum = { name: 'CRC64NVME', value: 'AAAAAAAAAAA=' } as const;
    await expect(
      buckets.complete({ upload, parts: [last], checksum, conditions: {}, record }),
    ).rejects.toMatchObject({ code: 'BadDigest' });
    expect(stored()).toBe(2);
    await buckets.abort(upload, record);
    expect(stored()).toBe(0);
    await expect(buckets.abort(upload, record)).rejects.toMatchObject({ code: 'NoSuchUpload' });
  });
});

describe('after a kill', () => {
  test('a version of which nobody saw a file is shown; bytes that no version has go', async () => {
    await put('a', 'kept');
    await put('b', 'kept');
    rmSync(seenAt('a')); // as a power cut may have left it: nothing was written down yet
    const inUse = stored();
    const orphans = join(base, 'bucket-store', 'b-1', 'v', 'zz');
    mkdirSync(orphans, { recursive: true });
    writeFileSync(join(orphans, 'zzorphan'), 'x');
    const next = open();
    await next.recover();
    expect([see('a'), stored()]).toEqual(['kept', inUse]);
  });

  test('what people wrote meanwhile is not lost', async () => {
    await put('a', 'put');
    const later = new Date(Date.now() + 60_000);
    writeFileSync(seenAt('a'), 'by hand');
    utimesSync(seenAt('a'), later, later);
    buckets = open();
    await buckets.recover();
    expect(await get('a')).toBe('by hand');
    expect((await history('a')).length).toBe(2);
  });
});

describe('what is kept for so long only', () => {
  const keep = (days: number, used = '') =>
    buckets.removeOutdated({
      ...{ days, isUsed: async ({ key }) => key === used, record: () => record },
    });
  const age = () =>
    database.db.query(`update object_versions set last_modified = last_modified - interval '10 days'`);

  test('versions go so many days after they were no longer the latest, markers of nothing too', async () => {
    for (const key of ['a', 'used', 'b']) for (const content of ['1', '22', '333']) await put(key, content);
    await remove('b');
    await age();
    await put('a', '4444');
    await keep(0);
    await keep(11);
    expect([await history('a'), await history('b')]).toEqual([
      ['4 latest', '3', '2', '1'],
      ['marker', '3', '2', '1'],
    ]);
    await keep(5, 'used');
    // the third of a was the latest until now
    expect(await history('a')).toEqual(['4 latest', '3']);
    expect(await history('used')).toEqual(['3 latest', '2', '1']);
    await keep(5, 'used');
    expect(await history('b')).toEqual([]);
    expect(stored()).toBe(5);
  });

  test('uploads that nobody completes go', async () => {
    const upload = await buckets.beginUpload({
      ...{ bucket: 'b-1', key: 'big', facts: noFacts, checksum: undefined, record },
    });
    await buckets.putPart({ upload, number: 1, body: bytes('x'), expected: anything });
    await keep(0);
    expect(stored()).toBe(1);
    await database.db.query(`update uploads set initiated_at = initiated_at - interval '8 days'`);
    await keep(0);
    expect(stored()).toBe(0);
  });
});

/** What runs when the process ends there; then there is another server. */
const killedAt = async (name: string, work: () => Promise<unknown>) => {
  const points = join(base, 'points');
  writeFileSync(points, `${name}=throw:EIO\n`);
  armFailpoints(points);
  await work().catch(() => {});
  rmSync(points);
  buckets = open();
  await buckets.recover();
};

describe('killed at a point', () => {
  test('a large object that is shown already leaves nothing when it is shown again', async () => {
    await put('a', 'x'.repeat(9 * 1024 ** 2));
    buckets = open();
    await buckets.recover();
    expect(readdirSync(join(base, 'buckets', 'b-1'))).toEqual(['a']);
  });

  test('a deletion that was killed before anybody saw it is there all the same', async () => {
    await put('a', 'bytes');
    await killedAt('version:after-commit', () => remove('a'));
    expect([see('a'), await get('a'), await history('a')]).toEqual([undefined, 'marker', ['marker', '5']]);
  });

  test.each(['delete:forgotten', 'delete:before-commit', 'delete:after-commit'])(
    'the end of a version at %s: it is there or not, and never taken for a file that people put',
    async (point) => {
      const { versionId } = await put('a', 'only');
      await killedAt(point, () => remove('a', versionId));
      const isOver = point === 'delete:after-commit';
      expect([see('a'), await list(), await history('a')]).toEqual(
        isOver ? [undefined, [], []] : ['only', ['a'], ['4 latest']],
      );
    },
  );

  test('what could not be shown is shown by the next look, and what people put there is not lost', async () => {
    await put('a', 'old');
    await put('b', 'old');
    await buckets.close();
    writeFileSync(join(base, 'points'), 'visible:written=throw:EIO\n');
    armFailpoints(join(base, 'points'));
    await put('a', 'new');
    await put('b', 'new');
    rmSync(join(base, 'points'));
    expect([see('a'), see('b')]).toEqual(['old', 'old']);
    write('b', 'by hand');
    utimesSync(seenAt('b'), Date.now() / 1000 + 60, Date.now() / 1000 + 60);
    expect([await list(), see('a'), await get('b')]).toEqual([['a', 'b'], 'new', 'by hand']);
  });

  test('what was being written beside a file goes', async () => {
    await put('d/a', 'bytes');
    writeFileSync(seenAt('d/.windsock-tmp-s3-0'), 'half');
    writeFileSync(seenAt('d/.windsock-tmp-0'), 'of another program');
    buckets = open();
    await buckets.recover();
    expect(readdirSync(seenAt('d')).sort()).toEqual(['.windsock-tmp-0', 'a']);
  });

  test('a bucket that is gone does not keep others from being written down', async () => {
    await buckets.create('b-2', record);
    await put('a', 'bytes');
    renameSync(join(base, 'buckets', 'b-1'), join(base, 'away'));
    await buckets.put({
      ...{
        bucket: 'b-2',
        key: 'b',
        body: bytes('b'),
        facts: noFacts,
        record,
        expected: anything,
        conditions: {},
      },
    });
    await buckets.close();
    const rows = await database.db.query('select key from object_versions where seen is not null');
    expect(rows).toEqual([{ key: 'b' }]);
  });
});

test('what people wrote a moment after a version of which it is not known whether they see it, is not lost', async () => {
  await put('a', 'put');
  await new Promise((resolve) => setTimeout(resolve, 20));
  write('a', 'by hand');
  buckets = open();
  await buckets.recover();
  expect([await get('a'), see('a')]).toEqual(['by hand', 'by hand']);
});

describe('a bucket that is killed', () => {
  const folders = () => [
    existsSync(join(base, 'buckets', 'b-1')),
    existsSync(join(base, 'bucket-store', 'b-1')),
  ];

  test.each(['bucket:folder-removed', 'bucket:removed'])(
    'in its removal at %s: it is there, or not at all',
    async (point) => {
      const { versionId } = await put('a', 'a');
      await remove('a', versionId);
      await killedAt(point, () => buckets.remove('b-1', record));
      const isOver = point === 'bucket:removed';
      expect(await buckets.find('b-1')).toEqual(
        isOver ? undefined : expect.objectContaining({ name: 'b-1' }),
      );
      expect(folders()).toEqual(isOver ? [false, false] : [true, true]);
      if (isOver) return;
      await put('b', 'b');
      expect(see('b')).toBe('b');
    },
  );

  test('is removed by who asks again, without a start between', async () => {
    rmSync(join(base, 'buckets', 'b-1'), { recursive: true });
    await buckets.remove('b-1', record);
    expect(await buckets.find('b-1')).toBeUndefined();
  });
});

describe('a bucket', () => {
  test('changes of it at once do not undo each other', async () => {
    for (let round = 0; round < 10; round += 1) {
      await buckets.setPolicy('b-1', undefined, record);
      await Promise.all([
        buckets.setPolicy('b-1', '{}', record),
        ...[1, 2, 3].map(() => buckets.setVersioning('b-1', 'Enabled', record)),
      ]);
      expect(await buckets.find('b-1')).toMatchObject({ policy: '{}', versioning: 'Enabled' });
    }
    await expect(buckets.setVersioning('none', 'Enabled', record)).rejects.toMatchObject({
      code: 'NoSuchBucket',
    });
  });

  test('removed and made again beside writers, it works', async () => {
    for (let round = 0; round < 10; round += 1) {
      const writing = [1, 2, 3].map((n) =>
        put(`k${n}`, 'x').then(
          ({ key, versionId }) => remove(key, versionId).catch(() => {}),
          (error: { code: string }) => expect(['NoSuchBucket', 'ServiceUnavailable']).toContain(error.code),
        ),
      );
      await buckets.remove('b-1', record).catch(() => {});
      await buckets.create('b-1', record).catch(() => {});
      await Promise.all(writing);
    }
    await put('a', 'a');
    expect(await get('a')).toBe('a');
  });

  test('is removed only when it is empty, with uploads that nobody completed', async () => {
    const { versionId } = await put('a', 'a');
    await expect(buckets.remove('b-1', record)).rejects.toMatchObject({ code: 'BucketNotEmpty' });
    await remove('a', versionId);
    const upload = { bucket: 'b-1', key: 'begun', facts: noFacts, checksum: undefined, record };
    await buckets.beginUpload(upload);
    await buckets.remove('b-1', record);
    expect(await buckets.find('b-1')).toBeUndefined();
    expect([existsSync(join(base, 'buckets', 'b-1')), existsSync(join(base, 'bucket-store', 'b-1'))]).toEqual(
      [false, false],
    );
  });
});
