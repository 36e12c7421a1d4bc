// Every operation over real AWS clients, unmodified: boto3, the aws cli, the SDKs for JavaScript and Go.
// Airflow is trivial here, everything else is real.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import {
  CreateCliTokenCommand,
  CreateEnvironmentCommand,
  CreateWebLoginTokenCommand,
  DeleteEnvironmentCommand,
  GetEnvironmentCommand,
  ListEnvironmentsCommand,
  ListTagsForResourceCommand,
  MWAAClient,
  PublishMetricsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEnvironmentCommand,
} from '@aws-sdk/client-mwaa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putDag } from '../harness/dags.ts';
import { buildGoClient, hasGo } from '../harness/go.ts';
import { hasOwnHosts, OwnHosts } from '../harness/hosts.ts';
import { type Call, Mwaa, newEnvironment, rootKey } from '../harness/mwaa.ts';
import { python, runProgram } from '../harness/python.ts';
import { Rig } from '../harness/rig.ts';
import { plainEnvironment, tools, windsockProgram } from '../harness/tools.ts';
import { runWindsock } from '../harness/windsock.ts';

const withdrawn = 'This API is for internal use and not meant for public use, and is no longer available.';
const runId = 'manual__2026-01-01T00:00:00+00:00';
const wireRunId = 'manual__2026-01-01T00%3A00%3A00%2B00%3A00';
const metrics = { EnvironmentName: 'demo', MetricData: [{ MetricName: 'a', Timestamp: 1 }] };

let rig: Rig;
let arn: string;
let mwaa: Mwaa;

beforeAll(async () => {
  rig = await Rig.make();
  mwaa = new Mwaa(rig.place);
  await rig.create('demo', '3.3.1');
  arn = (await rig.available('demo')).Arn;
  for (const client of ['boto', 'cli', 'js', 'go']) putDag(rig.place, `demo-${client}`, 'dag.py', 'pass\n');
});
afterAll(() => rig?.remove());

/** Waits for the environment, so that it can be deleted. */
const available = async (name: string) => {
  await rig.available(name);
  return name;
};

/** A request of UpdateEnvironment whose value tells who made it. */
const change = (by: string) => ({
  AirflowConfigurationOptions: { 'core.changed_by': by },
  WeeklyMaintenanceWindowStart: 'TUE:02:30',
});

/** It happened, and GetEnvironment says so. */
const changed = async (name: string, by: string) => {
  expect(await rig.becomes(name, 'AVAILABLE')).toMatchObject(change(by));
};

/** What `windsock env` sets, over an environment that knows no authority of this machine. */
const shell = async (): Promise<Record<string, string>> => {
  const ran = await runWindsock(rig.place, ['env', '--json'], { home: rig.place.folder });
  const trust = /^(SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS)$/;
  const plain = Object.entries(plainEnvironment('/nonexistent')).filter(([name]) => !trust.test(name));
  return { ...Object.fromEntries(plain), ...JSON.parse(ran.stdout) };
};

describe('programs that are no AWS clients, after windsock env', () => {
  test.each([
    ['curl', 'curl', ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}']],
    [
      'Python requests',
      'python',
      ['-c', 'import requests, sys; print(requests.get(sys.argv[1]).status_code)'],
    ],
    [
      'Python urllib',
      'python',
      [
        '-c',
        'import urllib.request as u, urllib.error as e, sys\ntry: u.urlopen(sys.argv[1])\nexcept e.HTTPError as error: print(error.code)',
      ],
    ],
    ['Node', 'node', ['-e', 'fetch(process.argv[1]).then(({ status }) => console.log(status))']],
  ])('%s trusts the address of an environment', async (_, name, args) => {
    const programs = new Map([
      ['python', python()],
      ['node', process.execPath],
    ]);
    const { WebserverUrl } = await rig.available('demo');
    const page = `https://${WebserverUrl}/api/v2/version`;
    const program = programs.get(name) ?? name;
    const ran = await runProgram(program, [...args, page], { env: await shell() });
    expect([ran.stdout.trim(), ran.stderr]).toEqual(['401', '']);
    const { CURL_CA_BUNDLE, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, ...without } =
      await shell();
    const refused = await runProgram(program, [...args, page], { env: without });
    expect([refused.code === 0, refused.stdout.includes('401')]).toEqual([false, false]);
    // these replace the trust store of a program: what is public must be in them
    const [first = ''] = rootCertificates;
    for (const file of [CURL_CA_BUNDLE, SSL_CERT_FILE, REQUESTS_CA_BUNDLE])
      expect(readFileSync(file ?? '', 'utf8').replaceAll(/\s/g, '')).toContain(first.replaceAll(/\s/g, ''));
    expect(NODE_EXTRA_CA_CERTS).toBeDefined();
  });
});

