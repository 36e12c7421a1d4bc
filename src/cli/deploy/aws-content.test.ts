import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ListedObject } from '../aws-s3-client.ts';
import type { LiveFile } from '../content.ts';
import type { ReadDag } from './airflow-reader.ts';
import { AwsContent } from './aws-content.ts';

let from: string;
let objects: ListedObject[];
let dags: Map<string, ReadDag[]>;
let errors: Map<string, { at: number; text: string }>;
let source: string;
let heads: Map<string, { size: number; etag: string; sha256?: string }>;
let content: AwsContent;
/** When objects were put: just now. */
const put = Math.floor(Date.now() / 1_000) * 1_000;

beforeEach(() => {
  from = mkdtempSync(join(tmpdir(), 'windsock-aws-content-'));
  [objects, dags, errors, source, heads] = [[], new Map(), new Map(), '', new Map()];
  content = new AwsContent({
    ...{ from, place: { bucket: 'b', prefix: 'dags/' } },
    s3: { list: async () => objects, head: async (_, key) => heads.get(key) },
    airflow: { dags: async () => dags, importErrors: async () => errors, source: async () => source },
  });
});
afterEach(() => rmSync(from, { recursive: true, force: true }));

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
/** A file of the folder that is in the bucket. */
const deployed = (path: string, text: string, at = put): void => {
  writeFileSync(join(from, path), text);
  objects = [
    ...objects.filter(({ key }) => key !== `dags/${path}`),
    { key: `dags/${path}`, etag: md5(text), at },
  ];
};
const dag = (at: number, id = 'd'): ReadDag => ({ id, fileToken: 't', at });
const files = async (): Promise<readonly LiveFile[]> => (await content.look()).Files;
const only = async (): Promise<LiveFile> => {
  const [file, ...more] = await files();
  if (file === undefined || more.length > 0) throw new Error('not one file');
  return file;
};
const text = 'from airflow import DAG\nwith DAG("d"): pass\n';

test('a file is read when Airflow shows its source, whatever the line ends', async () => {
  deployed('a.py', text.replaceAll('\n', '\r\n'));
  expect(await only()).toMatchObject({ State: 'waiting', Sha256: sha256(text.replaceAll('\n', '\r\n')) });
  dags.set('a.py', [dag(put + 5_000)]);
  source = '# of before\n';
  expect(await only()).toMatchObject({ State: 'waiting' });
  source = text;
  dags.set('a.py', [dag(put + 9_000), dag(put + 8_000, 'e')]);
  expect(await only()).toMatchObject({ State: 'read', Dags: ['d', 'e'], ReadAt: (put + 9_000) / 1000 });
});

test('an error of the file of before is not one of the file that mends it', async () => {
  deployed('a.py', 'DAG(');
  errors.set('a.py', { at: put + 1_000, text: '  File "/x/dags/a.py", line 1\nSyntaxError: never closed' });
  expect(await only()).toMatchObject({
    State: 'failed',
    Error: { Line: 1, Message: 'SyntaxError: never closed' },
  });
  deployed('a.py', 'DAG((', put + 60_000);
  errors.set('a.py', { at: put + 70_000, text: 'SyntaxError: of before, read again' });
  expect(await only()).toMatchObject({ State: 'waiting' });
  errors.set('a.py', { at: put + 125_000, text: 'SyntaxError: of this one' });
  expect(await only()).toMatchObject({ State: 'failed' });
});

test('helpers are not waited for, and DAGs are to be read after them', async () => {
  deployed('helper.py', 'NAME = 1\n');
  deployed('readme.md', '');
  deployed('factory.py', 'from made import make_all\nmake_all(globals())\n');
  for (const file of await files())
    expect(file).toMatchObject({ State: 'no-dag', At: (put + 60_000) / 1000 });
});

test('of an archive, and of a file that is not in the folder, there is nothing to compare', async () => {
  deployed('pack.zip', 'PK');
  dags.set('pack.zip', [dag(put + 1_000)]);
  expect(await only()).toMatchObject({ State: 'waiting' });
  dags.set('pack.zip', [dag(put + 61_000)]);
  expect(await only()).toMatchObject({ State: 'read' });
  objects = [{ key: 'dags/other.py', etag: 'x', at: put }];
  dags = new Map([
    ['other.py', [dag(1)]],
    ['gone.py', [dag(1, 'gone')]],
  ]);
  expect(await files()).toMatchObject([
    { Path: 'other.py', State: 'read', Sha256: 'etag x' },
    { Path: 'gone.py', State: 'leaving' },
  ]);
});

test('what Airflow would look for DAGs in is waited for until it would have found it', async () => {
  deployed('factory.py', 'from airflow_made import dags\ndags(globals())\n');
  expect(await only()).toMatchObject({ State: 'waiting' });
  deployed('factory.py', 'from airflow_made import dags\ndags(globals())\n', put - 400_000);
  expect(await only()).toMatchObject({ State: 'no-dag' });
});

test('an object whose ETag is no MD5 is known by the SHA-256 that was put with it', async () => {
  deployed('a.py', text);
  objects = [{ key: 'dags/a.py', etag: 'of-kms', at: put - 100_000 }];
  dags.set('a.py', [dag(put)]);
  expect(await only()).toMatchObject({ Sha256: 'etag of-kms' });
  objects = [{ key: 'dags/a.py', etag: 'of-kms-2', at: put - 100_000 }];
  heads.set('dags/a.py', { size: 1, etag: 'of-kms-2', sha256: sha256(text) });
  expect(await only()).toMatchObject({ State: 'read', Sha256: sha256(text) });
});

test('an error that is older than the object says nothing about it', async () => {
  deployed('a.py', text);
  errors.set('a.py', { at: put - 1, text: 'SyntaxError' });
  expect(await only()).toMatchObject({ State: 'waiting' });
});

test('a file that is edited while it is waited for is still the one that was put', async () => {
  deployed('a.py', text);
  dags.set('a.py', [dag(put)]);
  await only();
  writeFileSync(join(from, 'a.py'), 'edited\n');
  source = text;
  expect(await only()).toMatchObject({ State: 'read', Sha256: sha256(text) });
});

test('keys that are no paths are left out', async () => {
  objects = ['dags//x.py', 'dags/../x', 'dags/./x', 'dags/'].map((key) => ({ key, etag: 'e', at: put }));
  expect(await files()).toEqual([]);
});
