// The API as AWS clients see it. No Airflow runs here: the package index is a port where nobody listens, so an
// environment stays CREATING, with the cause in LastUpdate.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { putDag, sayingDag } from '../harness/dags.ts';
import { type Environment, Mwaa, newEnvironment, rootKey } from '../harness/mwaa.ts';
import { type RawAnswer, send, signed } from '../harness/raw.ts';
import { leftOvers, type Place, type Running, serverLog, stopServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

let place: Place;
let server: Running;
let mwaa: Mwaa;

const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';
const deadIndex = {
  UV_INDEX_URL: 'http://127.0.0.1:9/simple',
  UV_DEFAULT_INDEX: 'http://127.0.0.1:9/simple',
};

const used = useServer({ args: ['--creation-minutes', '1'], env: deadIndex });
beforeAll(async () => {
  ({ place, server } = used);
  mwaa = new Mwaa(place);
  for (const bucket of ['one', 'two', 'three']) putDag(place, bucket, 'a.py', sayingDag('a', 'a'));
});

const expectFault = (answer: RawAnswer, status: number, code: string): void => {
  expect(
    { status: answer.status, header: answer.errorType, type: answer.body['__type'] },
    JSON.stringify(answer.body),
  ).toEqual({
    status,
    header: code,
    type: code,
  });
  expect(String(answer.body['message'] ?? answer.body['Message'])).not.toBe('');
};
const messageOf = (answer: RawAnswer): string => String(answer.body['message'] ?? answer.body['Message']);

describe('who is calling', () => {
  const list = '/environments';

  test('a request signed by another implementation is believed', async () => {
    expect(await signed(place, { path: list })).toMatchObject({ status: 200, body: { Environments: [] } });
  });

  test('no signature: MissingAuthenticationTokenException', async () => {
    const headers = { host: `localhost:${place.ports.api}` };
    expectFault(
      await send(place, { method: 'GET', path: list, headers }),
      403,
      'MissingAuthenticationTokenException',
    );
  });

  test('six minutes old: InvalidSignatureException that says so', async () => {
    const when = new Date(Date.now() - 6 * 60_000).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
    const answer = await signed(place, { path: list, headers: { 'X-Amz-Date': when } });
    expectFault(answer, 403, 'InvalidSignatureException');
    expect(messageOf(answer)).toMatch(/^Signature expired: \d{8}T\d{6}Z is now earlier than/);
  });

  test('six minutes ahead: InvalidSignatureException that says so', async () => {
    const when = new Date(Date.now() + 6 * 60_000).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
    const answer = await signed(place, { path: list, headers: { 'X-Amz-Date': when } });
    expectFault(answer, 403, 'InvalidSignatureException');
    expect(messageOf(answer)).toMatch(/^Signature not yet current/);
  });

  test('a key nobody has: UnrecognizedClientException', async () => {
    const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: rootKey(place).secretAccessKey };
    expectFault(await signed(place, { path: list, key }), 403, 'UnrecognizedClientException');
  });

  test('a wrong secret: InvalidSignatureException, and nothing of it in answer or log', async () => {
    const key = { accessKeyId: rootKey(place).accessKeyId, secretAccessKey: 'not-the-secret' };
    const answer = await signed(place, { path: list, key });
    expectFault(answer, 403, 'InvalidSignatureException');
    expect(messageOf(answer)).toMatch(/does not match the signature you provided/);
  });

  test.for([
    ['another region', { region: 'eu-west-1' }, /valid region, not 'eu-west-1'/],
    ['another service', { service: 'ec2' }, /correct service: 'airflow'/],
  ] as const)('signed for %s: InvalidSignatureException that names it', async ([, scope, text]) => {
    const answer = await signed(place, { path: list, ...scope });
    expectFault(answer, 403, 'InvalidSignatureException');
    expect(messageOf(answer)).toMatch(text);
  });

  test('any change after signing is refused', async () => {
    const changes: readonly ((headers: Record<string, string | number>) => void)[] = [
      (h) => {
        h['X-Amz-Date'] = String(h['X-Amz-Date']).replace(/\dZ$/, (end) => `${(Number(end[0]) + 1) % 10}Z`);
      },
      (h) => {
        h['Host'] = 'localhost:1';
      },
      (h) => {
        h['Authorization'] = String(h['Authorization']).replace(/[0-9a-f]$/, (end) =>
          end === '0' ? '1' : '0',
        );
      },
      (h) => {
        h['X-Amz-Target'] = 'added';
      },
    ];
    for (const tamper of changes)
      expectFault(await signed(place, { path: list, tamper }), 403, 'InvalidSignatureException');
  });

  test('boto3 gets in with and without the host prefix', async () => {
    const plain = await new Mwaa(place, { injectHostPrefix: false }).call('list_environments');
    expect(plain).toMatchObject({ Environments: [] });
    const prefixed = new Mwaa(place, { injectHostPrefix: true, resolveLocally: true });
    expect(await prefixed.call('list_environments')).toMatchObject({ Environments: [] });
    expect((await prefixed.fault('create_cli_token', { Name: 'nobody' })).Code).toBe(
      'ResourceNotFoundException',
    );
  });
});

