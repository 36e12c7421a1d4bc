// Who may do what in a bucket: policies of people and of the bucket, versions, conditions, copies, missing keys.
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { Iam, type Statement } from '../harness/iam.ts';
import type { Key } from '../harness/raw.ts';
import { makeBucket, outcome, putText, s3Client } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const [A, B] = ['rights-a', 'rights-b'];
const denied = '403 AccessDenied';
let [root, iam]: [S3Client, Iam] | [] = [];
let versions: readonly string[];
beforeAll(async () => {
  iam = new Iam(used.place);
  root = s3Client(used.place);
  for (const bucket of [A, B]) {
    await makeBucket(root, bucket);
    for (const key of ['dags/a.py', 'dags/b.py', 'secret/key', 'own/x'])
      await putText(root, bucket, key, key);
  }
  const first = await putText(root, A, 'dags/versioned', 'one');
  const second = await putText(root, A, 'dags/versioned', 'two');
  versions = [first.VersionId ?? '', second.VersionId ?? ''];
});

let count = 0;
/** A person with these rights. */
const person = async (statements: readonly Statement[]): Promise<S3Client & { readonly arn: string }> => {
  count += 1;
  const name = `person-${count}`;
  if (!iam) throw new Error('there is no server');
  const key: Key = await iam.user(name, { statements });
  return Object.assign(s3Client(used.place, key), { arn: iam.arn('user', name) });
};
const of = (Bucket: string, path = '') => `arn:aws:s3:::${Bucket}${path}`;
const gets = (s3: S3Client, Bucket: string, Key: string, VersionId?: string) =>
  outcome(s3.send(new GetObjectCommand({ Bucket, Key, VersionId })));
const puts = (s3: S3Client, Bucket: string, Key: string, more: object = {}) =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more })));
const lists = (s3: S3Client, Bucket: string, Prefix?: string) =>
  outcome(s3.send(new ListObjectsV2Command({ Bucket, Prefix })));
const copies = (s3: S3Client, CopySource: string, Bucket: string, more: object = {}) =>
  outcome(s3.send(new CopyObjectCommand({ Bucket, Key: 'own/copy', CopySource, ...more })));
const admin = (): S3Client => {
  if (!root) throw new Error('there is no server');
  return root;
};

