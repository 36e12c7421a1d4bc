// Who may do what: each operation by its own action of S3, on its own resource.
import { SignatureV4 } from '@smithy/signature-v4';
import { beforeEach, describe, expect, test } from 'vitest';
import { Sha256 } from '../../lib/sha256.ts';
import { query } from '../test-query.ts';
import { region } from '../testing.ts';
import { allow, deny, type Given, type S3World, s3, s3World, sendRaw, userWith } from './test-client.ts';

const [bucket, objects, object] = ['arn:aws:s3:::bkt', 'arn:aws:s3:::bkt/*', 'arn:aws:s3:::bkt/a'];
const versioning = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
const block = '<PublicAccessBlockConfiguration/>';
const tagging = '<Tagging><TagSet/></Tagging>';
const copy = { headers: { 'x-amz-copy-source': 'bkt/a' } };
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Principal: '*', Action: 's3:Nothing', Resource: bucket },
});

let world: S3World;
beforeEach(async () => {
  world = s3World();
  await s3(world, 'PUT', '/bkt');
  await s3(world, 'PUT', '/bkt/a', { body: 'hello' });
});

/** A request, the actions that allow it, and on what. */
const table: readonly [line: string, actions: readonly string[], resource: string, given?: Given][] = [
  ['GET /', ['s3:ListAllMyBuckets'], '*'],
  ['PUT /new', ['s3:CreateBucket'], 'arn:aws:s3:::new'],
  ['HEAD /bkt', ['s3:ListBucket'], bucket],
  ['DELETE /bkt', ['s3:DeleteBucket'], bucket],
  ['GET /bkt?location', ['s3:GetBucketLocation'], bucket],
  ['GET /bkt?versioning', ['s3:GetBucketVersioning'], bucket],
  ['PUT /bkt?versioning', ['s3:PutBucketVersioning'], bucket, { body: versioning }],
  ['GET /bkt?publicAccessBlock', ['s3:GetBucketPublicAccessBlock'], bucket],
  ['PUT /bkt?publicAccessBlock', ['s3:PutBucketPublicAccessBlock'], bucket, { body: block }],
  ['DELETE /bkt?publicAccessBlock', ['s3:PutBucketPublicAccessBlock'], bucket],
  ['GET /bkt?policy', ['s3:GetBucketPolicy'], bucket],
  ['PUT /bkt?policy', ['s3:PutBucketPolicy'], bucket, { body: policy }],
  ['DELETE /bkt?policy', ['s3:DeleteBucketPolicy'], bucket],
  ['GET /bkt', ['s3:ListBucket'], bucket],
  ['GET /bkt?list-type=2', ['s3:ListBucket'], bucket],
  ['GET /bkt?versions', ['s3:ListBucketVersions'], bucket],
  ['GET /bkt?uploads', ['s3:ListBucketMultipartUploads'], bucket],
  ['GET /bkt/a', ['s3:GetObject'], object],
  ['HEAD /bkt/a', ['s3:GetObject'], object],
  ['GET /bkt/a?versionId=null', ['s3:GetObjectVersion'], object],
  ['PUT /bkt/a', ['s3:PutObject'], object, { body: 'x' }],
  [
    'PUT /bkt/a',
    ['s3:PutObject', 's3:PutObjectTagging'],
    object,
    { body: 'x', headers: { 'x-amz-tagging': 'a=1' } },
  ],
  ['PUT /bkt/a', ['s3:PutObject', 's3:GetObject'], object, { body: 'x', headers: { 'if-match': '"x"' } }],
  ['PUT /bkt/c', ['s3:PutObject', 's3:GetObject'], objects, copy],
  ['DELETE /bkt/a', ['s3:DeleteObject'], object],
  ['DELETE /bkt/a?versionId=null', ['s3:DeleteObjectVersion'], object],
  ['GET /bkt/a?tagging', ['s3:GetObjectTagging'], object],
  ['GET /bkt/a?tagging&versionId=null', ['s3:GetObjectVersionTagging'], object],
  ['PUT /bkt/a?tagging', ['s3:PutObjectTagging'], object, { body: tagging }],
  ['DELETE /bkt/a?tagging', ['s3:DeleteObjectTagging'], object],
  ['POST /bkt/a?uploads', ['s3:PutObject'], object],
  ['PUT /bkt/a?partNumber=1&uploadId=u', ['s3:PutObject'], object, { body: 'x' }],
  ['PUT /bkt/c?partNumber=1&uploadId=u', ['s3:PutObject', 's3:GetObject'], objects, copy],
  ['POST /bkt/a?uploadId=u', ['s3:PutObject'], object, { body: '<a/>' }],
  ['DELETE /bkt/a?uploadId=u', ['s3:AbortMultipartUpload'], object],
  ['GET /bkt/a?uploadId=u', ['s3:ListMultipartUploadParts'], object],
];