describe('bad requests', () => {
  const put = (name: string, body: unknown) =>
    signed(place, {
      method: 'PUT',
      path: `/environments/${name}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const good = (name: string, version = '3.3.1', bucket = 'one') => {
    const { Name: _, ...rest } = newEnvironment(place, name, version);
    return { ...rest, SourceBucketArn: `arn:aws:s3:::${bucket}` };
  };

  test.for(['{"SourceBucketArn":', 'DagS3Path=dags', '[1]', '"text"'])(
    'a body that is not a JSON object: %s',
    async (body) => {
      const answer = await put('bad', body);
      expect(answer.status).toBe(400);
      expect(['SerializationException', 'ValidationException']).toContain(answer.errorType);
    },
  );

  test('an unknown Airflow version: the answer names the ones that work', async () => {
    const answer = await put('bad', good('bad', '2.99.0'));
    expectFault(answer, 400, 'ValidationException');
    expect(messageOf(answer)).toMatch(/2\.99\.0/);
    expect(messageOf(answer)).toMatch(/2\.7\.2.*3\.3\.1|3\.3\.1.*2\.7\.2/);
  });

  test.for(['1env', 'a.b', 'a%20b', '-x', 'x'.repeat(81)])('a name against the pattern: %s', async (name) => {
    const answer = await put(name, good(name));
    expectFault(answer, 400, 'ValidationException');
    expect(messageOf(answer)).toMatch(/name/i);
  });

  test('a required member is missing: the answer names it', async () => {
    const { DagS3Path: _, ...body } = good('bad') as Record<string, unknown>;
    const answer = await put('bad', body);
    expectFault(answer, 400, 'ValidationException');
    expect(messageOf(answer)).toMatch(/dagS3Path/i);
  });

  test('a bucket that is not there: the answer names it', async () => {
    const answer = await put('bad', good('bad', '3.3.1', 'no-such-bucket'));
    expectFault(answer, 400, 'ValidationException');
    expect(messageOf(answer)).toContain('no-such-bucket');
  });

  test('a folder that is not in the bucket: the answer names it', async () => {
    mkdirSync(join(place.data, 'buckets', 'empty'), { recursive: true });
    const answer = await put('bad', good('bad', '3.3.1', 'empty'));
    expectFault(answer, 400, 'ValidationException');
    expect(messageOf(answer)).toContain('dags');
  });

  test('bad requests leave nothing behind', async () => {
    expect((await mwaa.call<{ Environments: string[] }>('list_environments')).Environments).toEqual([]);
  });

  test('an operation that does not exist: UnknownOperationException', async () => {
    expectFault(await signed(place, { path: '/nothing' }), 404, 'UnknownOperationException');
    expectFault(
      await signed(place, { path: '/environments', method: 'POST', body: '{}' }),
      404,
      'UnknownOperationException',
    );
  });

  test.for(['get_environment', 'delete_environment', 'create_cli_token', 'create_web_login_token'])(
    '%s of an environment that is not there: ResourceNotFoundException',
    async (operation) => {
      const fault = await mwaa.fault(operation, { Name: 'nobody' });
      expect(fault).toMatchObject({ Code: 'ResourceNotFoundException', status: 404 });
      expect(fault.headers['x-amzn-errortype']).toBe('ResourceNotFoundException');
      expect(fault.Message).toContain('nobody');
    },
  );
});

describe('environments that wait for the package index', () => {
  test('the cause is visible in LastUpdate while the environment is CREATING', async () => {
    await mwaa.call('create_environment', newEnvironment(place, 'two', '2.7.2'));
    const e = await until('the cause', 60, async () => {
      const { Environment: found } = await mwaa.call<{ Environment: Environment }>('get_environment', {
        Name: 'two',
      });
      return found.LastUpdate.Error ? found : undefined;
    });
    expect(e.Status).toBe('CREATING');
    expect(e.LastUpdate.Status).toBe('PENDING');
    expect(e.LastUpdate.Error?.ErrorMessage).toMatch(/127\.0\.0\.1/);
  });

  test('a name that is taken: ValidationException', async () => {
    const fault = await mwaa.fault('create_environment', newEnvironment(place, 'two', '2.7.2'));
    expect(fault).toMatchObject({ Code: 'ValidationException', status: 400 });
    expect(fault.Message).toMatch(/two already exists/);
  });

  test('DeleteEnvironment while CREATING is refused in the words of AWS', async () => {
    const fault = await mwaa.fault('delete_environment', { Name: 'two' });
    expect(fault.Code).toBe('ValidationException');
    expect(fault.Message).toContain('Environments with CREATING status must complete previous operation');
  });

  test('names come page by page', async () => {
    await mwaa.call('create_environment', newEnvironment(place, 'one', '2.7.2'));
    await mwaa.call('create_environment', newEnvironment(place, 'three', '2.7.2'));
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await mwaa.call<{ Environments: string[]; NextToken?: string }>('list_environments', {
        MaxResults: 2,
        ...(next === undefined ? {} : { NextToken: next }),
      });
      expect(page.Environments.length).toBeLessThanOrEqual(2);
      names.push(...page.Environments);
      next = page.NextToken;
    } while (next !== undefined && names.length < 10);
    expect(names).toEqual(['one', 'three', 'two']);
    expect((await mwaa.fault('list_environments', { NextToken: 'made-up' })).Code).toBe(
      'ValidationException',
    );
  });

  test('what was given is given back as it was', async () => {
    const { Environment: e } = await mwaa.call<{ Environment: Record<string, unknown> }>('get_environment', {
      Name: 'one',
    });
    const { Name, ...given } = newEnvironment(place, 'one', '2.7.2');
    expect(e).toMatchObject({ Name, ...given });
    expect(e['CreatedAt']).toBeGreaterThan(Date.now() / 1000 - 600);
  });

  // It waits two minutes for nothing to happen.
  test.runIf(isFull)(
    'at the deadline the creation is given up, with the reason; then it can be deleted',
    async () => {
      const { environment } = await mwaa.wait('two', 'CREATE_FAILED', 200);
      expect(environment).toMatchObject({ Status: 'CREATE_FAILED', LastUpdate: { Status: 'FAILED' } });
      expect(environment?.LastUpdate.Error?.ErrorMessage).toContain('127.0.0.1');
      await mwaa.call('delete_environment', { Name: 'two' });
      expect((await mwaa.wait('two', 'ResourceNotFoundException', 60)).error?.status).toBe(404);
    },
  );

  test('no secret is in the log; the stop is clean', async () => {
    const log = serverLog(place);
    expect(log).toContain('CreateEnvironment');
    expect(log).not.toContain(rootKey(place).secretAccessKey);
    expect(log).not.toContain('not-the-secret');
    expect(log).not.toMatch(/Signature=[0-9a-f]{16}/);
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
  });
});
