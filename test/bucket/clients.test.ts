// The clients that people have for S3 besides the SDK for JavaScript: boto3 and the aws cli, as they are.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { rootKey } from '../harness/mwaa.ts';
import { runClient, runProgram } from '../harness/python.ts';
import { makeBucket, plainCall, s3Client, seen, seenKeys } from '../harness/s3.ts';
import { plainEnvironment, tools } from '../harness/tools.ts';
import { useServer } from '../harness/use-server.ts';

const used = useServer();
const endpoint = () => `http://localhost:${used.place.ports.api}`;
const zeros = (n: number) => createHash('sha256').update(Buffer.alloc(n)).digest('hex');
beforeAll(async () => {
  await makeBucket(s3Client(used.place), 'shared');
});

describe('boto3', () => {
  type Call = readonly [operation: string, parameters: object];
  const boto = (calls: readonly Call[], more: object = {}) =>
    runClient<readonly { readonly result?: Record<string, unknown>; readonly error?: string }[]>(
      '../bucket/boto.py',
      { client: { endpoint: endpoint(), ...rootKey(used.place), ...more }, calls },
    );

  test('makes a bucket, works in it and removes it', async () => {
    const b = { Bucket: 'boto' };
    const o = { ...b, Key: 'dags/ü a.py' };
    const copy = { ...b, Key: 'copy', CopySource: { ...b, Key: o.Key } };
    const calls: Call[] = [
      ['create_bucket', b],
      ['head_bucket', b],
      ['get_bucket_location', b],
      [
        'put_object',
        {
          ...o,
          Body: { $bytes: 'one' },
          Metadata: { by: 'boto' },
          Tagging: 'a=1',
          ChecksumAlgorithm: 'SHA256',
        },
      ],
      ['get_object', { ...o, ChecksumMode: 'ENABLED' }],
      ['get_object', { ...o, Range: 'bytes=1-' }],
      ['get_object', { ...o, IfNoneMatch: { $of: 3, path: ['ETag'] } }],
      ['copy_object', copy],
      ['put_object_tagging', { ...b, Key: 'copy', Tagging: { TagSet: [{ Key: 'b', Value: '2' }] } }],
      ['get_object_tagging', { ...b, Key: 'copy' }],
      ['list_objects_v2', { ...b, Delimiter: '/' }],
      ['list_object_versions', b],
      ['delete_objects', { ...b, Delete: { Objects: [{ Key: 'copy' }, { Key: o.Key }] } }],
      ['get_bucket_versioning', b],
      ['delete_bucket', b],
      ['get_object', o],
    ];
    const answers = await boto(calls);
    const failed = answers.flatMap(({ error }, n) => (error ? [[calls[n]?.[0], error]] : []));
    expect(failed).toEqual([
      ['get_object', '304 304'],
      ['get_object', '404 NoSuchBucket'],
    ]);
    const results = answers.map(({ result }) => result);
    expect(results[2]?.['LocationConstraint']).toBeNull();
    const sum = createHash('sha256').update('one').digest('base64');
    expect(results[4]).toMatchObject({
      ...{ Body: { text: 'one' }, Metadata: { by: 'boto' }, TagCount: 1, ChecksumSHA256: sum },
    });
    expect(results[5]).toMatchObject({ Body: { text: 'ne' }, ContentRange: 'bytes 1-2/3' });
    expect(results[9]).toMatchObject({ TagSet: [{ Key: 'b', Value: '2' }] });
    expect(results[10]).toMatchObject({ CommonPrefixes: [{ Prefix: 'dags/' }], KeyCount: 2 });
    expect(results[12]).toMatchObject({ Deleted: [{ Key: 'copy' }, { Key: o.Key }] });
    expect(results[13]?.['Status']).toBeUndefined();
  });

  test('sends and fetches a large object in parts', async () => {
    const o = { Bucket: 'shared', Key: 'large' };
    const size = 20 * 1024 * 1024 + 5;
    const answers = await boto([
      [
        'upload',
        {
          ...o,
          Body: { $zeros: size },
          ExtraArgs: { Metadata: { by: 'boto' }, ChecksumAlgorithm: 'SHA1' },
        },
      ],
      ['head_object', { ...o, ChecksumMode: 'ENABLED' }],
      ['download', o],
    ]);
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(answers[1]?.result).toMatchObject({
      ...{ ContentLength: size, Metadata: { by: 'boto' }, ETag: expect.stringMatching(/-3"$/) },
      ChecksumSHA1: expect.stringMatching(/-3$/),
    });
    expect(answers[2]?.result).toEqual({ size, sha256: zeros(size) });
  });

  test('makes links that a browser opens and fills; those of Signature Version 2 are refused with the way out', async () => {
    const o = { Bucket: 'shared', Key: 'linked ü' };
    const sign = (operation: string, more: object = {}): Call => [
      ...(['presign', { operation, parameters: { ...o, ...more } }] as const),
    ];
    const [put, get, named] = (
      await boto([
        sign('put_object'),
        sign('get_object'),
        sign('get_object', { ResponseContentType: 'text/x' }),
      ])
    ).map(({ result }) => String(result).replace(endpoint(), ''));
    const open = (path = '', more: object = {}) => plainCall(used.place, { path, ...more });
    expect((await open(put, { method: 'PUT', body: 'by link' })).status).toBe(200);
    expect(await open(get)).toMatchObject({ status: 200, text: 'by link' });
    expect((await open(named)).headers).toMatchObject({ 'content-type': 'text/x' });
    for (const other of [
      get?.replace('linked', 'other'),
      get?.replace('Expires=60', 'Expires=61'),
      `${get}&x=1`,
    ])
      expect(await open(other)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect((await open(get, { method: 'DELETE' })).code).toBe('SignatureDoesNotMatch');
    const [old] = await boto([sign('get_object')], { signature: 's3' });
    const refused = await open(String(old?.result).replace(endpoint(), ''));
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('AWS4-HMAC-SHA256')]);
  });
});

describe('aws cli', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(used.place.folder, 'cli-'));
    writeFileSync(
      join(folder, 'config'),
      '[default]\nregion = us-east-1\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n',
    );
  });
  const aws = async (...words: readonly string[]) => {
    const { accessKeyId, secretAccessKey } = rootKey(used.place);
    const env = {
      ...plainEnvironment('/nonexistent'),
      ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_MAX_ATTEMPTS: '1' },
      ...{ AWS_ENDPOINT_URL_S3: endpoint(), AWS_CONFIG_FILE: join(folder, 'config') },
    };
    return runProgram(join(tools().clients, 'bin', 'aws'), words, { env, cwd: folder });
  };
  const good = async (...words: readonly string[]) => {
    const ran = await aws(...words);
    expect([words.join(' '), ran.code, ran.stderr]).toEqual([words.join(' '), 0, '']);
    return ran.stdout;
  };

  test('s3 mb, sync, ls, cp, mv, presign, rm and rb', async () => {
    mkdirSync(join(folder, 'tree', 'dags'), { recursive: true });
    writeFileSync(join(folder, 'tree', 'dags', 'a.py'), 'a');
    writeFileSync(join(folder, 'tree', 'dags', 'b ü+.py'), 'b');
    writeFileSync(join(folder, 'large'), Buffer.alloc(9 * 1024 * 1024 + 1));
    await good('s3', 'mb', 's3://cli');
    await good('s3', 'sync', 'tree', 's3://cli/', '--no-progress');
    expect(seenKeys(used.place, 'cli')).toEqual(['dags/a.py', 'dags/b ü+.py']);
    writeFileSync(join(folder, 'tree', 'dags', 'a.py'), 'changed');
    expect(await good('s3', 'sync', 'tree', 's3://cli/', '--no-progress')).toContain('a.py');
    expect(await good('s3', 'ls', 's3://cli/dags/')).toMatch(/ 7 a\.py\n/);
    await good('s3', 'cp', 'large', 's3://cli/large', '--no-progress');
    await good('s3', 'mv', 's3://cli/large', 's3://cli/moved', '--no-progress');
    await good('s3', 'cp', 's3://cli/moved', 'fetched', '--no-progress');
    expect(readFileSync(join(folder, 'fetched')).length).toBe(9 * 1024 * 1024 + 1);
    const url = (await good('s3', 'presign', 's3://cli/dags/a.py')).trim();
    expect(await plainCall(used.place, { path: url.replace(endpoint(), '') })).toMatchObject({
      text: 'changed',
    });
    await good('s3', 'rm', 's3://cli', '--recursive');
    expect(seenKeys(used.place, 'cli')).toEqual([]);
    await good('s3', 'cp', 'config', 's3://cli/config');
    expect((await aws('s3', 'rb', 's3://cli')).stderr).toContain('BucketNotEmpty');
    await good('s3', 'rb', 's3://cli', '--force');
    expect((await aws('s3', 'ls', 's3://cli')).stderr).toContain('NoSuchBucket');
  });

  test('s3api', async () => {
    const on = ['--bucket', 'shared', '--key', 'api'];
    await good(
      's3api',
      'put-object',
      ...on,
      '--body',
      'config',
      '--metadata',
      'by=cli',
      '--checksum-algorithm',
      'CRC32',
    );
    const head = JSON.parse(await good('s3api', 'head-object', ...on));
    expect(head).toMatchObject({ Metadata: { by: 'cli' }, VersionId: expect.any(String) });
    await good('s3api', 'get-object', ...on, '--range', 'bytes=0-8', 'part');
    expect(readFileSync(join(folder, 'part'), 'utf8')).toBe('[default]');
    await good('s3api', 'delete-object', ...on);
    expect(seen(used.place, 'shared', 'api')).toBeUndefined();
    const refused = await aws('s3api', 'get-object', ...on, 'none');
    expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining('(NoSuchKey)')]);
  });
});