describe('boto3', () => {
  test('calls every operation', async () => {
    const body = { conf: { id: '12345678901234567890', pi: '3.14' }, note: 'ü' };
    const calls: Call[] = [
      ['create_environment', { ...newEnvironment(rig.place, 'demo-boto', '3.3.1'), Tags: { by: 'boto' } }],
      ['get_environment', { Name: 'demo-boto' }],
      ['list_environments', { MaxResults: 25 }],
      ['tag_resource', { ResourceArn: arn, Tags: { boto: '1', 'a b': 'x+y=z @:/' } }],
      ['untag_resource', { ResourceArn: arn, tagKeys: ['boto', 'nobody has it'] }],
      ['list_tags_for_resource', { ResourceArn: arn }],
      ['create_cli_token', { Name: 'demo' }],
      ['create_web_login_token', { Name: 'demo' }],
      ['invoke_rest_api', { Name: 'demo', Path: '/dags', Method: 'GET', Body: {}, QueryParameters: {} }],
      [
        'invoke_rest_api',
        {
          Name: 'demo',
          Path: `/echo/${runId}`,
          Method: 'POST',
          Body: body,
          QueryParameters: { a: [1, true] },
        },
      ],
    ];
    const answers = await mwaa.calls(calls);
    expect(answers.map(({ error }) => error)).toEqual(calls.map(() => undefined));
    const results = answers.map(({ result }) => result as Record<string, unknown>);
    expect(results[0]).toMatchObject({ Arn: expect.stringMatching(/environment\/demo-boto$/) });
    expect(results[1]).toMatchObject({ Environment: { Name: 'demo-boto', Tags: { by: 'boto' } } });
    expect(results[2]).toMatchObject({ Environments: ['demo', 'demo-boto'] });
    expect(results[5]).toMatchObject({ Tags: { 'a b': 'x+y=z @:/' } });
    expect(results[6]).toMatchObject({ CliToken: expect.stringMatching(/^ey/) });
    expect(results[7]).toMatchObject({ WebToken: expect.stringMatching(/^ey/), IamIdentity: 'root' });
    expect(results[8]).toMatchObject({
      RestApiStatusCode: 200,
      RestApiResponse: { dags: [], total_entries: 0 },
    });
    const { RestApiResponse: echo } = results[9] as { RestApiResponse: Record<string, string> };
    expect(echo).toMatchObject({ method: 'POST', target: `/api/v2/echo/${wireRunId}?a=1&a=true` });
    expect(JSON.parse(echo['body'] ?? '')).toEqual(body);
    await available('demo-boto');
    await mwaa.call('update_environment', { Name: 'demo-boto', ...change('boto') });
    await changed('demo-boto', 'boto');
    await mwaa.call('delete_environment', { Name: 'demo-boto' });
  });

  test('gets the exceptions of the model', async () => {
    const rest = (Path: string): Call => ['invoke_rest_api', { Name: 'demo', Path, Method: 'GET' }];
    const answers = await mwaa.calls([
      rest('/missing'),
      rest('/broken'),
      rest('/../x'),
      ['publish_metrics', metrics],
      ['list_tags_for_resource', { ResourceArn: `${arn}x` }],
      ['untag_resource', { ResourceArn: arn, tagKeys: ['aws:x'] }],
    ]);
    expect(answers.map(({ error }) => [error?.status, error?.Code])).toEqual([
      [400, 'RestApiClientException'],
      [400, 'RestApiServerException'],
      [400, 'ValidationException'],
      [400, 'ValidationException'],
      [404, 'ResourceNotFoundException'],
      [400, 'ValidationException'],
    ]);
    expect(answers.slice(0, 2).map(({ error }) => error?.Message)).toEqual([
      'Airflow answered 404 Not Found: there is none',
      'Airflow answered 500 Internal Server Error',
    ]);
    expect(answers[0]?.error?.members).toEqual({
      RestApiStatusCode: 404,
      RestApiResponse: { detail: 'there is none' },
    });
    expect(answers[1]?.error?.members).toEqual({
      RestApiStatusCode: 500,
      RestApiResponse: '<h1>oh</h1>',
    });
    expect(answers[3]?.error?.Message).toBe(withdrawn);
  });
});

