// What is recorded of S3: changes of buckets and objects, who was refused; what LookupEvents tells of it.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, expect, test } from 'vitest';
import { lookupEvents, recordedEvents, verifyAudit } from '../harness/audit.ts';
import { Iam } from '../harness/iam.ts';
import { rootKey } from '../harness/mwaa.ts';
import { outcome, putText, s3Client } from '../harness/s3.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const Bucket = 'recorded';
const recorded = () => recordedEvents(used.place);
let s3: S3Client;
let stranger: S3Client;
beforeAll(async () => {
  s3 = s3Client(used.place);
  stranger = s3Client(used.place, await new Iam(used.place).user('stranger'));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Suspended' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  await putText(s3, Bucket, 'dags/a.py', 'secret words');
  await s3.send(new GetObjectCommand({ Bucket, Key: 'dags/a.py' }));
  await s3.send(new ListObjectsV2Command({ Bucket }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'dags/a.py' }));
  expect(await outcome(putText(stranger, Bucket, 'x', 'x'))).toBe('403 AccessDenied');
  expect(await outcome(stranger.send(new GetObjectCommand({ Bucket, Key: 'x' })))).toBe('403 AccessDenied');
  const wrong = s3Client(used.place, { ...rootKey(used.place), secretAccessKey: 'wrong' });
  expect(await outcome(putText(wrong, Bucket, 'x', 'x'))).toBe('403 SignatureDoesNotMatch');
});

test('each change of a bucket and an object is recorded once, with who did it', async () => {
  const events = (await recorded()).filter((e) => e.requestParameters?.['bucketName'] === Bucket);
  const done = events.filter(({ errorCode }) => errorCode === undefined);
  for (const name of ['CreateBucket', 'PutBucketVersioning', 'PutObject', 'DeleteObject'])
    expect(done.filter(({ eventName }) => eventName === name)).toMatchObject([
      {
        userIdentity: { type: 'Root' },
        readOnly: false,
        sourceIPAddress: expect.stringContaining('127.0.0.1'),
      },
    ]);
  expect(done.find(({ eventName }) => eventName === 'PutObject')).toMatchObject({
    requestParameters: { bucketName: Bucket, key: 'dags/a.py' },
    responseElements: { 'x-amz-version-id': 'null' },
  });
});

test('who was refused is recorded, with what he wanted', async () => {
  const refused = (await recorded()).filter(({ errorCode }) => errorCode !== undefined);
  const told = refused.map(({ eventName, errorCode, userIdentity }) => [
    eventName,
    errorCode,
    userIdentity['userName'],
  ]);
  expect(told).toContainEqual(['PutObject', expect.stringMatching(/^AccessDenied/), 'stranger']);
  expect(told).toContainEqual(['GetObject', expect.stringMatching(/^AccessDenied/), 'stranger']);
  expect(
    refused.some(
      ({ eventName, errorCode }) => eventName === 'PutObject' && /Signature/.test(errorCode ?? ''),
    ),
  ).toBe(true);
});

test('LookupEvents tells of buckets, and never of objects', async () => {
  const { status, body } = await lookupEvents(used.place, {
    LookupAttributes: [{ AttributeKey: 'EventSource', AttributeValue: 's3.amazonaws.com' }],
  });
  expect(status).toBe(200);
  const names = (body['Events'] as readonly { readonly EventName: string }[]).map(
    ({ EventName }) => EventName,
  );
  expect(names).toEqual(expect.arrayContaining(['CreateBucket', 'PutBucketVersioning']));
  expect(names.filter((name) => /Object/.test(name))).toEqual([]);
});

test('the record is whole, and neither bytes of objects nor secrets are in it', async () => {
  const found = await until('everything is sealed', 20, async () => {
    const now = await verifyAudit(used.place);
    return now.waiting === 0 && now;
  });
  expect(found).toMatchObject({ intact: true, findings: [] });
  const text = JSON.stringify(await recorded());
  for (const hidden of ['secret words', rootKey(used.place).secretAccessKey])
    expect(text).not.toContain(hidden);
  expect(text).not.toMatch(/X-Amz-Signature|Signature=/);
});
