import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SourceUnavailable } from '../environments/errors.ts';
import { follow } from './follow.ts';
import { publish } from './publish.ts';
import { PublishStateFile } from './publish-state.ts';
import { createRemoteSource, type RemoteObjects } from './remote-source.ts';
import type { ContentSource } from './source.ts';
import { sourceByBucket } from './source-by-bucket.ts';

/** An answer of S3 about one object. */
class Answered extends Error {
  readonly answer: { readonly status: number; readonly code: string };

  constructor(status: number, code: string) {
    super(code);
    this.answer = { status, code };
  }
}

let base: string;
let objects: { key: string; size: number; etag: string }[];
let open: RemoteObjects['open'];
const where = { bucketArn: 'arn:aws:s3:::team', path: '/dags/', roleArn: '' };
const { signal } = new AbortController();

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'windsock-remote-'));
  objects = [];
  open = async (key) => ({ bytes: Readable.from([key]) });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (...paths: string[]): void => {
  objects = paths.map((path) => ({ key: `dags/${path}`, size: 1, etag: '"1"' }));
};
const source = (limits = { files: 5, bytes: 100 }): ContentSource =>
  createRemoteSource({
    limits,
    find: () => ({
      place: 'http://minio',
      objects: {
        pages: async function* (prefix) {
          yield objects.filter(({ key }) => key.startsWith(prefix) || key.startsWith('!'));
        },
        open: (...args) => open(...args),
      },
    }),
  });
const what = () => ({
  ...{
    source: source(),
    where,
    target: join(base, 'live'),
    state: new PublishStateFile(join(base, 'state')),
  },
  owner: { fileMode: 0o640, dirMode: 0o750 },
});
const go = async () => publish({ ...what(), signal }, await source().list(where, signal));
const live = () => readdirSync(join(base, 'live')).sort();

test('objects below the folder are files by their ETag; folders and caches are none', async () => {
  put('a.py', 'deep/b.py', '', 'deep/', '__pycache__/a.pyc');
  expect([...(await source().list(where, signal))]).toEqual([
    ['a.py', { size: 1, version: '"1"' }],
    ['deep/b.py', { size: 1, version: '"1"' }],
  ]);
});

test.each([
  [['1', '2', '3', '4', '5', '6'], 1, /more than 5 objects below "dags\/"/],
  [['1', '2'], 51, /more than 100 bytes below "dags\/"/],
])('what is too much is refused', async (paths, size, why) => {
  put(...paths);
  objects = objects.map((one) => ({ ...one, size }));
  await expect(source().list(where, signal)).rejects.toThrow(why);
});

test('a server that lists what nobody asked for is refused, and nothing of it reaches a terminal', async () => {
  objects = [{ key: `!\u001b[2J${'x'.repeat(1_000)}`, size: 1, etag: '"1"' }];
  const error = await source()
    .list(where, signal)
    .catch((e: unknown) => e as Error);
  expect((error as Error).message).toMatch(
    /^Cannot read arn:aws:s3:::team \(http:\/\/minio\): it lists the key "! \[2Jx+"/,
  );
  expect((error as Error).message.length).toBeLessThan(400);
});

describe('a file that cannot be read', () => {
  test('is named, and does not keep others back', async () => {
    put('a.py', 'archived.py', 'b.py');
    await go();
    open = async (key) => {
      if (key.endsWith('archived.py')) throw new Answered(403, 'InvalidObjectState');
      return { bytes: Readable.from([`new ${key}`]) };
    };
    objects = objects.slice(0, 2).map((one) => ({ ...one, etag: '"2"' }));
    await expect(go()).rejects.toThrow(
      'Cannot read "dags/archived.py" in arn:aws:s3:::team (http://minio): InvalidObjectState.',
    );
    expect(live()).toEqual(['a.py', 'archived.py']);
    expect(readFileSync(join(base, 'live/a.py'), 'utf8')).toBe('new dags/a.py');
  });

  test('because nothing can be read ends the look', async () => {
    let tries = 0;
    put('1', '2', '3');
    open = async () => {
      tries += 1;
      throw new Error('it cannot be reached');
    };
    await expect(go()).rejects.toThrow(/Cannot read "dags\/1" .*it cannot be reached/);
    expect(tries).toBeLessThanOrEqual(3);
  });

  test('in the version that is listed is told when it is so at every look', async () => {
    put('a.py');
    open = async () => undefined;
    const told: (string | undefined)[] = [];
    const quick: ContentSource = {
      ...source(),
      paceOf: () => ({ least: 5, most: 5, mostAfterFailures: 5, filesAtOnce: 1 }),
    };
    const stop = follow({ ...what(), source: quick, failed: (reason) => told.push(reason) });
    for (const end = performance.now() + 5_000; told.length < 3 && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 5));
    stop();
    expect(told.slice(0, 3)).toEqual([
      undefined,
      ...Array(2).fill(expect.stringContaining('a.py is listed')),
    ]);
  });
});

test('keys with very many folders are no files', async () => {
  put('ok.py', ...Array.from({ length: 1_000 }, (_, i) => `${i}/${'a/'.repeat(480)}x.py`));
  const listing = await source({ files: 10_000, bytes: 100_000 }).list(where, signal);
  const { refused } = await publish({ ...what(), signal }, listing);
  expect(refused).toHaveLength(1_000);
  expect(live()).toEqual(['ok.py']);
});

test('where it is not known which source a location has, it is followed as one of ours', () => {
  const ours = { ...source(), paceOf: () => ({ least: 1, most: 1, mostAfterFailures: 1, filesAtOnce: 1 }) };
  const both = (isRemote: () => boolean) => sourceByBucket({ ours, remote: source(), isRemote });
  expect(both(() => true).paceOf(where).least).toBe(5_000);
  const unknown = (): never => {
    throw new SourceUnavailable('the list of followed folders is damaged');
  };
  expect(both(unknown).paceOf(where).least).toBe(1);
});