describe('teams', () => {
  const team = (DagS3Path: string) => ({ SourceBucketArn: 'arn:aws:s3:::demo-boto', DagS3Path });
  const update = (Teams: object) => mwaa.call('update_environment', { Name: 'teams', Teams });
  const teams = async (now: object | undefined) => {
    await available('teams');
    const { Environment: e } = await mwaa.call<{ Environment: { Teams?: object } }>('get_environment', {
      Name: 'teams',
    });
    expect(e.Teams).toEqual(now);
  };

  test('are added, changed, removed, and read back by boto3 each time', async () => {
    for (const folder of ['one', 'two', 'new'])
      putDag(rig.place, 'demo-boto', `../${folder}/dag.py`, 'pass\n');
    await mwaa.call('create_environment', {
      ...newEnvironment(rig.place, 'demo-boto', '3.3.1'),
      Name: 'teams',
      IdentityCenterConfiguration: { StartUrl: 'https://example.awsapps.com/start' },
      Teams: { one: team('one/'), two: team('two/') },
    });
    await teams({ one: team('one/'), two: team('two/') });
    await update({ AddOrUpdate: { two: team('new/') }, Remove: ['one'] });
    await teams({ two: team('new/') });
    const refused: readonly [object, string][] = [
      [{ Remove: ['one'] }, 'Teams.Remove names one, which is no team of the environment'],
      [{ AddOrUpdate: { two: team('two/') }, Remove: ['two'] }, 'in AddOrUpdate and in Remove'],
      [{ AddOrUpdate: { six: team('dags/six/') } }, 'overlap'],
      [{ AddOrUpdate: { six: team('nowhere/') } }, 'nowhere'],
    ];
    for (const [Teams, why] of refused)
      expect(await mwaa.fault('update_environment', { Name: 'teams', Teams })).toMatchObject({
        Code: 'ValidationException',
        Message: expect.stringContaining(why),
      });
    await update({ Remove: ['two'] });
    await teams(undefined);
    await mwaa.call('delete_environment', { Name: 'teams' });
  });
});

