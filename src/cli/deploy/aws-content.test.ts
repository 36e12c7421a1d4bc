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
let content: AwsContent;
const put = 1_000_000;

beforeEach(() => {
  from = mkdtempSync(join(tmpdir(), 'windsock-aws-content-'));
  [objects, dags, errors, source] = [[], new Map(), new Map(), ''];
  content = new AwsContent({
    ...{ from, place: { bucket: 'b', prefix: 'dags/' } },
    s3: { list: async () => objects },
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
  expect(await only(), 'the source of this reading is known').toMatchObject({ State: 'waiting' });
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
  errors.set('a.py', { at: put + 95_000, text: 'SyntaxError: of this one' });
  expect(await only()).toMatchObject({ State: 'failed' });
});

test('helpers and factories are not waited for, and DAGs are to be read after them', async () => {
  deployed('helper.py', 'NAME = 1\n');
  deployed('readme.md', '');
  deployed('factory.py', 'from made import make_all\nmake_all(globals())\n');
  for (const file of await files())
    expect(file).toMatchObject({ State: 'no-dag', At: (put + 30_000) / 1000 });
});

test('of an archive, and of a file that is not in the folder, there is nothing to compare', async () => {
  deployed('pack.zip', 'PK');
  dags.set('pack.zip', [dag(put + 1_000)]);
  expect(await only()).toMatchObject({ State: 'waiting' });
  dags.set('pack.zip', [dag(put + 31_000)]);
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