describe('policies of people', () => {
  test('without any, nothing is seen, not even what is there', async () => {
    const s3 = await person([]);
    expect([
      await gets(s3, A, 'dags/a.py'),
      await gets(s3, A, 'nothing'),
      await gets(s3, 'no-bucket', 'x'),
    ]).toEqual([...[denied, denied, denied]]);
    expect([await lists(s3, A), await puts(s3, A, 'own/y')]).toEqual([denied, denied]);
  });

  test('for a bucket, a prefix and one object', async () => {
    const s3 = await person([
      { Action: 's3:GetObject', Resource: [of(A, '/dags/*'), of(B, '/own/x')] },
      { Action: 's3:PutObject', Resource: of(A, '/own/*') },
    ]);
    expect([
      await gets(s3, A, 'dags/a.py'),
      await gets(s3, B, 'own/x'),
      await puts(s3, A, 'own/new'),
    ]).toEqual([...['ok', 'ok', 'ok']]);
    for (const [bucket, key] of [
      [A, 'secret/key'],
      [B, 'dags/a.py'],
      [A, 'dagsx'],
      [A, 'own/x'],
    ] as const)
      expect([key, await gets(s3, bucket, key)]).toEqual([key, denied]);
    expect([await puts(s3, A, 'dags/new'), await puts(s3, B, 'own/new')]).toEqual([denied, denied]);
  });

  test('an explicit Deny goes before every Allow', async () => {
    const s3 = await person([
      { Action: 's3:*' },
      { Effect: 'Deny', Action: 's3:*', Resource: of(A, '/secret/*') },
    ]);
    expect([await gets(s3, A, 'dags/a.py'), await gets(s3, A, 'secret/key')]).toEqual(['ok', denied]);
  });

  test('s3:prefix bounds what is listed', async () => {
    const Condition = { StringLike: { 's3:prefix': ['dags/*'] } };
    const s3 = await person([{ Action: 's3:ListBucket', Resource: of(A), Condition }]);
    expect([await lists(s3, A, 'dags/'), await lists(s3, A, 'dags/a')]).toEqual(['ok', 'ok']);
    for (const prefix of [undefined, '', 'd', 'secret/'])
      expect([prefix, await lists(s3, A, prefix)]).toEqual([prefix, denied]);
  });

  test('a version is another right than the object', async () => {
    const [one = '', two = ''] = versions;
    const latest = await person([{ Action: 's3:GetObject', Resource: of(A, '/*') }]);
    expect([await gets(latest, A, 'dags/versioned'), await gets(latest, A, 'dags/versioned', two)]).toEqual([
      ...['ok', denied],
    ]);
    const Condition = { StringEquals: { 's3:VersionId': one } };
    const older = await person([{ Action: 's3:GetObjectVersion', Resource: of(A, '/*'), Condition }]);
    expect(
      await Promise.all([one, two, undefined].map((id) => gets(older, A, 'dags/versioned', id))),
    ).toEqual([...['ok', denied, denied]]);
    const removes = (VersionId?: string) =>
      outcome(latest.send(new DeleteObjectCommand({ Bucket: A, Key: 'dags/versioned', VersionId })));
    expect([await removes(), await removes(one)]).toEqual([denied, denied]);
    const all = latest.send(new ListObjectVersionsCommand({ Bucket: A }));
    expect(await outcome(all)).toBe(denied);
  });

  test('whether a key is there is told only to who may list', async () => {
    const get = { Action: 's3:GetObject', Resource: of(A, '/*') };
    const [reader, lister] = [
      await person([get]),
      await person([get, { Action: 's3:ListBucket', Resource: of(A) }]),
    ];
    expect([await gets(reader, A, 'nothing'), await gets(lister, A, 'nothing')]).toEqual([
      denied,
      '404 NoSuchKey',
    ]);
    const heads = (s3: S3Client) => outcome(s3.send(new HeadObjectCommand({ Bucket: A, Key: 'nothing' })));
    expect([await heads(reader), await heads(lister)]).toEqual(['403 Unknown', '404 NotFound']);
  });

  test('a copy needs the source and the target', async () => {
    const read = { Action: 's3:GetObject', Resource: of(A, '/dags/*') };
    const write = { Action: 's3:PutObject', Resource: of(B, '/own/*') };
    const [reader, writer, both] = [await person([read]), await person([write]), await person([read, write])];
    expect(await copies(both, `${A}/dags/a.py`, B)).toBe('ok');
    for (const [s3, source, target] of [
      [reader, `${A}/dags/a.py`, B],
      [writer, `${A}/dags/a.py`, B],
      [both, `${A}/secret/key`, B],
      [both, `${A}/dags/a.py`, A],
      [both, `${A}/dags/versioned?versionId=${versions[0]}`, B],
    ] as const)
      expect([source, await copies(s3, source, target)]).toEqual([source, denied]);
    // a key is a text: the policy allows it, and there is none of that name
    expect(await copies(both, `${A}/dags/../secret/key`, B)).toBe(denied);
    const part = { Bucket: B, Key: 'own/p', UploadId: 'x', PartNumber: 1, CopySource: `${A}/secret/key` };
    expect(await outcome(both.send(new UploadPartCopyCommand(part)))).toBe(denied);
  });

  test('tags: to give them is a right, to have them a condition', async () => {
    await admin().send(
      new PutObjectCommand({ Bucket: A, Key: 'own/tagged', Body: 'x', Tagging: 'team=data' }),
    );
    const Condition = { StringEquals: { 's3:ExistingObjectTag/team': 'data' } };
    const s3 = await person([
      { Action: ['s3:GetObject', 's3:GetObjectTagging'], Resource: of(A, '/*'), Condition },
      { Action: 's3:PutObject', Resource: of(A, '/own/*') },
    ]);
    expect([await gets(s3, A, 'own/tagged'), await gets(s3, A, 'own/x')]).toEqual(['ok', denied]);
    expect(await outcome(s3.send(new GetObjectTaggingCommand({ Bucket: A, Key: 'own/tagged' })))).toBe('ok');
    expect([await puts(s3, A, 'own/t'), await puts(s3, A, 'own/t', { Tagging: 'team=data' })]).toEqual([
      ...['ok', denied],
    ]);
  });

  test('DeleteObjects is decided for each key', async () => {
    for (const key of ['own/1', 'own/2', 'secret/1']) await putText(admin(), B, key, 'x');
    const s3 = await person([{ Action: 's3:DeleteObject', Resource: of(B, '/own/*') }]);
    const Objects = ['own/1', 'secret/1', 'own/2'].map((Key) => ({ Key }));
    const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: B, Delete: { Objects } }));
    expect([Deleted?.map((d) => d.Key), Errors?.map((e) => [e.Key, e.Code])]).toEqual([
      ...[['own/1', 'own/2'], [['secret/1', 'AccessDenied']]],
    ]);
    expect([await gets(admin(), B, 'secret/1'), await gets(admin(), B, 'own/1')]).toEqual([
      'ok',
      '404 NoSuchKey',
    ]);
  });
});