describe('aws cli', () => {
  const aws = async (...words: readonly string[]) => {
    const { accessKeyId, secretAccessKey } = rootKey(rig.place);
    const env = {
      ...plainEnvironment('/nonexistent'),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_MWAA: `http://localhost:${rig.place.ports.api}`,
      AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
      AWS_MAX_ATTEMPTS: '1',
    };
    const ran = await runProgram(join(tools().clients, 'bin', 'aws'), ['mwaa', ...words], { env });
    return { ...ran, json: ran.stdout.trim() === '' ? undefined : (JSON.parse(ran.stdout) as unknown) };
  };
  const good = async (...words: readonly string[]) => {
    const ran = await aws(...words);
    expect(ran.code, `${words[0]}: ${ran.stderr}`).toBe(0);
    return ran.json;
  };

  test('calls every operation', async () => {
    const request = newEnvironment(rig.place, 'demo-cli', '3.3.1', { Tags: { by: 'cli' } });
    await good('create-environment', '--cli-input-json', JSON.stringify(request));
    expect(await good('get-environment', '--name', 'demo-cli')).toMatchObject({
      Environment: { Tags: { by: 'cli' } },
    });
    expect(await good('list-environments')).toMatchObject({
      Environments: expect.arrayContaining(['demo-cli']),
    });
    await good('tag-resource', '--resource-arn', arn, '--tags', 'cli=1,team=a b');
    await good('untag-resource', '--resource-arn', arn, '--tag-keys', 'cli', 'nobody');
    expect(await good('list-tags-for-resource', '--resource-arn', arn)).toMatchObject({
      Tags: { team: 'a b' },
    });
    expect(await good('create-cli-token', '--name', 'demo')).toHaveProperty('CliToken');
    expect(await good('create-web-login-token', '--name', 'demo')).toHaveProperty('WebToken');
    const call = ['invoke-rest-api', '--name', 'demo', '--method', 'POST', '--path', `/echo/${runId}`];
    expect(await good(...call, '--body', '{"a": 1}', '--query-parameters', '{"limit": 5}')).toEqual({
      RestApiStatusCode: 200,
      // the bytes of the client
      RestApiResponse: { method: 'POST', target: `/api/v2/echo/${wireRunId}?limit=5`, body: '{"a": 1}' },
    });
    await available('demo-cli');
    await good('update-environment', '--name', 'demo-cli', '--cli-input-json', JSON.stringify(change('cli')));
    await changed('demo-cli', 'cli');
    await good('delete-environment', '--name', 'demo-cli');
  });

  test('names the exceptions', async () => {
    const missing = await aws(
      ...['invoke-rest-api', '--name', 'demo', '--method', 'GET', '--path', '/missing'],
    );
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain(
      'An error occurred (RestApiClientException) when calling the InvokeRestApi operation: Airflow answered 404 Not Found: there is none',
    );
    const gone = await aws(
      ...['publish-metrics', '--environment-name', 'demo'],
      ...['--metric-data', JSON.stringify(metrics.MetricData)],
    );
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toContain(`(ValidationException)`);
    expect(gone.stderr).toContain(withdrawn);
  });
});

// The newest version that can be had has no InvokeRestApi.
describe('AWS SDK for JavaScript v3', () => {
  test('calls every operation that it has', async () => {
    const { accessKeyId, secretAccessKey } = rootKey(rig.place);
    const client = new MWAAClient({
      endpoint: `http://localhost:${rig.place.ports.api}`,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      disableHostPrefix: true,
      maxAttempts: 1,
    });
    const request = newEnvironment(rig.place, 'demo-js', '3.3.1', { Tags: { by: 'js' } });
    type CreateInput = ConstructorParameters<typeof CreateEnvironmentCommand>[0];
    await client.send(new CreateEnvironmentCommand(request as unknown as CreateInput));
    const { Environment } = await client.send(new GetEnvironmentCommand({ Name: 'demo-js' }));
    expect(Environment).toMatchObject({ Name: 'demo-js', Tags: { by: 'js' } });
    expect(Environment?.CreatedAt).toBeInstanceOf(Date);
    const { Environments } = await client.send(new ListEnvironmentsCommand({ MaxResults: 25 }));
    expect(Environments).toContain('demo-js');
    await client.send(new TagResourceCommand({ ResourceArn: arn, Tags: { js: '1', 'a b': 'c' } }));
    await client.send(new UntagResourceCommand({ ResourceArn: arn, tagKeys: ['js', 'nobody'] }));
    const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn: arn }));
    expect(Tags).toMatchObject({ 'a b': 'c' });
    expect(Tags).not.toHaveProperty('js');
    expect(await client.send(new CreateCliTokenCommand({ Name: 'demo' }))).toHaveProperty('CliToken');
    expect(await client.send(new CreateWebLoginTokenCommand({ Name: 'demo' }))).toHaveProperty('WebToken');
    const metric = { MetricName: 'a', Timestamp: new Date(0) };
    await expect(
      client.send(new PublishMetricsCommand({ EnvironmentName: 'demo', MetricData: [metric] })),
    ).rejects.toMatchObject({ name: 'ValidationException', message: withdrawn });
    await available('demo-js');
    await client.send(new UpdateEnvironmentCommand({ Name: 'demo-js', ...change('js') }));
    await changed('demo-js', 'js');
    await client.send(new DeleteEnvironmentCommand({ Name: 'demo-js' }));
    await expect(client.send(new GetEnvironmentCommand({ Name: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'No environment named nobody found.',
    });
  });
});

