// What is answered has the form that the contract gives, and what is asked for is the contract's.
import { describe, expect, test } from 'vitest';
import { validate } from '../../contract/constraints.ts';
import { type OperationName, operations } from '../../contract/operations.ts';
import type { StructureShape } from '../../contract/shape.ts';
import { loggingModules } from '../../contract/shapes/members.ts';
import type { Operation } from '../operation.ts';
import { available, call, create, createInput, fakeWorld, setRecord } from '../testing.ts';
import { servedOperations } from './served.ts';

test.each(Object.entries(servedOperations) as [OperationName, Operation][])(
  '%s takes the input of the contract',
  (name, operation) => {
    expect(operation.name).toBe(name);
    expect(operation.input).toBe(operations[name].input);
    expect(operation.action).toBe(`airflow:${name}`);
  },
);

const arn = encodeURIComponent('arn:aws:airflow:us-east-1:123456789012:environment/demo');
const full = {
  ...createInput,
  Tags: { a: 'b' },
  AirflowConfigurationOptions: { 'core.x': 'y' },
  KmsKey: 'alias/mine',
  IdentityCenterConfiguration: { StartUrl: 'https://x.awsapps.com/start' },
  Teams: { one: { SourceBucketArn: 'arn:aws:s3:::a', DagS3Path: '' } },
};

/** Every member of an update, so also those whose form differs from the answer's. */
const everyChange = {
  Teams: { AddOrUpdate: { three: { SourceBucketArn: 'arn:aws:s3:::b', DagS3Path: 'x/' } }, Remove: ['one'] },
  NetworkConfiguration: { SecurityGroupIds: ['sg-new'] },
  LoggingConfiguration: { WorkerLogs: { Enabled: true, LogLevel: 'DEBUG' } },
  WorkerReplacementStrategy: 'GRACEFUL',
  StartupScriptS3Path: 'startup.sh',
  StartupScriptS3ObjectVersion: '1',
};

/** Answers in which the product is not the model, and meant not to be: clients get host names with a port. */
const meant: Partial<Record<OperationName, RegExp>> = {
  GetEnvironment: /^1 validation error detected: Value 'localhost:7443' at 'environment.webserverUrl'/,
  CreateWebLoginToken: /^1 validation error detected: Value 'localhost:7443' at 'webServerHostname'/,
  CreateCliToken: /^1 validation error detected: Value 'localhost:7443' at 'webServerHostname'/,
};

const fault = (name: OperationName, answer: unknown): string => {
  try {
    expect(validate(operations[name].output, answer)).toEqual(answer);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test.each([
  ['CreateEnvironment', 'PUT', '/environments/other', full],
  ['GetEnvironment', 'GET', '/environments/demo', undefined],
  ['ListEnvironments', 'GET', '/environments?MaxResults=1', undefined],
  ['CreateCliToken', 'POST', '/clitoken/demo', undefined],
  ['CreateWebLoginToken', 'POST', '/webtoken/demo', undefined],
  ['TagResource', 'POST', `/tags/${arn}`, { Tags: { c: 'd' } }],
  ['ListTagsForResource', 'GET', `/tags/${arn}`, undefined],
  ['UntagResource', 'DELETE', `/tags/${arn}?tagKeys=c`, undefined],
  ['DeleteEnvironment', 'DELETE', '/environments/demo', undefined],
] as const)('%s answers in the form of the contract', async (name, method, path, input) => {
  const world = fakeWorld();
  await available(world, 'demo', full);
  const answer = await call(world, method, path, input);
  expect(answer.status).toBe(200);
  expect(fault(name, answer.json)).toMatch(meant[name] ?? /^$/);
});

test('GetEnvironment answers in the form of the contract while an update runs and after it', async () => {
  const world = fakeWorld();
  await available(world, 'demo', full);
  expect((await call(world, 'PATCH', '/environments/demo', everyChange)).status).toBe(200);
  for (const change of [{}, { status: 'AVAILABLE', update: undefined }] as const) {
    setRecord(world, 'demo', change);
    const { json } = await call(world, 'GET', '/environments/demo');
    expect(fault('GetEnvironment', json)).toMatch(meant.GetEnvironment ?? /^$/);
  }
});

/**
 * What the answer holds of an environment of which only what is required was given: a member that is always there has
 * a value here, one that is not is undefined. So it is in answers of Amazon MWAA that its users published (the sample
 * solution for disaster recovery has whole ones), but for the two services and the queue, which do not exist here.
 */
const presence: Readonly<Record<string, unknown>> = {
  AirflowConfigurationOptions: {},
  AirflowVersion: '3.3.1',
  Arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo',
  CeleryExecutorQueue: undefined,
  CreatedAt: expect.any(Number),
  DagS3Path: 'dags/',
  DatabaseVpcEndpointService: undefined,
  EndpointManagement: 'SERVICE',
  EnvironmentClass: 'mw1.small',
  ExecutionRoleArn: createInput.ExecutionRoleArn,
  IdentityCenterConfiguration: undefined,
  KmsKey: undefined,
  LastUpdate: { Status: 'PENDING', CreatedAt: expect.any(Number) },
  LoggingConfiguration: Object.fromEntries(
    Object.entries(loggingModules).map(([module, group]) => [
      module,
      {
        Enabled: module === 'TaskLogs',
        LogLevel: 'INFO',
        CloudWatchLogGroupArn: `arn:aws:logs:us-east-1:123456789012:log-group:airflow-demo-${group}`,
      },
    ]),
  ),
  MaxWebservers: 2,
  MaxWorkers: 10,
  MinWebservers: 2,
  MinWorkers: 1,
  Name: 'demo',
  NetworkConfiguration: createInput.NetworkConfiguration,
  PluginsS3ObjectVersion: undefined,
  PluginsS3Path: undefined,
  RequirementsS3ObjectVersion: undefined,
  RequirementsS3Path: undefined,
  Schedulers: 2,
  ServiceRoleArn: expect.stringMatching(/AWSServiceRoleForAmazonMWAA$/),
  SourceBucketArn: createInput.SourceBucketArn,
  StartupScriptS3ObjectVersion: undefined,
  StartupScriptS3Path: undefined,
  Status: 'CREATING',
  Tags: {},
  Teams: undefined,
  WebserverAccessMode: 'PRIVATE_ONLY',
  WebserverUrl: undefined,
  WebserverVpcEndpointService: undefined,
  WeeklyMaintenanceWindowStart: expect.stringMatching(/^[A-Z]{3}:\d\d:[03]0$/),
};

describe('an environment of which only what is required was given', () => {
  const members = (operations.GetEnvironment.output.members['Environment'] as StructureShape).members;

  test.each(Object.keys(members))('%s', async (member) => {
    const world = fakeWorld();
    await create(world, 'demo');
    const { json } = await call(world, 'GET', '/environments/demo');
    expect(Object.keys(presence)).toContain(member);
    expect((json['Environment'] as Record<string, unknown>)[member]).toEqual(presence[member]);
  });

  test('nothing to list is an empty list, no absent one', async () => {
    const world = fakeWorld();
    expect((await call(world, 'GET', '/environments')).json).toEqual({ Environments: [] });
    await create(world, 'demo');
    expect((await call(world, 'GET', `/tags/${arn}`)).json).toEqual({ Tags: {} });
  });
});
