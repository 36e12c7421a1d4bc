import { expect, test } from 'vitest';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { findVersion } from '../versions.ts';
import { processVariables, type VariablesInput } from './environment-variables.ts';
import { placesOf } from './places.ts';
import { seenBy } from './seen.ts';

const input = (EnvironmentClass: string, airflow = '3.3.1'): VariablesInput => {
  const version = findVersion(airflow);
  if (!version) throw new Error(airflow);
  const places = placesOf('/data/environments', 'abcdefghijkl');
  const about = { id: 'abcdefghijkl', name: 'demo', accountId: '123456789012', region: 'eu-west-1' };
  return {
    record: { ...about, spec: { EnvironmentClass } } as unknown as EnvironmentRecord,
    version,
    base: { hash: 'h', folder: '/data/bases/h', python: '/data/bases/h/bin/python' },
    places,
    seen: seenBy(places, 'root'),
    endpoint: 'http://localhost:7400',
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

test('names of Amazon MWAA by version; other services than mwaa stay with AWS', () => {
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
