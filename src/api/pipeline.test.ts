import { describe, expect, test } from 'vitest';
import { SourceUnavailable } from '../environments/errors.ts';
import {
  available,
  call,
  create,
  createInput,
  fakeWorld,
  send,
  setRecord,
  signedHeaders,
} from './testing.ts';

describe('CreateEnvironment', () => {
  test('stores what was given with the defaults of AWS, audits with it, wakes the loop', async () => {
    const world = fakeWorld();
    const answer = await create(world, 'demo', {
      Tags: { a: 'b' },
      AirflowConfigurationOptions: { 'core.x': 'secret' },
      LoggingConfiguration: { WorkerLogs: { Enabled: true, LogLevel: 'ERROR' } },
    });
    expect(answer).toMatchObject({
      status: 200,
      json: { Arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo' },
    });
    const record = world.records.get('demo');
    expect(record?.id).toMatch(/^[a-z0-9]{12}$/);
    expect(record?.tags).toEqual({ a: 'b' });
    expect(record?.spec).toEqual({
      ...createInput,
      AirflowConfigurationOptions: { 'core.x': 'secret' },
      AirflowVersion: '3.3.1',
      EnvironmentClass: 'mw1.small',
      MinWorkers: 1,
      MaxWorkers: 10,
      Schedulers: 2,
      MinWebservers: 2,
      MaxWebservers: 2,
      WebserverAccessMode: 'PRIVATE_ONLY',
      EndpointManagement: 'SERVICE',
      WeeklyMaintenanceWindowStart: expect.stringMatching(
        /^(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30)$/,
      ),
      LoggingConfiguration: {
        DagProcessingLogs: { Enabled: false, LogLevel: 'INFO' },
        SchedulerLogs: { Enabled: false, LogLevel: 'INFO' },
        WebserverLogs: { Enabled: false, LogLevel: 'INFO' },
        WorkerLogs: { Enabled: true, LogLevel: 'ERROR' },
        TaskLogs: { Enabled: true, LogLevel: 'INFO' },
      },
    });
    expect(world.audited).toHaveLength(1);
    expect(world.audited[0]).toMatchObject({
      eventName: 'CreateEnvironment',
      inTransaction: true,
      environmentId: record?.id,
      userAgent: 'test/1',
      requestParameters: { Name: 'demo', AirflowConfigurationOptions: '***' },
    });
    expect(JSON.stringify(world.audited)).not.toContain('secret');
  });

  test.each([
    [
      { AirflowVersion: '1.10.12' },
      /^Invalid request provided: The support of AirflowVersion 1.10.12 has ended: .* Use one of 2.7.2, 2.11.0/,
    ],
    [{ EnvironmentClass: 'mw9' }, /EnvironmentClass mw9 is not known. Use one of mw1.micro, mw1.small/],
    [
      { MinWorkers: 5, MaxWorkers: 4 },
      'Invalid request provided: MinWorkers (5) is greater than MaxWorkers (4).',
    ],
    [
      { EnvironmentClass: 'mw1.micro', MaxWorkers: 2 },
      'Invalid request provided: MaxWorkers must be 1 for mw1.micro, not 2.',
    ],
    [{ Schedulers: 1 }, 'Invalid request provided: Schedulers must be from 2 to 5 for mw1.small, not 1.'],
    [{ Tags: { 'AWS:a': 'b' } }, /the tag key AWS:a begins with aws:, which is reserved for AWS/],
    [{ EnvironmentClass: '' }, /^1 validation error detected: Value '' at 'environmentClass'/],
  ])('refuses %j', async (change, message) => {
    const world = fakeWorld();
    const answer = await create(world, 'demo', change);
    expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
    expect(answer.json['message']).toMatch(message);
    expect(world.records.size).toBe(0);
    expect(world.audited).toMatchObject([{ errorCode: 'ValidationException' }]);
  });

  test('mw1.micro has one of each', async () => {
    const world = fakeWorld();
    await create(world, 'tiny', { EnvironmentClass: 'mw1.micro' });
    expect(world.records.get('tiny')?.spec).toMatchObject({
      MinWorkers: 1,
      MaxWorkers: 1,
      Schedulers: 1,
      MinWebservers: 1,
      MaxWebservers: 1,
    });
  });

  test('refuses a name that is taken, an eleventh environment, and a bucket that cannot be read', async () => {
    const world = fakeWorld();
    for (let i = 0; i < 10; i += 1) expect((await create(world, `e${i}`)).status).toBe(200);
    expect((await create(world, 'e0')).json['message']).toMatch(/^Environment with name e0 already exists/);
    expect((await create(world, 'e10')).json['message']).toMatch(/^The limit of 10 environments/);
    const checkContent = async () => {
      throw new SourceUnavailable('There is no bucket named bucket.');
    };
    const other = fakeWorld();
    const answer = await call(
      { deps: { ...other.deps, checkContent } },
      'PUT',
      '/environments/x',
      createInput,
    );
    expect(answer.json).toEqual({
      __type: 'ValidationException',
      message: 'Invalid request provided: There is no bucket named bucket.',
    });
  });

  test('tells bodies that are not a JSON object', async () => {
    const world = fakeWorld();
    for (const body of ['{', '[]', '"x"', '7', 'null', '\u0000']) {
      const answer = await call(world, 'PUT', '/environments/demo', body);
      expect(answer).toMatchObject({ status: 400, type: 'SerializationException' });
    }
    expect((await call(world, 'PUT', '/environments/demo')).type).toBe('ValidationException');
  });

  test('the name in the path wins over one in the body', async () => {
    const world = fakeWorld();
    await create(world, 'demo', { Name: 'other' });
    expect([...world.records.keys()]).toEqual(['demo']);
  });
});

describe('GetEnvironment', () => {
  test('echoes the spec and adds what AWS adds', async () => {
    const world = fakeWorld();
    await available(world);
    setRecord(world, 'demo', {
      createdAt: 1_700_000_000_500,
      lastUpdate: {
        Status: 'FAILED',
        CreatedAt: 1_700_000_001_000,
        Error: { ErrorCode: 'INCORRECT_CONFIGURATION', ErrorMessage: 'x'.repeat(2000) },
      },
    });
    const { json } = await call(world, 'GET', '/environments/demo', '{}');
    expect(json['Environment']).toMatchObject({
      ...createInput,
      Name: 'demo',
      Status: 'AVAILABLE',
      Arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo',
      CreatedAt: 1_700_000_000.5,
      WebserverUrl: 'localhost:7443',
      ServiceRoleArn:
        'arn:aws:iam::123456789012:role/aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA',
      LastUpdate: {
        Status: 'FAILED',
        CreatedAt: 1_700_000_001,
        Error: { ErrorCode: 'INCORRECT_CONFIGURATION', ErrorMessage: 'x'.repeat(1024) },
      },
      LoggingConfiguration: {
        DagProcessingLogs: {
          Enabled: false,
          LogLevel: 'INFO',
          CloudWatchLogGroupArn: 'arn:aws:logs:us-east-1:123456789012:log-group:airflow-demo-DAGProcessing',
        },
      },
    });
    expect(world.audited).toMatchObject([
      { eventName: 'GetEnvironment', readOnly: true, inTransaction: false },
    ]);
  });

  test('404 for a name nobody has, and no WebserverUrl before there is one', async () => {
    const world = fakeWorld();
    expect(await call(world, 'GET', '/environments/demo')).toMatchObject({
      status: 404,
      type: 'ResourceNotFoundException',
      json: { __type: 'ResourceNotFoundException', message: 'No environment named demo found.' },
    });
    await create(world);
    const { json } = await call(world, 'GET', '/environments/demo');
    expect(json['Environment']).toMatchObject({ Status: 'CREATING', LastUpdate: { Status: 'PENDING' } });
    expect(json['Environment']).not.toHaveProperty('WebserverUrl');
  });
});

describe('ListEnvironments', () => {
  test('pages by name', async () => {
    const world = fakeWorld();
    for (const name of ['c', 'a', 'b']) await create(world, name);
    expect((await call(world, 'GET', '/environments')).json).toEqual({ Environments: ['a', 'b', 'c'] });
    const first = await call(world, 'GET', '/environments?MaxResults=2');
    expect(first.json).toEqual({ Environments: ['a', 'b'], NextToken: expect.any(String) });
    const token = encodeURIComponent(String(first.json['NextToken']));
    const second = await call(world, 'GET', `/environments?MaxResults=2&NextToken=${token}`);
    expect(second.json).toEqual({ Environments: ['c'] });
  });

  test.each(['MaxResults=0', 'MaxResults=26', 'NextToken=x', 'NextToken=eyJhZnRlciI6MX0'])(
    'refuses %s',
    async (query) => {
      const answer = await call(fakeWorld(), 'GET', `/environments?${query}`);
      expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
    },
  );

  test('refuses MaxResults that is no number', async () => {
    const answer = await call(fakeWorld(), 'GET', '/environments?MaxResults=two');
    expect(answer).toMatchObject({ status: 400, type: 'SerializationException' });
  });
});

describe('DeleteEnvironment', () => {
  test('marks, ends what lets people in, audits and wakes', async () => {
    const world = fakeWorld();
    await available(world);
    const id = world.records.get('demo')?.id;
    expect(await call(world, 'DELETE', '/environments/demo')).toMatchObject({ status: 200, json: {} });
    expect(world.records.get('demo')?.status).toBe('DELETING');
    expect(world.ended).toEqual([id, `${id} cut`]);
    expect(world.audited).toMatchObject([{ eventName: 'DeleteEnvironment', inTransaction: true }]);
  });

  test.each(['CREATING', 'DELETING', 'UPDATING'] as const)('not while %s', async (status) => {
    const world = fakeWorld();
    await available(world);
    setRecord(world, 'demo', { status });
    expect(await call(world, 'DELETE', '/environments/demo')).toMatchObject({
      status: 400,
      json: {
        __type: 'ValidationException',
        message: `Environments with ${status} status must complete previous operation before initiating a new operation`,
      },
    });
    expect(world.ended).toEqual([]);
  });

  test('says that a deleted one is deleted, for as long as that is remembered', async () => {
    const world = fakeWorld();
    await available(world);
    setRecord(world, 'demo', { status: 'DELETED' });
    expect(await call(world, 'DELETE', '/environments/demo')).toMatchObject({
      status: 400,
      json: {
        __type: 'ValidationException',
        message: 'Environments with DELETED status cannot be deleted',
      },
    });
    world.records.clear();
    expect(await call(world, 'DELETE', '/environments/demo')).toMatchObject({ status: 404 });
  });

  test('changes nothing when the tokens cannot be ended', async () => {
    const world = fakeWorld();
    await available(world);
    const endAll = async () => {
      throw new Error('database gone: password=hunter2');
    };
    const audit = { write: endAll };
    await call({ deps: { ...world.deps, audit } }, 'DELETE', '/environments/demo');
    expect(world.ended).toEqual([world.records.get('demo')?.id]);
    const answer = await call({ deps: { ...world.deps, endAll } }, 'DELETE', '/environments/demo');
    expect(answer).toMatchObject({ status: 500, type: 'InternalServerException' });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(world.records.get('demo')?.status).toBe('AVAILABLE');
  });
});

describe('the two tokens', () => {
  test('are answered with host name and identities, and audited by the minter alone', async () => {
    const world = fakeWorld();
    await available(world);
    expect((await call(world, 'POST', '/webtoken/demo')).json).toEqual({
      WebToken: 'web-token',
      WebServerHostname: 'localhost:7443',
      IamIdentity: 'root',
      AirflowIdentity: 'root',
    });
    expect((await call(world, 'POST', '/clitoken/demo')).json).toEqual({
      CliToken: 'cli-token',
      WebServerHostname: 'localhost:7443',
    });
    const id = world.records.get('demo')?.id;
    expect(world.minted).toEqual([
      { kind: 'web', id, identity: 'root' },
      { kind: 'cli', id, identity: 'root' },
    ]);
    expect(world.audited).toEqual([]);
  });

  test.each(['webtoken', 'clitoken'])(
    '%s: only while there is a web server, 404 when absent',
    async (kind) => {
      const world = fakeWorld();
      expect(await call(world, 'POST', `/${kind}/demo`)).toMatchObject({ status: 404 });
      await create(world);
      expect((await call(world, 'POST', `/${kind}/demo`)).json).toEqual({
        __type: 'ValidationException',
        message:
          'Environment demo is in status CREATING: its web server does not run. Wait until it is AVAILABLE.',
      });
      expect(world.minted).toEqual([]);
    },
  );

  test('a caller without rights gets no role, in the words that clients look for', async () => {
    const world = fakeWorld();
    await available(world);
    const user = {
      type: 'IAMUser',
      arn: 'arn:aws:iam::1:user/a',
      accountId: '1',
      iamIdentity: 'user/a',
      accessKeyId: 'A',
    } as const;
    const other = { deps: { ...world.deps, verify: async () => ({ principal: user, session: {} }) } };
    expect(await call(other, 'POST', '/webtoken/demo')).toMatchObject({
      status: 403,
      json: { __type: 'AccessDeniedException', Message: 'No Airflow role granted in IAM.' },
    });
    expect((await call(other, 'GET', '/environments')).json['Message']).toBe(
      'User: arn:aws:iam::1:user/a is not authorized to perform: airflow:ListEnvironments on resource: * because no identity-based policy allows the airflow:ListEnvironments action',
    );
    expect(world.audited).toMatchObject([
      { errorCode: 'AccessDeniedException' },
      { errorCode: 'AccessDeniedException' },
    ]);
  });
});

describe('every call', () => {
  test('needs a signature, which is looked at before the input', async () => {
    const world = fakeWorld();
    const unsigned = await send(world.deps, 'PUT', '/environments/demo', '{', { host: 'localhost' });
    expect(unsigned).toMatchObject({ status: 403, type: 'MissingAuthenticationTokenException' });
    expect(unsigned.headers).toMatchObject({
      'content-type': 'application/json',
      'x-amzn-requestid': '7a3c3f0e-0000-4000-8000-000000000000',
    });
    const headers = await signedHeaders('GET', '/environments', '');
    const replayed = await send(world.deps, 'DELETE', '/environments/demo', '', headers);
    expect(replayed).toMatchObject({ status: 403, type: 'InvalidSignatureException' });
  });

  test.each([
    ['GET', '/nowhere', /^No operation answers GET \/nowhere/],
    ['POST', '/environments/a/../demo', /^No operation answers/],
  ])('%s %s: unknown', async (method, target, message) => {
    const answer = await call(fakeWorld(), method, target);
    expect(answer).toMatchObject({ status: 404, type: 'UnknownOperationException' });
    expect(answer.json['message']).toMatch(message);
  });

  test('a read that cannot be audited is not answered', async () => {
    const world = fakeWorld();
    const audit = {
      write: async () => {
        throw new Error('disk full');
      },
    };
    const answer = await call({ deps: { ...world.deps, audit } }, 'GET', '/environments');
    expect(answer).toMatchObject({ status: 500, type: 'InternalServerException' });
  });

  test('refuses a name that is not percent-encoded UTF-8, and one against the pattern', async () => {
    const world = fakeWorld();
    const target = '/environments/%FF';
    expect(await call(world, 'GET', target)).toMatchObject({ status: 400, type: 'ValidationException' });
    expect(await call(world, 'GET', '/environments/a%2Fb')).toMatchObject({
      status: 400,
      type: 'ValidationException',
    });
  });
});

describe('how often', () => {
  test('a caller who is given tokens faster than allowed is told to wait; other calls go on', async () => {
    const world = fakeWorld();
    await available(world);
    const asked: string[] = [];
    const givenOut = {
      take: (key: string) => {
        asked.push(key);
        return asked.length <= 2;
      },
    };
    const limited = { deps: { ...world.deps, givenOut } };
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await call(limited, 'POST', '/clitoken/demo')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(await call(limited, 'POST', '/webtoken/demo')).toMatchObject({
      status: 429,
      type: 'TooManyRequestsException',
      json: { message: 'Rate exceeded' },
    });
    expect((await call(limited, 'GET', '/environments')).status).toBe(200);
    expect(new Set(asked)).toEqual(new Set(['arn:aws:iam::123456789012:root']));
    expect(world.audited.map(({ errorCode }) => errorCode)).toContain('TooManyRequestsException');
  });
});
