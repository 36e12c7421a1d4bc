import { describe, expect, test } from 'vitest';
import { environmentStatuses } from '../../contract/statuses.ts';
import { mayAsk } from '../../environments/status.ts';
import type { ApiDeps } from '../deps.ts';
import { available, call, create, createInput, fakeWorld, setRecord, type World } from '../testing.ts';

const update = (world: World, body: object, name = 'demo') =>
  call(world, 'PATCH', `/environments/${name}`, JSON.stringify(body));

const shown = async (world: World) =>
  (await call(world, 'GET', '/environments/demo')).json['Environment'] as Record<string, unknown>;

const worldWith = async (more: object = {}): Promise<World> => {
  const world = fakeWorld();
  await create(world, 'demo', more);
  setRecord(world, 'demo', { status: 'AVAILABLE', webserverHostname: 'localhost:7443' });
  world.audited.length = 0;
  return world;
};

describe('UpdateEnvironment', () => {
  test('writes what is wanted with its audit entry, wakes the loop, and shows what is true until it has succeeded', async () => {
    const world = await worldWith({ AirflowConfigurationOptions: { 'core.parallelism': '4' } });
    const answer = await update(world, {
      AirflowConfigurationOptions: {},
      LoggingConfiguration: { SchedulerLogs: { Enabled: true, LogLevel: 'DEBUG' } },
      NetworkConfiguration: { SecurityGroupIds: ['sg-new'] },
      WeeklyMaintenanceWindowStart: 'MON:00:30',
    });
    expect(answer).toMatchObject({
      status: 200,
      json: { Arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo' },
    });
    const record = world.records.get('demo');
    expect(record).toMatchObject({ status: 'UPDATING', generation: 2 });
    expect(record?.spec['AirflowConfigurationOptions']).toEqual({});
    expect(record?.spec['NetworkConfiguration']).toEqual({
      ...createInput.NetworkConfiguration,
      SecurityGroupIds: ['sg-new'],
    });
    expect(record?.spec['LoggingConfiguration']).toMatchObject({
      SchedulerLogs: { Enabled: true, LogLevel: 'DEBUG' },
      TaskLogs: { Enabled: true, LogLevel: 'INFO' },
    });
    expect(world.audited).toMatchObject([{ eventName: 'UpdateEnvironment', inTransaction: true }]);
    expect(await shown(world)).toMatchObject({
      Status: 'UPDATING',
      AirflowConfigurationOptions: { 'core.parallelism': '4' },
      LastUpdate: { Status: 'PENDING' },
    });
    setRecord(world, 'demo', { status: 'AVAILABLE', update: undefined });
    expect(await shown(world)).toMatchObject({ AirflowConfigurationOptions: {} });
  });

  test('another version is a snapshot first, and what runs stays what it is', async () => {
    const world = await worldWith({ AirflowVersion: '2.7.2' });
    await update(world, { AirflowVersion: '2.11.2', WorkerReplacementStrategy: 'GRACEFUL' });
    expect(world.records.get('demo')).toMatchObject({
      status: 'CREATING_SNAPSHOT',
      spec: { AirflowVersion: '2.7.2' },
      update: { strategy: 'GRACEFUL', wanted: { AirflowVersion: '2.11.2' } },
    });
    expect(world.records.get('demo')?.spec['WorkerReplacementStrategy']).toBeUndefined();
    expect((await shown(world))['LastUpdate']).toMatchObject({
      Status: 'PENDING',
      WorkerReplacementStrategy: 'GRACEFUL',
    });
  });

  test.each([
    ['2.7.2', '3.0.6', /from AirflowVersion 2.7.2 to 3.0.6. Update it to 2.11.2 first/],
    ['2.11.0', '3.3.1', /Update it to 2.11.2 first/],
    ['3.3.1', '2.7.2', /Airflow 3 goes back to 2.11.2 only/],
    ['2.7.2', '2.6.3', /support of AirflowVersion 2.6.3 has ended/],
    ['2.7.2', '2.9.9', /AirflowVersion 2.9.9 is not available. Use one of 2.7.2, 2.11.0/],
    ['2.7.2', '2.11.2', undefined],
    ['2.11.2', '2.7.2', undefined],
    ['2.11.2', '3.3.1', undefined],
    ['3.3.1', '2.11.2', undefined],
    ['3.3.1', '3.0.6', undefined],
  ])('from %s to %s', async (from, to, refused) => {
    const world = await worldWith({ AirflowVersion: from });
    const answer = await update(world, { AirflowVersion: to });
    if (refused === undefined) expect(answer.status).toBe(200);
    else expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
    if (refused) expect(answer.json['message']).toMatch(refused);
  });

  test.each([
    [{ EnvironmentClass: 'mw1.huge' }, /EnvironmentClass mw1.huge is not known/],
    [{ EnvironmentClass: 'mw1.2xlarge' }, /mw1.2xlarge needs more than there is/],
    [{ MinWorkers: 20 }, undefined],
    [{ MaxWorkers: 26 }, /MaxWorkers must be from 1 to 25 for mw1.small, not 26/],
    [{ MinWorkers: 3, MaxWorkers: 2 }, /MinWorkers \(3\) is greater than MaxWorkers \(2\)/],
    [{ Schedulers: 1 }, /Schedulers must be from 2 to 5 for mw1.small, not 1/],
    [{ EnvironmentClass: 'mw1.micro' }, undefined],
    [{ EnvironmentClass: 'mw1.micro', Schedulers: 2 }, /Schedulers must be 1 for mw1.micro, not 2/],
    [{ AirflowConfigurationOptions: { 'core.multi_team': 'True' } }, /cannot hold core.multi_team/],
    [{ AirflowConfigurationOptions: { parallelism: '3' } }, /option parallelism has no section/],
    [{ PluginsS3Path: 'plugins.zip' }, /PluginsS3Path was given without PluginsS3ObjectVersion/],
    [{ RequirementsS3ObjectVersion: '1' }, /RequirementsS3ObjectVersion was given without/],
  ])('%j', async (change, refused) => {
    const world = await worldWith();
    const answer = await update(world, change);
    expect([answer.status, answer.json['message']]).toEqual(
      refused === undefined
        ? [200, undefined]
        : [400, expect.stringMatching(new RegExp(`^Invalid request provided: .*${refused.source}`))],
    );
    expect(world.records.get('demo')?.status).toBe(refused === undefined ? 'UPDATING' : 'AVAILABLE');
  });

  describe('Teams', () => {
    const team = (DagS3Path: string, bucket = 'bucket') => ({
      SourceBucketArn: `arn:aws:s3:::${bucket}`,
      DagS3Path,
    });
    const IdentityCenterConfiguration = { StartUrl: 'https://x.awsapps.com/start' };
    const withTeams = {
      IdentityCenterConfiguration,
      Teams: { one: team('teams/one/'), two: team('teams/two/') },
    };
    const many = (count: number, from = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`t-${from + i}`, team(`t/${from + i}/`)]));

    test('are added, changed and removed, and shown as the model has them', async () => {
      const world = await worldWith(withTeams);
      const changes = { AddOrUpdate: { two: team('b/', 'other'), constructor: team('c/') }, Remove: ['one'] };
      expect(await update(world, { Teams: changes })).toMatchObject({ status: 200 });
      setRecord(world, 'demo', { status: 'AVAILABLE', update: undefined });
      expect((await shown(world))['Teams']).toEqual({ two: team('b/', 'other'), constructor: team('c/') });
      expect(await update(world, { Teams: { Remove: ['two', 'constructor'] } })).toMatchObject({
        status: 200,
      });
      setRecord(world, 'demo', { status: 'AVAILABLE', update: undefined });
      expect(await shown(world)).not.toHaveProperty('Teams');
    });

    test('stay when the update does not name them, or changes nothing of them', async () => {
      const world = await worldWith(withTeams);
      for (const change of [{ MinWorkers: 2 }, { Teams: {} }]) {
        await update(world, change);
        setRecord(world, 'demo', { status: 'AVAILABLE', update: undefined });
        expect((await shown(world))['Teams']).toEqual(withTeams.Teams);
      }
    });

    test('their buckets are looked at', async () => {
      const world = await worldWith(withTeams);
      const seen: string[] = [];
      const checkContent: ApiDeps['checkContent'] = async ({ bucketArn, path }) => {
        seen.push(`${bucketArn} ${path}`);
      };
      await update({ ...world, deps: { ...world.deps, checkContent } }, { Teams: { Remove: ['one'] } });
      expect(seen).toEqual(['arn:aws:s3:::bucket dags/', 'arn:aws:s3:::bucket teams/two/']);
    });

    test.each([
      [{ Teams: { Remove: ['six'] } }, 'Teams.Remove names six, which is no team of the environment'],
      [{ Teams: { Remove: ['toString'] } }, 'Teams.Remove names toString, which is no team'],
      [{ Teams: { Remove: ['one', 'one'] } }, 'Teams.Remove names one twice'],
      [
        { Teams: { AddOrUpdate: { one: team('x/') }, Remove: ['one'] } },
        'names one in AddOrUpdate and in Remove',
      ],
      [{ Teams: { AddOrUpdate: many(19) } }, 'would have 21 teams, and 20 is the limit'],
      [{ Teams: { AddOrUpdate: many(18) } }, undefined],
      [{ AirflowVersion: '3.0.6' }, 'Teams need AirflowVersion 3.3.1 or newer, not 3.0.6'],
      [
        { DagS3Path: 'teams/' },
        'of the environment (s3://bucket/teams/) and of team one (s3://bucket/teams/one/) overlap',
      ],
      [
        { DagS3Path: 'teams/two' },
        'of the environment (s3://bucket/teams/two) and of team two (s3://bucket/teams/two/) overlap',
      ],
      [
        { Teams: { AddOrUpdate: { six: team('dags/six/') } } },
        'of the environment (s3://bucket/dags/) and of team six (s3://bucket/dags/six/) overlap',
      ],
      [
        { Teams: { AddOrUpdate: { six: team('//teams//one/sub') } } },
        'of team one (s3://bucket/teams/one/) and of team six (s3://bucket/teams/one/sub) overlap',
      ],
      [{ Teams: { AddOrUpdate: { six: team('') } } }, 'of team six (s3://bucket/) and of the environment'],
      [{ Teams: { AddOrUpdate: { six: team('dags-six/') } } }, undefined],
      [{ Teams: { AddOrUpdate: { six: team('dags/six/', 'other') } } }, undefined],
      [{ AirflowVersion: '3.0.6', Teams: { Remove: ['one', 'two'] } }, undefined],
    ])('%j', async (change, refused) => {
      const world = await worldWith(withTeams);
      const answer = await update(world, change);
      expect([answer.status, answer.json['message']]).toEqual(
        refused === undefined ? [200, undefined] : [400, expect.stringContaining(refused)],
      );
    });

    test.each([
      [{ ...withTeams, AirflowVersion: '3.0.6' }, 'Teams need AirflowVersion 3.3.1'],
      [{ Teams: withTeams.Teams }, 'Teams need IdentityCenterConfiguration'],
      [{ ...withTeams, DagS3Path: 'teams' }, 'overlap'],
      [withTeams, undefined],
    ])('at creation: %j', async (change, refused) => {
      const answer = await create(fakeWorld(), 'demo', change);
      expect([answer.status, answer.json['message']]).toEqual(
        refused === undefined ? [200, undefined] : [400, expect.stringContaining(refused)],
      );
    });
  });

  test('public and private at once needs 3.2', async () => {
    const change = { WebserverAccessMode: 'PUBLIC_AND_PRIVATE' };
    expect(await update(await worldWith({ AirflowVersion: '3.0.6' }), change)).toMatchObject({ status: 400 });
    expect(await update(await worldWith(), change)).toMatchObject({ status: 200 });
  });

  test.each(environmentStatuses.filter((status) => !mayAsk(status, 'update') && status !== 'DELETED'))(
    'in status %s it is refused in words',
    async (status) => {
      const world = await worldWith();
      setRecord(world, 'demo', { status });
      const answer = await update(world, { MinWorkers: 2 });
      const deleteOnly = status === 'CREATE_FAILED' || status === 'UNAVAILABLE';
      expect(answer).toMatchObject({ status: 400, type: 'ValidationException' });
      expect(answer.json['message']).toBe(
        deleteOnly
          ? `Environments with ${status} status cannot be updated. Delete the environment and create it again.`
          : `Environments with ${status} status must complete previous operation before initiating a new operation`,
      );
      expect(world.records.get('demo')).toMatchObject({ status, generation: 1 });
    },
  );

  test('an environment that is not there is not found', async () => {
    const world = fakeWorld();
    await available(world);
    expect(await update(world, {}, 'other')).toMatchObject({
      status: 404,
      type: 'ResourceNotFoundException',
    });
  });
});