describe.each(table)('%s', (line, actions, resource, given = {}) => {
  const [method = '', target = ''] = line.split(' ');

  test(`needs ${actions.join(' and ')} on ${resource}`, async () => {
    const credentials = await userWith(world, [allow(actions, resource)]);
    expect((await s3(world, method, target, { ...given, credentials })).status).not.toBe(403);
  });

  test.each(actions)('and every other right does not replace %s', async (action) => {
    const credentials = await userWith(world, [allow('s3:*', '*'), deny(action, '*')]);
    const refused = await s3(world, method, target, { ...given, credentials });
    expect(refused.status).toBe(403);
    if (method === 'HEAD') return;
    expect(refused.code).toBe('AccessDenied');
    expect(refused.message).toContain(`is not authorized to perform: ${action} on resource: arn:aws:s3:::`);
    expect(world.audited.at(-1)).toMatchObject({ errorCode: 'AccessDeniedException' });
  });
});

test('a body is read only of who may send it', async () => {
  const credentials = await userWith(world, []);
  expect(await s3(world, 'PUT', '/bkt/a', { body: 'x', credentials })).toMatchObject({
    ...{ status: 403, bodyRead: false },
  });
  expect(await s3(world, 'PUT', '/bkt/a', { body: 'x' })).toMatchObject({ status: 200, bodyRead: true });
});

test('whether a key is there is told only to who may list the bucket', async () => {
  const reader = await userWith(world, [allow('s3:GetObject', objects)], 'reader');
  const lister = await userWith(
    world,
    [allow('s3:GetObject', objects), allow('s3:ListBucket', bucket)],
    'lister',
  );
  expect((await s3(world, 'GET', '/bkt/nothing', { credentials: reader })).code).toBe('AccessDenied');
  expect((await s3(world, 'GET', '/bkt/nothing', { credentials: lister })).code).toBe('NoSuchKey');
  expect((await s3(world, 'HEAD', '/bkt/nothing', { credentials: reader })).status).toBe(403);
  expect((await s3(world, 'HEAD', '/bkt/nothing', { credentials: lister })).status).toBe(404);
});

