// Every operation, as a client that signs sees it.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Given, type S3World, s3, s3World } from './test-client.ts';

let world: S3World;
const call = (method: string, target: string, given?: Given) => s3(world, method, target, given);
const put = (key: string, body: string, headers: Given['headers'] = {}) =>
  call('PUT', `/bkt/${key}`, { body, headers });
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

beforeEach(async () => {
  world = s3World();
  await call('PUT', '/bkt');
  world.audited.length = 0;
});

describe('buckets', () => {
  test('are made, listed, found and removed', async () => {
    expect(await call('PUT', '/other')).toMatchObject({ status: 200, headers: { location: '/other' } });
    expect((await call('PUT', '/other')).code).toBe('BucketAlreadyOwnedByYou');
    const list = await call('GET', '/');
    expect(list.text).toMatch(/<ListAllMyBucketsResult .*<Bucket><Name>bkt<\/Name>.*<Name>other<\/Name>/s);
    expect(await call('HEAD', '/other')).toMatchObject({
      status: 200,
      headers: { 'x-amz-bucket-region': 'us-east-1' },
    });
    expect((await call('DELETE', '/other')).status).toBe(204);
    expect(await call('HEAD', '/other')).toMatchObject({ status: 404, text: '' });
  });

  test('are listed page by page', async () => {
    for (const name of ['one', 'two', 'three']) await call('PUT', `/${name}`);
    const names = (xml: string) => [...xml.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name);
    const first = await call('GET', '/?prefix=t&max-buckets=1');
    expect(names(first.text)).toEqual(['three']);
    const token = encodeURIComponent(first.member('ContinuationToken') ?? '');
    const last = await call('GET', `/?prefix=t&max-buckets=1&continuation-token=${token}`);
    expect([names(last.text), last.member('ContinuationToken')]).toEqual([['two'], undefined]);
    for (const query of [
      'max-buckets=0',
      'max-buckets=10001',
      'max-buckets=x',
      `continuation-token=${token}`,
    ])
      expect((await call('GET', `/?${query}`)).code, query).toBe('InvalidArgument');
  });

  test('may have names that are paths of other services', async () => {
    for (const name of ['environments', 'tags', 'health', 'windsock', 'restapi'])
      expect((await call('PUT', `/${name}`)).status).toBe(200);
    expect((await call('GET', '/environments')).text).toContain('<Name>environments</Name>');
  });

  test('are in the Region of the server', async () => {
    expect((await call('GET', '/bkt?location')).text).toMatch(
      /<LocationConstraint [^>]*><\/LocationConstraint>$/,
    );
    const elsewhere =
      '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>';
    expect((await call('PUT', '/cup', { body: elsewhere })).code).toBe('IllegalLocationConstraintException');
  });

  test('keep versions when they are told to', async () => {
    expect((await call('GET', '/bkt?versioning')).text).not.toContain('Status');
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    expect((await call('PUT', '/bkt?versioning', { body })).status).toBe(200);
    expect((await call('GET', '/bkt?versioning')).member('Status')).toBe('Enabled');
    expect((await call('PUT', '/bkt?versioning', { body: '<VersioningConfiguration/>' })).code).toBe(
      'MalformedXML',
    );
  });

  test('have a public access block that keeps everybody out of their policy', async () => {
    expect((await call('GET', '/bkt?publicAccessBlock')).code).toBe('NoSuchPublicAccessBlockConfiguration');
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bkt/*' },
    });
    const body =
      '<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>';
    expect((await call('PUT', '/bkt?publicAccessBlock', { body })).status).toBe(200);
    expect((await call('GET', '/bkt?publicAccessBlock')).member('BlockPublicPolicy')).toBe('true');
    expect(await call('PUT', '/bkt?policy', { body: policy })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
    expect((await call('DELETE', '/bkt?publicAccessBlock')).status).toBe(204);
    expect((await call('PUT', '/bkt?policy', { body: policy })).status).toBe(204);
    expect(await call('GET', '/bkt?policy')).toMatchObject({ status: 200, text: policy });
    expect((await call('DELETE', '/bkt?policy')).status).toBe(204);
    expect((await call('GET', '/bkt?policy')).code).toBe('NoSuchBucketPolicy');
  });

  test('refuse a policy that is about something else, with the place of a fault', async () => {
    const statement = { Effect: 'Allow', Principal: { AWS: '123456789012' }, Action: 's3:*' };
    const whole = (Resource: string, more: object = {}) =>
      JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, Resource, ...more } });
    for (const body of [
      whole('arn:aws:s3:::other/*'),
      whole('arn:aws:s3:::bktc'),
      whole('*'),
      whole('arn:aws:s3:::bkt', { Action: 'iam:*' }),
    ])
      expect((await call('PUT', '/bkt?policy', { body })).code).toBe('MalformedPolicy');
    const never = { Condition: { StringEquals: { 's3:x-amz-grant-read': 'x' } } };
    const refused = await call('PUT', '/bkt?policy', { body: whole('arn:aws:s3:::bkt', never) });
    expect([refused.code, refused.message]).toEqual([
      'MalformedPolicy',
      expect.stringContaining('no request here has s3:x-amz-grant-read'),
    ]);
    const known = {
      Condition: { StringEquals: { 'AWS:principaltag/a': '1', 's3:requestObjectTag/a': '1' } },
    };
    expect((await call('PUT', '/bkt?policy', { body: whole('arn:aws:s3:::bkt', known) })).status).toBe(204);
    expect((await call('PUT', '/bkt?policy', { body: '{' })).message).toMatch(/line 1/);
  });
});

describe('an object', () => {
  test('is not deleted by a version and an ETag at once', async () => {
    await put('a', 'hello');
    const headers = { 'if-match': '*' };
    const refused = await call('DELETE', '/bkt/a?versionId=null', { headers });
    expect([refused.status, refused.code]).toEqual([501, 'NotImplemented']);
    const body = '<Delete><Object><Key>a</Key><VersionId>null</VersionId><ETag>x</ETag></Object></Delete>';
    expect((await call('POST', '/bkt?delete', { body })).code).toBe('NotImplemented');
    expect((await call('HEAD', '/bkt/a')).status).toBe(200);
  });

  test('has no tags of which some are dropped', async () => {
    const refused = await put('a', 'hello', { 'x-amz-tagging': `${'&'.repeat(12)}a=1&a=2` });
    expect([refused.status, refused.code]).toEqual([400, 'InvalidArgument']);
  });

  test.each([
    ['?x-amz-meta-a%0d%0ab%3a=1', {}],
    ['?x-amz-meta-a b=1', {}],
    ['?x-amz-meta-=1', {}],
    ['', { 'x-amz-meta-a': 'b\x01' }],
    ['', { 'content-type': 'a\x01b' }],
  ])('has no metadata that cannot be a header: %j %j', async (parameters, headers) => {
    const target = `/bkt/a${decodeURIComponent(parameters)}`;
    const answer = await call('PUT', target, { body: 'x', headers });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument']);
    expect((await call('HEAD', '/bkt/a')).status).toBe(404);
  });

  test('comes back as it was put', async () => {
    const headers = {
      ...{ 'content-type': 'text/x-python', 'cache-control': 'no-cache', 'x-amz-meta-a': 'b' },
      ...{ 'content-encoding': 'aws-chunked,gzip', 'x-amz-tagging': 'a=1&b=x+y' },
    };
    expect((await put('dags/a.py', 'hello', headers)).headers).toMatchObject({ etag: `"${md5('hello')}"` });
    const got = await call('GET', '/bkt/dags/a.py');
    expect(got).toMatchObject({ status: 200, text: 'hello' });
    expect(got.headers).toMatchObject({
      ...{ 'content-type': 'text/x-python', 'content-encoding': 'gzip', 'x-amz-meta-a': 'b' },
      ...{ 'content-length': '5', 'accept-ranges': 'bytes', 'x-amz-tagging-count': '2' },
      ...{ 'last-modified': 'Fri, 27 Nov 2026 12:00:00 GMT', 'x-amz-request-id': expect.any(String) },
    });
    expect(got.headers).not.toHaveProperty('x-amz-version-id');
    const head = await call('HEAD', '/bkt/dags/a.py', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '5' } });
    expect(head.headers).toHaveProperty('x-amz-checksum-crc64nvme');
  });

  test('has a key of any characters', async () => {
    for (const key of ['a%20b', 'a%2Bb', '%C3%A4', 'a/%E2%80%A6', '%25']) {
      expect((await put(key, key)).status).toBe(200);
      expect((await call('GET', `/bkt/${key}`)).text).toBe(key);
    }
    for (const key of ['../x', 'a/../x', 'a//bkt', 'a/./b', '%00', '/etc/x'])
      expect((await put(key, 'x')).code).toBe('InvalidArgument');
    expect((await put('%FF', '')).code).toBe('InvalidURI');
    expect((await put('x'.repeat(1_025), 'x')).code).toBe('KeyTooLongError');
  });

  test.each<[string, Given['headers'], string]>([
    ['another SHA-256', { 'x-amz-content-sha256': 'a'.repeat(64) }, 'XAmzContentSHA256Mismatch'],
    ['another MD5', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, 'BadDigest'],
    ['another checksum', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['another length', { 'content-length': '3' }, 'EntityTooLarge'],
    ['an ACL', { 'x-amz-acl': 'public-read' }, 'NotImplemented'],
    ['encryption', { 'x-amz-server-side-encryption': 'AES256' }, 'NotImplemented'],
    ['a lock', { 'x-amz-object-lock-mode': 'GOVERNANCE' }, 'NotImplemented'],
    ['a storage class', { 'x-amz-storage-class': 'GLACIER' }, 'NotImplemented'],
    ['much metadata', { 'x-amz-meta-a': 'x'.repeat(2_048) }, 'MetadataTooLarge'],
    ['eleven tags', { 'x-amz-tagging': 'abcdefghijk'.split('').join('=&') }, 'BadRequest'],
    ['the owner of another account', { 'x-amz-expected-bucket-owner': '999999999999' }, 'AccessDenied'],
  ])('is not made with %s', async (_name, headers, code) => {
    expect((await put('a', 'hello', headers)).code).toBe(code);
    expect((await call('GET', '/bkt/a')).code).toBe('NoSuchKey');
  });

  test('is made only on the conditions of the request', async () => {
    expect((await put('a', '1', { 'if-none-match': '*' })).status).toBe(200);
    expect((await put('a', '2', { 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await put('a', '2', { 'if-match': `"${md5('x')}"` })).code).toBe('PreconditionFailed');
    expect((await put('a', '2', { 'if-match': `"${md5('1')}"` })).status).toBe(200);
  });

  test.each<[string, string, number]>([
    ['bytes=0-1', 'he', 206],
    ['bytes=3-', 'lo', 206],
    ['bytes=-2', 'lo', 206],
    ['bytes=-9', 'hello', 206],
    ['bytes=3-100', 'lo', 206],
    ['bytes=2-1', 'hello', 200],
    ['lines=1-2', 'hello', 200],
  ])('is read in part: %s', async (range, text, status) => {
    await put('a', 'hello');
    expect(await call('GET', '/bkt/a', { headers: { range } })).toMatchObject({ status, text });
  });

  test('tells which range it has not, and is sent whole to who wants several', async () => {
    await put('a', 'hello');
    expect((await call('GET', '/bkt/a', { headers: { range: 'bytes=1-2' } })).headers).toMatchObject({
      ...{ 'content-range': 'bytes 1-2/5', 'content-length': '2' },
    });
    for (const range of ['bytes=5-', 'bytes=-0', 'bytes=9-10'])
      expect(await call('GET', '/bkt/a', { headers: { range } })).toMatchObject({
        ...{ status: 416, code: 'InvalidRange' },
      });
    for (const range of ['bytes=0-1,3-4', 'bytes=,'])
      expect(await call('GET', '/bkt/a', { headers: { range } })).toMatchObject({ status: 200 });
    await put('empty', '', { 'content-length': '0' });
    const ofNothing = (range: string) => call('GET', '/bkt/empty', { headers: { range } });
    expect(await ofNothing('bytes=-1')).toMatchObject({ status: 200, text: '' });
    expect([(await ofNothing('bytes=0-')).code, (await ofNothing('bytes=-0')).code]).toEqual([
      'InvalidRange',
      'InvalidRange',
    ]);
  });

  test('that was put at once is its own only part', async () => {
    await put('a', 'hello');
    const part = (query: string, headers = {}) => call('GET', `/bkt/a?partNumber=${query}`, { headers });
    const whole = await part('1');
    expect([whole.status, whole.text, whole.headers['content-range']]).toEqual([206, 'hello', 'bytes 0-4/5']);
    expect(whole.headers).not.toHaveProperty('x-amz-mp-parts-count');
    expect(await part('2')).toMatchObject({ status: 416, code: 'InvalidPartNumber' });
    for (const number of ['0', '10001', 'x', '']) expect((await part(number)).code).toBe('InvalidArgument');
    expect((await part('1', { range: 'bytes=0-1' })).code).toBe('InvalidRequest');
    await put('empty', '', { 'content-length': '0' });
    const nothing = await call('GET', '/bkt/empty?partNumber=1');
    expect([nothing.status, nothing.headers['content-range']]).toEqual([200, undefined]);
  });

  test('is not looked for under what no version is called', async () => {
    await put('a', 'hello');
    for (const method of ['GET', 'HEAD', 'DELETE'])
      expect((await call(method, '/bkt/a?versionId=v1')).status).toBe(400);
    const source = { 'x-amz-copy-source': '/bkt/a?versionId=v1' };
    expect((await call('PUT', '/bkt/b', { headers: source })).code).toBe('InvalidArgument');
    expect((await call('GET', `/bkt/a?versionId=${'a'.repeat(32)}`)).code).toBe('NoSuchVersion');
  });

  test.each(['bkt/%ZZ', 'bkt/%C3', '%', 'bkt/a%'])('is not copied from %s', async (source) => {
    const copied = await call('PUT', '/bkt/b', { headers: { 'x-amz-copy-source': source } });
    expect([copied.code, copied.message]).toEqual(['InvalidArgument', 'Invalid copy source encoding']);
  });

  const [before, after] = ['Fri, 27 Nov 2026 11:59:59 GMT', 'Fri, 27 Nov 2026 12:00:00 GMT'];
  test.each<[Given['headers'], number]>([
    [{ 'if-match': `"${md5('hello')}"` }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': `"${md5('hello')}"`, 'if-unmodified-since': before }, 200],
    [{ 'if-unmodified-since': before }, 412],
    [{ 'if-unmodified-since': after }, 200],
    [{ 'if-none-match': `"other", "${md5('hello')}"` }, 304],
    [{ 'if-none-match': '"other"', 'if-modified-since': after }, 200],
    [{ 'if-modified-since': after }, 304],
    [{ 'if-modified-since': before }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-modified-since': '2030-01-01' }, 200],
    [{ 'if-modified-since': 'Saturday, 28-Nov-26 12:00:00 GMT' }, 304],
    [{ 'if-modified-since': 'Sat Nov 28 12:00:00 2026' }, 304],
    [{ 'if-unmodified-since': '2020-01-01T00:00:00Z' }, 200],
  ])('is read on the conditions of the request: %j', async (headers, status) => {
    await put('a', 'hello');
    const got = await call('GET', '/bkt/a', { headers: headers ?? {} });
    expect(got.status).toBe(status);
    if (status === 304) expect(got).toMatchObject({ text: '', headers: { etag: `"${md5('hello')}"` } });
  });

  test('is answered with headers that the request chooses', async () => {
    await put('a', 'hello');
    const got = await call(
      'GET',
      '/bkt/a?response-content-type=text/x&response-content-disposition=attachment',
    );
    expect(got.headers).toMatchObject({ 'content-type': 'text/x', 'content-disposition': 'attachment' });
    expect((await call('GET', '/bkt/a?response-content-type=a\r\nb')).code).toBe('InvalidArgument');
  });

  test('has versions and deletion markers', async () => {
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await call('PUT', '/bkt?versioning', { body });
    const { 'x-amz-version-id': first = '' } = (await put('a', '1')).headers;
    const { 'x-amz-version-id': second = '' } = (await put('a', '2')).headers;
    expect((await call('GET', `/bkt/a?versionId=${first}`)).text).toBe('1');
    const gone = await call('DELETE', '/bkt/a');
    expect(gone).toMatchObject({ status: 204, headers: { 'x-amz-delete-marker': 'true' } });
    const marker = gone.headers['x-amz-version-id'] ?? '';
    expect(await call('GET', '/bkt/a')).toMatchObject({
      ...{ status: 404, code: 'NoSuchKey', headers: { 'x-amz-delete-marker': 'true' } },
    });
    expect(await call('GET', `/bkt/a?versionId=${marker}`)).toMatchObject({
      ...{ status: 405, headers: { allow: 'DELETE', 'x-amz-delete-marker': 'true' } },
    });
    const list = await call('GET', '/bkt?versions');
    expect([...list.text.matchAll(/<VersionId>(\w+)</g)].map(([, id]) => id)).toEqual([
      marker,
      second,
      first,
    ]);
    const page = await call('GET', '/bkt?versions&max-keys=1');
    expect(page.member('NextVersionIdMarker')).toBe(marker);
    const next = await call('GET', `/bkt?versions&key-marker=a&version-id-marker=${marker}`);
    expect([...next.text.matchAll(/<VersionId>(\w+)</g)].map(([, id]) => id)).toEqual([second, first]);
    await call('DELETE', `/bkt/a?versionId=${marker}`);
    expect((await call('GET', '/bkt/a')).text).toBe('2');
  });

  test('is copied, with what it is told to keep', async () => {
    await put('a%20b', 'hello', { 'x-amz-meta-a': '1', 'x-amz-tagging': 't=1', 'content-type': 'text/x' });
    const copy = (headers: Given['headers']) =>
      call('PUT', '/bkt/c', { headers: { 'x-amz-copy-source': '/bkt/a%20b', ...headers } });
    expect((await copy({})).member('ETag')).toBe(`&quot;${md5('hello')}&quot;`);
    expect(await call('GET', '/bkt/c')).toMatchObject({
      ...{
        text: 'hello',
        headers: { 'x-amz-meta-a': '1', 'content-type': 'text/x', 'x-amz-tagging-count': '1' },
      },
    });
    await copy({
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-meta-b': '2',
      'x-amz-tagging-directive': 'REPLACE',
    });
    const replaced = (await call('GET', '/bkt/c')).headers;
    expect(replaced).toMatchObject({ 'x-amz-meta-b': '2' });
    expect(replaced).not.toHaveProperty('x-amz-meta-a');
    expect(replaced).not.toHaveProperty('x-amz-tagging-count');
    expect((await copy({ 'x-amz-copy-source-if-match': '"other"' })).code).toBe('PreconditionFailed');
    expect((await copy({ 'x-amz-copy-source': 'bkt/nothing' })).code).toBe('NoSuchKey');
    expect((await copy({ 'x-amz-copy-source': 'bkt/c' })).code).toBe('InvalidRequest');
    expect((await copy({ 'x-amz-copy-source': 'bkt' })).code).toBe('InvalidArgument');
  });

  test('has tags', async () => {
    await put('a', 'hello');
    const tag = (name: string, value: string) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`;
    const set = (tags: string) =>
      call('PUT', '/bkt/a?tagging', { body: `<Tagging><TagSet>${tags}</TagSet></Tagging>` });
    expect((await set(tag('a', '1') + tag('b', '2'))).status).toBe(200);
    expect((await call('GET', '/bkt/a?tagging')).text).toContain(
      `<TagSet>${tag('a', '1')}${tag('b', '2')}</TagSet>`,
    );
    expect((await set(tag('a', '1') + tag('a', '2'))).code).toBe('InvalidTag');
    expect((await set(tag('aws:a', '1'))).code).toBe('InvalidTag');
    expect((await call('DELETE', '/bkt/a?tagging')).status).toBe(204);
    expect((await call('GET', '/bkt/a?tagging')).text).toContain('<TagSet></TagSet>');
  });
});

describe('lists', () => {
  beforeEach(async () => {
    for (const key of ['a', 'd/1', 'd/2', 'e%20%C3%A4', 'z']) await put(key, key);
  });
  const keys = (text: string) => [...text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);

  test('go on with a token that is good for that list alone', async () => {
    const first = await call('GET', '/bkt?list-type=2&max-keys=2&delimiter=/');
    expect(keys(first.text)).toEqual(['a']);
    expect(first.text).toContain('<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>');
    expect([first.member('KeyCount'), first.member('IsTruncated')]).toEqual(['2', 'true']);
    const token = first.member('NextContinuationToken') ?? '';
    const second = await call('GET', `/bkt?list-type=2&delimiter=/&continuation-token=${token}`);
    expect(keys(second.text)).toEqual(['e ä', 'z']);
    for (const other of [
      `/bkt?list-type=2&continuation-token=${token}`,
      '/bkt?list-type=2&continuation-token=x',
    ])
      expect((await call('GET', other)).code).toBe('InvalidArgument');
  });

  test('take what clients ask for', async () => {
    expect(keys((await call('GET', '/bkt?list-type=2&prefix=d/')).text)).toEqual(['d/1', 'd/2']);
    expect(keys((await call('GET', '/bkt?list-type=2&start-after=d/1&encoding-type=url')).text)).toEqual([
      ...['d/2', 'e%20%C3%A4', 'z'],
    ]);
    expect((await call('GET', '/bkt?list-type=2&fetch-owner=true')).text).toContain('<Owner>');
    expect((await call('GET', '/bkt?list-type=2')).text).not.toContain('<Owner>');
    expect((await call('GET', '/bkt?list-type=2&max-keys=0')).member('IsTruncated')).toBe('false');
    expect((await call('GET', '/bkt?list-type=2&max-keys=5000')).member('MaxKeys')).toBe('1000');
    for (const bad of ['max-keys=-1', 'max-keys=x', 'encoding-type=x', 'list-type=3'])
      expect((await call('GET', `/bkt?list-type=2&${bad}`)).code).toBe('InvalidArgument');
  });

  test('tell whether they begin, also behind a key', async () => {
    const begins: boolean[] = [];
    const { objects } = world.buckets;
    world.buckets.objects = (list) => {
      begins.push(list.begins);
      return objects(list);
    };
    const first = await call('GET', '/bkt?list-type=2&start-after=d/1&max-keys=1');
    const token = first.member('NextContinuationToken') ?? '';
    await call('GET', `/bkt?list-type=2&start-after=d/1&continuation-token=${token}`);
    await call('GET', '/bkt?marker=d/2');
    expect(begins).toEqual([true, false, true]);
  });

  test('of the first version go on with a marker', async () => {
    const page = await call('GET', '/bkt?max-keys=2&delimiter=/');
    expect([page.member('NextMarker'), page.member('IsTruncated')]).toEqual(['d/', 'true']);
    expect(keys((await call('GET', '/bkt?marker=d/2')).text)).toEqual(['e ä', 'z']);
  });

  test('end with what is deleted at once', async () => {
    const named = (key: string) => `<Object><Key>${key}</Key></Object>`;
    const some = `<Delete>${named('a')}${named('d/1')}${named('nothing')}</Delete>`;
    const answer = await call('POST', '/bkt?delete', { body: some });
    expect([...answer.text.matchAll(/<Deleted><Key>([^<]*)</g)].map(([, key]) => key)).toEqual([
      ...['a', 'd/1', 'nothing'],
    ]);
    expect(world.audited.filter(({ eventName }) => eventName === 'DeleteObjects')).toHaveLength(3);
    const quiet = await call('POST', '/bkt?delete', {
      body: `<Delete><Quiet>true</Quiet>${named('z')}</Delete>`,
    });
    expect(quiet.text).not.toContain('Deleted');
    expect(keys((await call('GET', '/bkt')).text)).toEqual(['d/2', 'e ä']);
    const many = `<Delete>${named('a').repeat(1_001)}</Delete>`;
    expect((await call('POST', '/bkt?delete', { body: many })).code).toBe('MalformedXML');
  });
});

describe('an upload in parts', () => {
  test('takes no checksum of another kind than its own', async () => {
    const headers = { 'x-amz-checksum-algorithm': 'CRC32' };
    const id = (await call('POST', '/bkt/sums?uploads', { headers })).member('UploadId') ?? '';
    const part = (name: string, value: string) =>
      call('PUT', `/bkt/sums?partNumber=1&uploadId=${id}`, {
        ...{ body: 'hello', headers: { [`x-amz-checksum-${name}`]: value } },
      });
    expect(await part('sha1', 'qvTGHdzF6KLavt4PO0gs2a6pQ00=')).toMatchObject({
      ...{ code: 'InvalidRequest', message: expect.stringContaining('expected checksum Type: CRC32') },
    });
    expect((await part('crc32', 'NhCmhg==')).status).toBe(200);
  });

  test('becomes an object', async () => {
    const begun = await call('POST', '/bkt/big?uploads', { headers: { 'x-amz-meta-a': '1' } });
    const id = begun.member('UploadId') ?? '';
    const part = (number: number, body: string) =>
      call('PUT', `/bkt/big?partNumber=${number}&uploadId=${id}`, { body });
    const etags = [(await part(1, 'hel')).headers['etag'], (await part(2, 'lo')).headers['etag']];
    expect((await part(0, 'x')).code).toBe('InvalidArgument');
    expect((await part(10_001, 'x')).code).toBe('InvalidArgument');
    await put('source', 'goodbye');
    const copied = await call('PUT', `/bkt/big?partNumber=3&uploadId=${id}`, {
      headers: { 'x-amz-copy-source': 'bkt/source', 'x-amz-copy-source-range': 'bytes=4-6' },
    });
    etags.push(copied.member('ETag')?.replaceAll('&quot;', '"'));
    const listed = await call('GET', `/bkt/big?uploadId=${id}&max-parts=2`);
    expect([listed.member('NextPartNumberMarker'), listed.member('IsTruncated')]).toEqual(['2', 'true']);
    expect((await call('GET', '/bkt?uploads')).member('UploadId')).toBe(id);
    const named = etags.map(
      (etag, i) => `<Part><ETag>${etag}</ETag><PartNumber>${i + 1}</PartNumber></Part>`,
    );
    const complete = (parts: readonly string[]) =>
      call('POST', `/bkt/big?uploadId=${id}`, {
        body: `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
      });
    expect((await complete([])).code).toBe('MalformedXML');
    expect((await complete(named.toReversed())).code).toBe('InvalidPartOrder');
    const sized = (size: string) =>
      call('POST', `/bkt/big?uploadId=${id}`, {
        body: `<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`,
        headers: { 'x-amz-mp-object-size': size },
      });
    for (const size of ['-1', 'x']) expect((await sized(size)).code).toBe('InvalidRequest');
    const completed = await sized('8');
    expect(completed.member('ETag')).toMatch(/-3&quot;$/);
    expect(completed.member('Location')).toMatch(/^http:\/\/.+\/bkt\/big$/);
    const second = await call('GET', '/bkt/big?partNumber=2');
    expect([second.status, second.text]).toEqual([206, 'lo']);
    expect(second.headers).toMatchObject({ 'content-range': 'bytes 3-4/8', 'x-amz-mp-parts-count': '3' });
    expect((await call('HEAD', '/bkt/big?partNumber=4')).status).toBe(416);
    expect(await call('GET', '/bkt/big')).toMatchObject({
      text: 'hellobye',
      headers: { 'x-amz-meta-a': '1' },
    });
    expect((await call('GET', `/bkt/big?uploadId=${id}`)).code).toBe('NoSuchUpload');
  });

  test('can be given up', async () => {
    const id = (await call('POST', '/bkt/big?uploads')).member('UploadId');
    expect((await call('DELETE', `/bkt/big?uploadId=${id}`)).status).toBe(204);
    expect((await call('DELETE', `/bkt/big?uploadId=${id}`)).code).toBe('NoSuchUpload');
  });
});

describe('what is not served is not silently done', () => {
  test.each([
    ...['GET /bkt?acl', 'PUT /bkt?cors', 'GET /bkt?lifecycle', 'GET /bkt/a?torrent'],
    ...['PUT /bkt/a?acl', 'POST /bkt/a?select&select-type=2', 'GET /bkt?unheard-of', 'POST /bkt/a?restore'],
  ])('%s', async (line) => {
    const [method = '', target = ''] = line.split(' ');
    await put('a', 'x');
    expect(await call(method, target)).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  test('nor is another method', async () => {
    expect(await call('POST', '/bkt')).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
    expect(await call('PATCH', '/bkt/a')).toMatchObject({ status: 405 });
  });
});
