import { expect, test } from 'vitest';
import type { EnvironmentRecord } from '../environments/record.ts';
import { protectedOptions } from './protected-options.ts';
import { environmentConfiguration } from './settings.ts';
import { ignoredOptions, optionVariables } from './user-options.ts';
import { airflowVersions } from './versions.ts';

const recordWith = (version: string, options: Record<string, string>): EnvironmentRecord =>
  ({
    id: 'abcdefghijkl',
    name: 'demo',
    spec: { AirflowVersion: version, EnvironmentClass: 'mw1.small', AirflowConfigurationOptions: options },
  }) as unknown as EnvironmentRecord;

const configurationOf = (record: EnvironmentRecord): string => {
  const version = airflowVersions.find((v) => v.version === record.spec.AirflowVersion);
  if (!version) throw new Error('no such version');
  return environmentConfiguration({
    version,
    record,
    paths: { dags: '/d', logs: '/l', plugins: '/p', webserverConfig: '/w.py' },
    secrets: { databasePassword: 'p', fernetKey: 'f', secretKey: 's', jwtSecret: 'j' },
    sqlAlchemyUrl: 'postgresql://x',
    publicUrl: 'https://localhost:7443',
    webPort: 4711,
    dagFiles: 1,
  });
};

/** `section.key` of every line of an airflow.cfg. */
const namesIn = (text: string): readonly string[] =>
  text.split('\n\n').flatMap((part) => {
    const [head = '', ...lines] = part.split('\n');
    return lines.map((line) => `${head.slice(1, -1)}.${line.split(' = ')[0]}`);
  });

test('an option is a variable in upper case, whatever Airflow knows of it', () => {
  const options = {
    'custom.queue': "a 'quoted' $HOME 100%",
    'core.dag_concurrency': '5',
    'smtp.smtp_host': 'h',
  };
  expect(optionVariables(recordWith('2.7.2', options))).toEqual({
    AIRFLOW__CUSTOM__QUEUE: "a 'quoted' $HOME 100%",
    AIRFLOW__CORE__DAG_CONCURRENCY: '5',
    AIRFLOW__SMTP__SMTP_HOST: 'h',
  });
});

test('a name with a second dot is no variable; upper case is the same option', () => {
  expect(optionVariables(recordWith('3.3.1', { 'custom.a.b': 'x' }))).toEqual({});
  const record = recordWith('3.3.1', { 'Core.Parallelism': '7', 'CORE.EXECUTOR': 'Other' });
  expect(optionVariables(record)).toEqual({ AIRFLOW__CORE__PARALLELISM: '7' });
  expect(configurationOf(record)).toContain('parallelism = 7\n');
  expect(configurationOf(record)).not.toContain('Other');
});

test.each(airflowVersions)('$version: what the file does not take, no variable takes', ({ version }) => {
  const names = namesIn(configurationOf(recordWith(version, {})));
  expect(names.length).toBeGreaterThan(25);
  const kept = names.filter((name) => {
    const record = recordWith(version, { [name]: 'of the user' });
    const isVariable = Object.keys(optionVariables(record)).length > 0;
    expect(isVariable, name).toBe(configurationOf(record).includes('of the user'));
    return !isVariable;
  });
  expect(kept).toEqual(expect.arrayContaining(['core.fernet_key', 'database.sql_alchemy_conn']));
});

test.each(['2.7.2', '3.3.1'])('%s: a protected option does not come by another spelling', (version) => {
  const major = version.startsWith('2') ? 2 : 3;
  const names = protectedOptions
    .filter((group) => group.major === undefined || group.major === major)
    .flatMap((group) => group.options);
  const plain = configurationOf(recordWith(version, {}));
  for (const name of names) {
    const inTeam = `team_.${name.replace('.', '__')}`;
    for (const spelling of [
      name,
      `${name}_cmd`,
      `${name}_secret`,
      name.toUpperCase(),
      inTeam,
      `${inTeam}_cmd`,
    ]) {
      const record = recordWith(version, { [spelling]: 'x' });
      expect(optionVariables(record), spelling).toEqual({});
      expect(configurationOf(record), spelling).toBe(plain);
    }
  }
});

test('the log names what was ignored, not a custom domain', () => {
  const options = {
    'core.executor': 'x',
    'core.fernet_key_cmd': 'y',
    'webserver.base_url': 'a.example',
    'a.b': 'c',
  };
  expect(ignoredOptions(recordWith('2.7.2', options))).toEqual(['core.executor', 'core.fernet_key_cmd']);
});
