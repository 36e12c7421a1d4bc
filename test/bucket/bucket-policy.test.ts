// What the policy of a bucket and its public access block do, beside the policies of people.
import {
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { Iam, policyOf, type Statement } from '../harness/iam.ts';
import { signed } from '../harness/raw.ts';
import { makeBucket, outcome, plainCall, putText, s3Client } from '../harness/s3.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'policies';
const denied = '403 AccessDenied';
let root: S3Client;
let iam: Iam;
beforeAll(async () => {
  iam = new Iam(used.place);
  root = s3Client(used.place);
  await makeBucket(root, Bucket);
  for (const key of ['dags/a.py', 'secret/key']) await putText(root, Bucket, key, key);
});
beforeEach(() => root.send(new DeleteBucketPolicyCommand({ Bucket })));

const of = (path = '') => `arn:aws:s3:::${Bucket}${path}`;
const document = (statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const put = (statements: readonly object[]) =>
  root.send(new PutBucketPolicyCommand({ Bucket, Policy: document(statements) }));
const person = async (name: string, statements: readonly Statement[] = []) =>
  s3Client(used.place, await iam.user(name, { statements }));
const gets = (s3: S3Client, Key: string) => outcome(s3.send(new GetObjectCommand({ Bucket, Key })));
const both = async (s3: S3Client) => [await gets(s3, 'dags/a.py'), await gets(s3, 'secret/key')];

test('it allows one person what no policy of his own does, and ends when it goes', async () => {
  const [ann, ben] = [await person('ann'), await person('ben')];
  const Principal = { AWS: iam.arn('user', 'ann') };
  await put([{ Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: of('/dags/*') }]);
  expect([await both(ann), await both(ben)]).toEqual([
    ['ok', denied],
    [denied, denied],
  ]);
  await root.send(new DeleteBucketPolicyCommand({ Bucket }));
  expect(await both(ann)).toEqual([denied, denied]);
});

test('its Deny goes before what people may', async () => {
  const cid = await person('cid', [{ Action: 's3:*' }]);
  expect(await both(cid)).toEqual(['ok', 'ok']);
  await put([{ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: of('/secret/*') }]);
  expect(await both(cid)).toEqual(['ok', denied]);
});

test('of one environment’s role nothing is read that another has (A65)', async () => {
  await iam.role('env-a', { statements: [{ Action: 's3:*', Resource: of('/dags/*') }] });
  const key = await iam.user('starter', { statements: [{ Action: 'sts:AssumeRole' }] });
  const a = s3Client(used.place, await iam.assume(key, 'env-a', 'run'));
  expect(await both(a)).toEqual(['ok', denied]);
  await put([
    {
      ...{ Effect: 'Deny', Principal: { AWS: iam.arn('role', 'env-a') }, Action: 's3:*' },
      Resource: [of(), of('/*')],
    },
  ]);
  expect(await both(a)).toEqual([denied, denied]);
  expect(await both(root)).toEqual(['ok', 'ok']);
});

test('it is read back as it was put; what is none is refused', async () => {
  const text = document([
    { Effect: 'Allow', Principal: { AWS: iam.accountId }, Action: 's3:Get*', Resource: of('/*') },
  ]);
  await root.send(new PutBucketPolicyCommand({ Bucket, Policy: text }));
  const { Policy } = await root.send(new GetBucketPolicyCommand({ Bucket }));
  expect(JSON.parse(Policy ?? '')).toMatchObject({
    Version: '2012-10-17',
    Statement: [{ Action: 's3:Get*' }],
  });
  await root.send(new DeleteBucketPolicyCommand({ Bucket }));
  expect(await outcome(root.send(new GetBucketPolicyCommand({ Bucket })))).toBe('404 NoSuchBucketPolicy');
  const good = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: of('/*') };
  for (const bad of [
    { ...good, Resource: 'arn:aws:s3:::other/*' },
    { ...good, Principal: undefined },
    { ...good, Action: 'iam:CreateUser' },
    { ...good, Effect: 'Maybe' },
    { ...good, Condition: { NoSuch: { 'aws:x': 'y' } } },
  ])
    expect([bad, await outcome(put([bad]))]).toEqual([bad, '400 MalformedPolicy']);
});

test('the public access block: put, read, removed; then no policy may name everybody', async () => {
  const everybody = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: of('/*') }];
  const block = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  await root.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
  const asked = await root.send(new GetPublicAccessBlockCommand({ Bucket }));
  expect(asked.PublicAccessBlockConfiguration).toEqual(block);
  expect(await outcome(put(everybody))).toBe(denied);
  await root.send(new DeletePublicAccessBlockCommand({ Bucket }));
  expect(await outcome(root.send(new GetPublicAccessBlockCommand({ Bucket })))).toBe(
    '404 NoSuchPublicAccessBlockConfiguration',
  );
  await put(everybody);
});

test('nobody gets in without a signature, though a policy names everybody', async () => {
  await put([{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: [of(), of('/*')] }]);
  for (const path of [`/${Bucket}/dags/a.py`, `/${Bucket}`, `/${Bucket}?policy`])
    expect(await plainCall(used.place, { path })).toMatchObject({ status: 403, code: 'AccessDenied' });
  expect(await both(await person('eve'))).toEqual(['ok', 'ok']);
});

test('the guard rail stands over what people and buckets allow, and not over the root user', async () => {
  const rail = (method: string, body?: string) =>
    signed(used.place, {
      method,
      path: '/windsock/guard-rail',
      service: 'windsock',
      ...(body ? { body } : {}),
    });
  const [own, given] = [await person('fay', [{ Action: 's3:*' }]), await person('gil')];
  const Principal = { AWS: iam.arn('user', 'gil') };
  await put([{ Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: of('/*') }]);
  const all = async () => [await both(own), await both(given), await both(root)];
  const ok = ['ok', 'ok'];
  expect(await all()).toEqual([ok, ok, ok]);
  const denies = policyOf([
    { Action: '*' },
    { Effect: 'Deny', Action: 's3:GetObject', Resource: of('/secret/*') },
  ]);
  expect((await rail('PUT', JSON.stringify({ PolicyDocument: denies }))).status).toBe(200);
  expect(await all()).toEqual([['ok', denied], ['ok', denied], ok]);
  expect((await rail('DELETE')).status).toBe(200);
  expect(await all()).toEqual([ok, ok, ok]);
});