describe('conditions', () => {
  const is = (key: string, value: string) => ({ StringEquals: { [key]: value } });

  test('of lists', async () => {
    const credentials = await userWith(world, [allow('s3:ListBucket', bucket, is('s3:prefix', 'dags/'))]);
    const list = async (parameters: string) =>
      (await s3(world, 'GET', `/bkt?list-type=2${parameters}`, { credentials })).status;
    expect(await Promise.all(['&prefix=dags/', '&prefix=', '', '&prefix=logs/'].map(list))).toEqual([
      ...[200, 403, 403, 403],
    ]);
  });

  test('of tags, those of the request and those of the object', async () => {
    const credentials = await userWith(world, [
      allow(['s3:PutObject', 's3:PutObjectTagging'], objects, is('s3:RequestObjectTag/team', 'x')),
      allow('s3:GetObject', objects, is('s3:ExistingObjectTag/team', 'x')),
    ]);
    const put = async (tags: string) =>
      (await s3(world, 'PUT', '/bkt/t', { body: 'x', headers: { 'x-amz-tagging': tags }, credentials }))
        .status;
    expect(await put('team=y')).toBe(403);
    expect(await put('team=x')).toBe(200);
    expect((await s3(world, 'GET', '/bkt/t', { credentials })).status).toBe(200);
    expect((await s3(world, 'GET', '/bkt/a', { credentials })).status).toBe(403);
  });

  test('of what the signature covers, and of its age, also of presigned requests', async () => {
    const credentials = await userWith(world, [
      allow('s3:*', '*'),
      { ...deny('s3:PutObject', '*'), Condition: is('s3:x-amz-content-sha256', 'UNSIGNED-PAYLOAD') },
      { ...deny('s3:GetObject', '*'), Condition: { NumericGreaterThan: { 's3:signatureAge': '60000' } } },
      { ...deny('s3:DeleteObject', '*'), Condition: is('s3:authType', 'REST-QUERY-STRING') },
    ]);
    const presigner = new SignatureV4({
      ...{ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false },
    });
    const presigned = async (method: string, age: number) => {
      const payload = new Set(['x-amz-content-sha256']);
      const headers = { host: 'localhost', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
      // nobody sends the header: it is what the signature takes where nothing is stated
      const { query } = await presigner.presign(
        { method, protocol: 'http:', hostname: 'localhost', path: '/bkt/a', headers },
        {
          ...{ signingDate: new Date(Date.now() - age), expiresIn: 3600 },
          ...{ unhoistableHeaders: payload, unsignableHeaders: payload },
        },
      );
      const pairs = Object.entries(query ?? {}).map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`);
      return sendRaw(world, method, `/bkt/a?${pairs.join('&')}`, { host: 'localhost' });
    };
    expect((await presigned('PUT', 0)).message).toContain('explicit deny');
    expect((await presigned('GET', 0)).status).toBe(200);
    expect((await presigned('GET', 120_000)).message).toContain('explicit deny');
    expect((await presigned('DELETE', 0)).message).toContain('explicit deny');
    expect((await s3(world, 'PUT', '/bkt/a', { body: 'x', credentials })).status).toBe(200);
    expect((await s3(world, 'DELETE', '/bkt/a', { credentials })).status).toBe(204);
  });

  test('of deletes by an ETag', async () => {
    const Condition = { Null: { 's3:if-match': 'false' } };
    const credentials = await userWith(world, [
      { ...allow('s3:DeleteObject', objects), Condition },
      allow('s3:GetObject', objects),
    ]);
    expect((await s3(world, 'DELETE', '/bkt/a', { credentials })).status).toBe(403);
    const headers = { 'if-match': '*' };
    expect((await s3(world, 'DELETE', '/bkt/a', { credentials, headers })).status).toBe(204);
  });

  test('of versions and of copies', async () => {
    const credentials = await userWith(world, [
      allow('s3:GetObjectVersion', objects, is('s3:VersionId', 'null')),
      allow('s3:PutObject', objects, is('s3:x-amz-copy-source', 'bkt/a')),
      allow('s3:GetObject', objects),
    ]);
    expect((await s3(world, 'GET', '/bkt/a?versionId=null', { credentials })).status).toBe(200);
    expect((await s3(world, 'GET', `/bkt/a?versionId=${'a'.repeat(32)}`, { credentials })).status).toBe(403);
    expect((await s3(world, 'PUT', '/bkt/c', { ...copy, credentials })).status).toBe(200);
    const other = { headers: { 'x-amz-copy-source': 'bkt/c' } };
    expect((await s3(world, 'PUT', '/bkt/d', { ...other, credentials })).status).toBe(403);
  });
});

describe('a bucket policy', () => {
  const setPolicy = (statement: object) =>
    s3(world, 'PUT', '/bkt?policy', {
      body: JSON.stringify({ Version: '2012-10-17', Statement: statement }),
    });
  const ann = { AWS: 'arn:aws:iam::123456789012:user/ann' };

  test('allows whoever it names', async () => {
    const credentials = await userWith(world, []);
    await setPolicy({ ...allow('s3:GetObject', objects), Principal: ann });
    expect((await s3(world, 'GET', '/bkt/a', { credentials })).status).toBe(200);
    expect((await s3(world, 'DELETE', '/bkt/a', { credentials })).status).toBe(403);
  });

  test('means whoever had the name, not who gets it later; one that nobody has is refused', async () => {
    const missing = await setPolicy({ ...allow('s3:GetObject', objects), Principal: ann });
    expect([missing.code, missing.message]).toEqual(['MalformedPolicy', expect.stringContaining('user/ann')]);
    const { accessKeyId } = await userWith(world, []);
    await setPolicy({ ...allow('s3:GetObject', objects), Principal: ann });
    expect((await s3(world, 'GET', '/bkt?policy')).text).toContain('user/ann"');
    await query(world, 'DeleteAccessKey', { UserName: 'ann', AccessKeyId: accessKeyId });
    await query(world, 'DeleteUserPolicy', { UserName: 'ann', PolicyName: 'own' });
    await query(world, 'DeleteUser', { UserName: 'ann' });
    expect((await s3(world, 'GET', '/bkt?policy')).text).toMatch(/"AIDA[A-Z2-7]{17}"/);
    const another = await userWith(world, []);
    expect((await s3(world, 'GET', '/bkt/a', { credentials: another })).status).toBe(403);
  });

  test('leaves the decision to the policies of the account that it names', async () => {
    const credentials = await userWith(world, []);
    await setPolicy({ ...allow('s3:GetObject', objects), Principal: { AWS: '123456789012' } });
    expect((await s3(world, 'GET', '/bkt/a', { credentials })).status).toBe(403);
  });

  test('denies whatever other policies say, for instance the prefix of another environment', async () => {
    const credentials = await userWith(world, [allow('s3:*', '*')]);
    await setPolicy({ ...deny('s3:GetObject', 'arn:aws:s3:::bkt/other/*'), Principal: ann });
    await s3(world, 'PUT', '/bkt/other/x', { body: 'x' });
    const refused = await s3(world, 'GET', '/bkt/other/x', { credentials });
    expect(refused.message).toContain('with an explicit deny in a resource-based policy');
    expect((await s3(world, 'GET', '/bkt/a', { credentials })).status).toBe(200);
    const copied = await s3(world, 'PUT', '/bkt/mine', {
      ...{ headers: { 'x-amz-copy-source': 'bkt/other/x' }, credentials },
    });
    expect(copied.code).toBe('AccessDenied');
  });
});

test('each of many keys is deleted by its own right', async () => {
  const credentials = await userWith(world, [allow('s3:DeleteObject', 'arn:aws:s3:::bkt/mine/*')]);
  await s3(world, 'PUT', '/bkt/mine/x', { body: 'x' });
  world.audited.length = 0;
  const named = (key: string) => `<Object><Key>${key}</Key></Object>`;
  const body = `<Delete>${named('mine/x')}${named('a')}</Delete>`;
  const answer = await s3(world, 'POST', '/bkt?delete', { body, credentials });
  expect(answer.text).toMatch(/<Deleted><Key>mine\/x<.*<Error><Key>a<\/Key><Code>AccessDenied</s);
  expect((await s3(world, 'GET', '/bkt/a')).status).toBe(200);
  expect(world.audited).toMatchObject([
    {
      eventName: 'DeleteObjects',
      requestParameters: { bucketName: 'bkt', key: 'mine/x' },
      inTransaction: true,
    },
    { eventName: 'DeleteObjects', requestParameters: { keys: ['a'] }, errorCode: 'AccessDeniedException' },
  ]);
});

test.each([
  ['POST', '/bkt?delete', '<Delete><Object><Key>a</Key></Object></Delete>', 's3:DeleteObject*'],
  ['PUT', '/bkt/a?tagging', tagging, 's3:PutObjectTagging'],
])('a body is not read of who may %s %s nowhere', async (method, target, body, action) => {
  const asked = async (credentials: Awaited<ReturnType<typeof userWith>>) => {
    const { status, bodyRead } = await s3(world, method, target, { body, credentials });
    return [status, bodyRead];
  };
  const refused = async (name: string, statements: readonly object[]) =>
    asked(await userWith(world, statements, name));
  expect(await refused('none', [allow('s3:GetObject', '*'), deny(action, '*')])).toEqual([403, false]);
  expect((await refused('other', [allow(action, `${bucket}/other/*`)]))[1]).toBe(true);
  expect(await refused('all', [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }])).toEqual([200, true]);
  const Principal = { AWS: 'arn:aws:iam::123456789012:user/guest' };
  const Statement = { ...allow(action, objects), Principal };
  const document = JSON.stringify({ Version: '2012-10-17', Statement });
  const guest = await userWith(world, [], 'guest');
  expect((await s3(world, 'PUT', '/bkt?policy', { body: document })).status).toBe(204);
  expect(await asked(guest)).toEqual([200, true]);
});

test('who deletes by an ETag may read the object', async () => {
  const credentials = await userWith(world, [allow('s3:DeleteObject', objects)]);
  const body = '<Delete><Object><Key>a</Key><ETag>"x"</ETag></Object></Delete>';
  const answer = await s3(world, 'POST', '/bkt?delete', { body, credentials });
  expect([answer.code, answer.message]).toEqual(['AccessDenied', expect.stringContaining('s3:GetObject')]);
  expect((await s3(world, 'POST', '/bkt?delete', { body })).code).toBe('PreconditionFailed');
});

describe('the record', () => {
  test('has changes within their transaction, as data events of S3, and no reads of objects', async () => {
    world.audited.length = 0;
    await s3(world, 'PUT', '/bkt/a', { body: 'x', headers: { 'x-amz-meta-secret': 'hidden' } });
    await s3(world, 'GET', '/bkt/a');
    await s3(world, 'PUT', '/cup');
    await s3(world, 'GET', '/cup?location');
    expect(world.audited).toMatchObject([
      {
        ...{ eventName: 'PutObject', isDataEvent: true, inTransaction: true, readOnly: false },
        ...{ eventSource: 's3.amazonaws.com', requestParameters: { bucketName: 'bkt', key: 'a' } },
      },
      { eventName: 'CreateBucket', inTransaction: true, requestParameters: { bucketName: 'cup' } },
      { eventName: 'GetBucketLocation', inTransaction: false, readOnly: true },
    ]);
    expect(world.audited[1]).not.toHaveProperty('isDataEvent');
    expect(JSON.stringify(world.audited)).not.toContain('hidden');
  });
});
