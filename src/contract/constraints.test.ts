import { describe, expect, test } from 'vitest';
import { redact, validate } from './constraints.ts';
import type { AwsError } from './errors.ts';
import type { StructureShape } from './shape.ts';
import {
  createEnvironmentInput,
  environmentNameInput,
  listEnvironmentsInput,
  updateEnvironmentInput,
} from './shapes/environments.ts';
import { publishMetricsInput } from './shapes/metrics.ts';
import { invokeRestApiInput } from './shapes/rest-api.ts';

const valid = {
  Name: 'demo',
  ExecutionRoleArn: 'arn:aws:iam::123456789012:role/service-role/mwaa',
  SourceBucketArn: 'arn:aws:s3:::my-bucket',
  DagS3Path: 'dags/',
  NetworkConfiguration: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
};

const fault = (change: object): string => {
  try {
    validate(createEnvironmentInput, { ...valid, ...change });
    return 'accepted';
  } catch (error) {
    return `${(error as AwsError).code}: ${(error as AwsError).publicText}`;
  }
};
const one = (text: string) => `ValidationException: 1 validation error detected: ${text}`;

describe('CreateEnvironment', () => {
  test('keeps every string as given, drops what it does not know, takes null for absent', () => {
    const given = { ...valid, Tags: { a: 'b' }, Surprise: 1, KmsKey: null, AirflowConfigurationOptions: {} };
    expect(validate(createEnvironmentInput, given)).toEqual({
      ...valid,
      Tags: { a: 'b' },
      AirflowConfigurationOptions: {},
    });
  });

  test('names every missing member at once', () => {
    expect(() => validate(createEnvironmentInput, { Name: 'demo' })).toThrow(
      "4 validation errors detected: Value null at 'executionRoleArn' failed to satisfy constraint: Member must not be null; Value null at 'sourceBucketArn' failed to satisfy constraint: Member must not be null; Value null at 'dagS3Path' failed to satisfy constraint: Member must not be null; Value null at 'networkConfiguration' failed to satisfy constraint: Member must not be null",
    );
  });

  test.each([
    [
      { Name: '1demo' },
      "Value '1demo' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][0-9a-zA-Z-_]*",
    ],
    [
      { Name: 'a'.repeat(81) },
      `Value '${'a'.repeat(81)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80`,
    ],
    [
      { MinWorkers: 0 },
      "Value '0' at 'minWorkers' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      { Schedulers: 6 },
      "Value '6' at 'schedulers' failed to satisfy constraint: Member must have value less than or equal to 5",
    ],
    [
      { WebserverAccessMode: 'OPEN' },
      "Value 'OPEN' at 'webserverAccessMode' failed to satisfy constraint: Member must satisfy enum value set: [PRIVATE_ONLY, PUBLIC_ONLY, PUBLIC_AND_PRIVATE]",
    ],
    [
      { NetworkConfiguration: { SubnetIds: ['subnet-1'] } },
      "Value '[subnet-1]' at 'networkConfiguration.subnetIds' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      { NetworkConfiguration: { SecurityGroupIds: ['x'] } },
      String.raw`Value '[x]' at 'networkConfiguration.securityGroupIds' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: sg-[a-zA-Z0-9\-._]+]`,
    ],
    [
      { LoggingConfiguration: { TaskLogs: { Enabled: true } } },
      "Value null at 'loggingConfiguration.taskLogs.logLevel' failed to satisfy constraint: Member must not be null",
    ],
    [
      { WeeklyMaintenanceWindowStart: 'SUN:24:00' },
      String.raw`Value 'SUN:24:00' at 'weeklyMaintenanceWindowStart' failed to satisfy constraint: Member must satisfy regular expression pattern: .*(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30).*`,
    ],
    [
      { Tags: {} },
      "Value '{}' at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ])('%j', (change, text) => {
    expect(fault(change)).toBe(one(text));
  });

  test('never echoes a sensitive value', () => {
    const text = fault({ AirflowConfigurationOptions: { 'core.x': 'pässword' } });
    expect(text).toBe(
      one(
        "Value at 'airflowConfigurationOptions' failed to satisfy constraint: Map value must satisfy constraint: [Member must satisfy regular expression pattern: [ -~]+]",
      ),
    );
  });

  test.each([
    [{ Name: 7 }, "NUMBER_VALUE cannot be converted to String at 'name'"],
    [{ MaxWorkers: '7' }, "STRING_VALUE cannot be converted to Integer at 'maxWorkers'"],
    [{ MaxWorkers: 1.5 }, "DECIMAL_VALUE cannot be converted to Integer at 'maxWorkers'"],
    [{ NetworkConfiguration: [] }, "START_ARRAY cannot be converted to Structure at 'networkConfiguration'"],
    [
      { NetworkConfiguration: { SubnetIds: [true, 'a'] } },
      "TRUE_VALUE cannot be converted to String at 'networkConfiguration.subnetIds'",
    ],
    [{ Tags: { a: { b: 1 } } }, "START_OBJECT cannot be converted to String at 'tags'"],
    [
      { LoggingConfiguration: { TaskLogs: { Enabled: 'yes', LogLevel: 'INFO' } } },
      "STRING_VALUE cannot be converted to Boolean at 'loggingConfiguration.taskLogs.enabled'",
    ],
  ])('wrong JSON type: %j', (change, text) => {
    expect(fault(change)).toBe(`SerializationException: ${text}`);
  });

  test('accepts what AWS accepts', () => {
    const key = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    for (const change of [
      { KmsKey: key },
      { KmsKey: 'alias/mine' },
      { WeeklyMaintenanceWindowStart: 'TUE:03:30' },
      { Tags: { 'ключ-é': 'Wert 1' } },
      { AirflowConfigurationOptions: { 'core.default_timezone': 'utc' } },
      { ExecutionRoleArn: 'arn:aws-cn:iam::123456789012:role/a' },
    ]) {
      expect(fault(change)).toBe('accepted');
    }
  });

  test('a megabyte in a patterned member is refused at once', () => {
    const started = performance.now();
    expect(
      fault({ KmsKey: 'a'.repeat(1_000_000), AirflowConfigurationOptions: { ['a'.repeat(100_000)]: 'x' } }),
    ).toMatch(/^ValidationException: 2 validation errors/);
    expect(performance.now() - started).toBeLessThan(200);
  });

  test('redacts what is sensitive', () => {
    const input = validate(createEnvironmentInput, {
      ...valid,
      AirflowConfigurationOptions: { 'a.b': 'secret' },
    });
    expect(redact(createEnvironmentInput, input)).toMatchObject({
      Name: 'demo',
      AirflowConfigurationOptions: '***',
    });
  });
});

test('members inherited from Object are not members', () => {
  expect(() => validate(environmentNameInput, Object.create({ Name: 'demo' }))).toThrow(
    'Member must not be null',
  );
});

test('ListEnvironments takes 1 to 25', () => {
  expect(validate(listEnvironmentsInput, { MaxResults: 25 })).toEqual({ MaxResults: 25 });
  expect(() => validate(listEnvironmentsInput, { MaxResults: 26 })).toThrow('less than or equal to 25');
});

const faultOf = (shape: StructureShape, value: object): string => {
  try {
    validate(shape, value);
    return 'accepted';
  } catch (error) {
    return `${(error as AwsError).code}: ${(error as AwsError).publicText}`;
  }
};

test.each([
  [{ Teams: { 'team-a': { SourceBucketArn: 'arn:aws:s3:::a', DagS3Path: '' } } }, 'accepted'],
  [
    { Teams: { 'team-a': { SourceBucketArn: 'arn:aws:s3:::a' } } },
    one(
      "Value null at 'teams.team-a.member.dagS3Path' failed to satisfy constraint: Member must not be null",
    ),
  ],
  [
    { Teams: { 'team-a': null } },
    "SerializationException: START_OBJECT cannot be converted to Structure at 'teams'",
  ],
])('maps of structures: %j', (change, text) => {
  expect(fault(change)).toBe(text);
});

test.each([
  [{ AddOrUpdate: {} }, /at 'teams.addOrUpdate' failed .* greater than or equal to 1$/],
  [
    { Remove: ['ab'] },
    /at 'teams.remove' failed .*: \[Member must have length greater than or equal to 3\]$/,
  ],
])('UpdateEnvironment: Teams %j', (Teams, text) => {
  expect(faultOf(updateEnvironmentInput, { Name: 'demo', Teams })).toMatch(text);
});

test.each([
  [[{ MetricName: 'a', Timestamp: 1.5, Value: 'NaN', Unit: 'Count/Second' }], /^accepted$/],
  [
    [{ MetricName: 'a', Timestamp: 1 }, { Timestamp: 1 }],
    /^ValidationException: 1 validation error detected: Value null at 'metricData.2.member.metricName' failed/,
  ],
  [[{ MetricName: 'a', Timestamp: '2026' }], /STRING_VALUE cannot be converted to Timestamp at/],
  [[{ MetricName: 'a', Timestamp: 1, Value: 'much' }], /STRING_VALUE cannot be converted to Double at/],
  [['a'], /STRING_VALUE cannot be converted to Structure at 'metricData.1.member'/],
])('PublishMetrics: %j', (MetricData, text) => {
  expect(faultOf(publishMetricsInput, { EnvironmentName: 'demo', MetricData })).toMatch(text);
});

test('a document is any JSON, and the secret ones are not shown', () => {
  const call = { Name: 'demo', Path: `/${'a'.repeat(200)}`, Method: 'POST' };
  for (const Body of [{ a: [1] }, [1], 'text', 1, false]) {
    const input = validate(invokeRestApiInput, { ...call, Body, QueryParameters: { limit: 1 } });
    expect(input['Body']).toEqual(Body);
    expect(redact(invokeRestApiInput, input)).toEqual({
      ...call,
      QueryParameters: ['limit'],
      Body: '***',
    });
  }
  expect(faultOf(invokeRestApiInput, { ...call, Method: 'HEAD' })).toBe(
    one(
      "Value 'HEAD' at 'method' failed to satisfy constraint: Member must satisfy enum value set: [GET, PUT, POST, PATCH, DELETE]",
    ),
  );
});
