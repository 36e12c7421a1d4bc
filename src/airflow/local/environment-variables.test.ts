import { expect, test } from 'vitest';
import type { RolesFrom } from '../../contract/roles-from.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { airflowVersions, findVersion } from '../versions.ts';
import { processVariables, type VariablesInput } from './environment-variables.ts';
import { placesOf } from './places.ts';
import { seenBy } from './seen.ts';

const input = (
  EnvironmentClass: string,
  airflow = '3.3.1',
  options: Record<string, string> = {},
): VariablesInput => {
  const version = findVersion(airflow);
  if (!version) throw new Error(airflow);
  const places = placesOf('/data/environments', 'abcdefghijkl');
  const about = { id: 'abcdefghijkl', name: 'demo', accountId: '123456789012', region: 'eu-west-1' };
  return {
    record: {
      ...about,
      spec: { EnvironmentClass, AirflowVersion: airflow, AirflowConfigurationOptions: options },
    } as unknown as EnvironmentRecord,
    version,
    base: { hash: 'h', folder: '/data/bases/h', python: '/data/bases/h/bin/python' },
    places,
    seen: seenBy(places, 'root'),
    endpoint: 'http://localhost:7400',
    serverUid: 0,
    rolesFrom: 'windsock',
    roleToken: () => 'a token',
    shim: '/data/programs/shim',
    account: undefined,
    userName: 'ann',
    assertionIssuer: 'i',
    databasePeer: undefined,
  };
};

test.each([
  ['mw1.micro', 'scheduler', 'hybrid'],
  ['mw1.micro', 'triggerer', 'hybrid'],
  ['mw1.micro', 'webserver', 'webserver'],
  ['mw1.small', 'scheduler', 'scheduler'],
  ['mw1.small', 'dag-processor', 'scheduler'],
  ['mw1.2xlarge', 'webserver', 'webserver'],
])('%s: the %s is what Amazon MWAA calls %s', (environmentClass, component, name) => {
  expect(processVariables(input(environmentClass), component)['MWAA_AIRFLOW_COMPONENT']).toBe(name);
});

test('names of Amazon MWAA by version; what is not served here stays with AWS', () => {
  const variables = processVariables(input('mw1.small', '2.10.3'), 'scheduler');
  expect(variables).toMatchObject({
    AIRFLOW_HOME: '/usr/local/airflow',
    AIRFLOW_VERSION: '2.10.3',
    AWS_EXECUTION_ENV: 'Amazon_MWAA_2103',
    AWS_REGION: 'eu-west-1',
    CUSTOMER_ACCOUNT_ID: '123456789012',
    AWS_ENDPOINT_URL_MWAA: 'http://localhost:7400',
  });
  expect(Object.keys(variables)).not.toContain('AWS_ENDPOINT_URL');
  expect(Object.keys(variables)).not.toContain('AWS_DISABLE_HOST_PREFIX_INJECTION');
});

test("the user's options come with them, and over levels of the logs", () => {
  const options = { 'custom.queue': 'fast', 'logging.namespace_levels': 'a=DEBUG', 'core.executor': 'x' };
  const variables = processVariables(input('mw1.small', '3.3.1', options), 'scheduler');
  expect(variables).toMatchObject({
    AIRFLOW__CUSTOM__QUEUE: 'fast',
    AIRFLOW__LOGGING__NAMESPACE_LEVELS: 'a=DEBUG',
    AIRFLOW__LOGGING__LOGGING_LEVEL: 'INFO',
  });
  expect(variables).not.toHaveProperty('AIRFLOW__CORE__EXECUTOR');
});

test.each([
  ['2.7.2', 'logging.logging_level'],
  ['2.7.2', 'core.logging_level'],
  ['3.3.1', 'logging.logging_level'],
])('%s: a level in %s counts for all', (airflow, option) => {
  const variables = processVariables(input('mw1.small', airflow, { [option]: 'ERROR' }), 'scheduler');
  const levels = Object.entries(variables).filter(([name]) => name.includes('LEVEL'));
  expect(levels).toEqual([[`AIRFLOW__${option.replace('.', '__').toUpperCase()}`, 'ERROR']]);
});

const credentials = (airflow: string, rolesFrom: RolesFrom = 'windsock') =>
  Object.fromEntries(
    Object.entries(processVariables({ ...input('mw1.small', airflow), rolesFrom }, 'scheduler')).filter(
      ([name]) => /^AWS_(CONTAINER|ENDPOINT|EC2)/.test(name),
    ),
  );

test.each(airflowVersions.map(({ version }) => version))(
  '%s: the token of the execution role is in a file, where its botocore reads one',
  (version) => {
    const own = credentials(version);
    expect(own).toMatchObject({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:7400/-/role-credentials',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:7400',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect([own['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'], own['AWS_CONTAINER_AUTHORIZATION_TOKEN']]).toEqual(
      version === '2.7.2'
        ? [undefined, 'a token']
        : ['/data/environments/abcdefghijkl/config/role-token', undefined],
    );
  },
);

test('where DAGs bring their own credentials nothing but mwaa is told them', () => {
  expect(credentials('3.3.1', 'nowhere')).toEqual({ AWS_ENDPOINT_URL_MWAA: 'http://localhost:7400' });
});

test('where AWS gives the credentials of the role, only Amazon MWAA is answered here', () => {
  const names = Object.keys(credentials('3.3.1', 'aws'));
  expect(names.filter((name) => name.startsWith('AWS_ENDPOINT_URL'))).toEqual(['AWS_ENDPOINT_URL_MWAA']);
  expect(names).toContain('AWS_CONTAINER_CREDENTIALS_FULL_URI');
  expect(names).toContain('AWS_EC2_METADATA_DISABLED');
});