// compiling it takes a minute of both cores
describe.runIf(hasGo && process.env['WINDSOCK_TEST_FULL'] === '1')('AWS SDK for Go v2', () => {
  test('calls every operation, over the hosts that it makes of the endpoint', {
    timeout: 900_000,
  }, async () => {
    const program = await buildGoClient();
    const { SourceBucketArn, DagS3Path, ExecutionRoleArn } = newEnvironment(rig.place, 'demo-go');
    const create = { SourceBucketArn, DagS3Path, ExecutionRoleArn, SubnetIds: ['subnet-a', 'subnet-b'] };
    const { accessKeyId, secretAccessKey } = rootKey(rig.place);
    const { WebserverUrl } = await rig.available('demo');
    const order = {
      endpoint: `http://localhost:${rig.place.ports.api}`,
      region: 'us-east-1',
      ...{ accessKeyId, secretAccessKey, name: 'demo', arn, create },
      ...{ page: `https://${WebserverUrl}/api/v2/version`, resolveLocally: !hasOwnHosts },
    };
    const folder = join(rig.place.folder, 'hosts');
    mkdirSync(folder);
    const hosts = new OwnHosts(folder, '127.0.0.1 localhost\n');
    const trust = [windsockProgram('cli/main'), 'trust', '--hosts', '--yes'];
    if (hasOwnHosts) {
      const added = await runProgram(...hosts.around(process.execPath, trust));
      expect(added.code, added.stderr).toBe(0);
    }
    const [runs, args] = hasOwnHosts ? hosts.around(program, []) : [program, []];
    const ran = await runProgram(runs, args, { input: JSON.stringify(order), env: await shell() });
    expect(ran.code, ran.stderr).toBe(0);
    const answers = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(answers).toMatchObject({
      Page: { result: 401 },
      CreateEnvironment: { result: { Arn: expect.stringMatching(/environment\/demo-go$/) } },
      GetEnvironment: { result: { Environment: { Name: 'demo-go', Tags: { by: 'go' } } } },
      ListEnvironments: { result: { Environments: expect.arrayContaining(['demo-go']) } },
      UpdateEnvironment: { result: { Arn: arn } },
      DeleteEnvironment: { error: { code: 'ResourceNotFoundException', status: 404 } },
      TagResource: { result: {} },
      UntagResource: { result: {} },
      ListTagsForResource: { result: { Tags: { 'a b': 'x+y=z @:/' } } },
      CreateCliToken: { result: { CliToken: expect.stringMatching(/^ey/) } },
      CreateWebLoginToken: { result: { WebToken: expect.stringMatching(/^ey/), AirflowIdentity: 'root' } },
      InvokeRestApi: {
        result: {
          RestApiStatusCode: 200,
          RestApiResponse: {
            method: 'POST',
            target: `/api/v2/echo/${wireRunId}?limit=5&tags=a&tags=b`,
            body: '{"note":"x"}',
          },
        },
      },
      'InvokeRestApi missing': {
        error: {
          code: 'RestApiClientException',
          status: 400,
          restApiStatusCode: 404,
          restApiResponse: { detail: 'there is none' },
        },
      },
      PublishMetrics: { error: { code: 'ValidationException', status: 400, message: withdrawn } },
    });
    await changed('demo', 'go');
  });
});
