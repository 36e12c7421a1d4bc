import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endedVersions } from '../contract/airflow-versions.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { classFault, processesFor } from './classes.ts';
import { downloadFile, packageSources } from './package-index.ts';
import { type ConfigurationInput, environmentConfiguration } from './settings.ts';
import { airflowVersions, constraintsOf, essentialPinsOf, findVersion } from './versions.ts';

const input = (version: string, options: Record<string, string> = {}): ConfigurationInput => {
  const found = findVersion(version);
  if (!found) throw new Error(version);
  const record = {
    id: 'abcdefghijkl',
    name: 'demo',
    spec: { AirflowVersion: version, EnvironmentClass: 'mw1.medium', AirflowConfigurationOptions: options },
  } as unknown as EnvironmentRecord;
  return {
    version: found,
    record,
    paths: {
      dags: '/e/dags',
      logs: '/e/home/logs',
      plugins: '/e/plugins',
      webserverConfig: '/s/webserver_config.py',
    },
    secrets: { databasePassword: 'p', fernetKey: 'f', secretKey: 's', jwtSecret: 'j' },
    sqlAlchemyUrl: 'postgresql+psycopg2://r:p@/d?host=/run',
    publicUrl: 'https://localhost:7443',
    webPort: 4711,
    dagFiles: 1,
  };
};

/** `section.key` of an airflow.cfg; fails on a key that is there twice. */
const parsed = (text: string): Map<string, string> => {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n').filter(Boolean)) {
    if (line.startsWith('[')) section = line.slice(1, -1);
    else {
      const at = line.indexOf(' = ');
      const name = `${section}.${line.slice(0, at)}`;
      if (values.has(name)) throw new Error(`twice: ${name}`);
      values.set(name, line.slice(at + 3));
    }
  }
  return values;
};

describe('environmentConfiguration', () => {
  test.each([
    ['2.7.2', 'scheduler'],
    ['3.3.1', 'dag_processor'],
  ])(
    '%s reads many files that do not change less often, unless somebody wants it otherwise',
    (version, section) => {
      const interval = (dagFiles: number, options = {}) =>
        parsed(environmentConfiguration({ ...input(version, options), dagFiles })).get(
          `${section}.min_file_process_interval`,
        );
      expect([1, 100, 1_000].map((files) => interval(files))).toEqual(['30', '30', '300']);
      expect(interval(1_000, { [`${section}.min_file_process_interval`]: '45' })).toBe('45');
    },
  );

  test.each(airflowVersions.map((v) => v.version))(
    '%s: user options come over defaults, never over what is essential',
    (version) => {
      const wanted = {
        'core.parallelism': '7',
        'core.executor': 'SequentialExecutor',
        'core.auth_manager': 'evil.Manager',
        'database.sql_alchemy_conn': 'sqlite://',
        'webserver.config_file': '/tmp/evil.py',
        'fab.config_file': '/tmp/evil.py',
        'webserver.web_server_host': '0.0.0.0',
        'api.host': '0.0.0.0',
        'email.subject_template': '100%',
      };
      const cfg = parsed(environmentConfiguration(input(version, wanted)));
      expect(cfg.get('core.parallelism')).toBe('7');
      expect(cfg.get('email.subject_template')).toBe('100%%');
      expect(cfg.get('core.executor')).toBe('LocalExecutor');
      expect(cfg.get('database.sql_alchemy_conn')).toContain('postgresql');
      const [host, file] = version.startsWith('2.')
        ? ['webserver.web_server_host', 'webserver.config_file']
        : ['api.host', 'fab.config_file'];
      expect(cfg.get(host)).toBe('127.0.0.1');
      expect(cfg.get(file)).toBe('/s/webserver_config.py');
      if (version.startsWith('3.'))
        expect(cfg.get('core.auth_manager')).toBe('windsock_shim.GatewayFabAuthManager');
    },
  );

  test('class and workers set how many tasks run at once: all of them on Airflow 2, those of the machine on 3', () => {
    const sizes = {
      environmentClass: 'mw1.small',
      minWorkers: 2,
      maxWorkers: 10,
      schedulers: 2,
      minWebservers: 2,
    };
    expect(processesFor(2, sizes, 2)).toEqual({ parallelism: 10, parsing: 1, web: 1 });
    expect(processesFor(3, sizes, 2)).toEqual({ parallelism: 16, parsing: 1, web: 1 });
    expect(processesFor(3, sizes, 64).parallelism).toBe(50);
    expect(processesFor(3, { ...sizes, minWorkers: 5, maxWorkers: 5 }, 1).parallelism).toBe(25);
    const more = { ...sizes, schedulers: 5, minWebservers: 3, minWorkers: 1 };
    expect(processesFor(2, more, 2)).toEqual({ parallelism: 5, parsing: 4, web: 2 });
    expect(processesFor(2, { ...more, environmentClass: 'mw9.huge' }, 2).parallelism).toBe(5);
    const one = {
      environmentClass: 'mw1.micro',
      minWorkers: 1,
      maxWorkers: 1,
      schedulers: 1,
      minWebservers: 1,
    };
    expect(processesFor(3, one, 2)).toEqual({ parallelism: 3, parsing: 1, web: 1 });
  });

  test('a class needs memory for its tasks', () => {
    const gib = 1024 ** 3;
    expect(classFault('mw1.small', 1.9 * gib)).toBeUndefined();
    expect(classFault('mw1.2xlarge', 9 * gib)).toBeUndefined();
    expect(classFault('mw1.2xlarge', 4 * gib)).toMatch(
      /mw1.2xlarge needs 9 GiB .* has 4.0\. Use a smaller class/,
    );
  });

  test('tasks of Airflow 3 dial the loopback port, not the public address', () => {
    expect(parsed(environmentConfiguration(input('3.3.1'))).get('core.execution_api_server_url')).toBe(
      'http://127.0.0.1:4711/execution/',
    );
  });
});

describe('versions', () => {
  test.each(airflowVersions)('$version has constraints that pin it and its source packages', (v) => {
    const pins = new Set(
      constraintsOf(v)
        .split('\n')
        .map((line) => line.split('==')[0]?.toLowerCase()),
    );
    for (const name of v.sourcePackages) expect(pins).toContain(name);
    expect(pins).toContain('sqlalchemy');
    expect(pins.has('apache-airflow-providers-fab')).toBe(!/^2\.[78]\./.test(v.version));
  });

  /** Package in lower case to version. */
  const pinsOf = (text: string): Map<string, string> =>
    new Map(
      [...text.matchAll(/^([\w.-]+)==(\S+)$/gm)].map(([, name = '', pinned = '']) => [
        name.toLowerCase().replaceAll('_', '-'),
        pinned,
      ]),
    );

  test.each(airflowVersions)('$version has essential pins that its constraints agree with', (v) => {
    const [essential, constraints] = [pinsOf(essentialPinsOf(v)), pinsOf(constraintsOf(v))];
    expect(essential.get('apache-airflow')).toBe(v.version);
    expect(essential.size).toBeGreaterThan(20);
    for (const [name, pinned] of essential)
      expect(`${name}==${constraints.get(name) ?? pinned}`).toBe(`${name}==${pinned}`);
    for (const name of ['flask', 'sqlalchemy', 'gunicorn']) expect(essential.has(name)).toBe(true);
  });

  test('what has ended is not offered', () => {
    expect(endedVersions.filter((version) => findVersion(version))).toEqual([]);
  });
});

describe('packages', () => {
  let address = '';
  const seen: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization });
    if (request.url === '/simple/uv/')
      response.end(
        '<a href="../../files/uv-1-py3-none-any.whl#sha256=00">uv</a><a href="/other/uv-1.tar.gz">x</a>',
      );
    else if (request.url === '/files/uv-1-py3-none-any.whl') response.end('bytes');
    else response.writeHead(404).end();
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test('a file is found through the index, with the credentials of its URL in a header only', async () => {
    const sources = packageSources({ PIP_INDEX_URL: `http://ann:s%40cret@${address}/simple` });
    const bytes = await downloadFile('uv', 'uv-1-py3-none-any.whl', sources, AbortSignal.timeout(5_000));
    expect(bytes.toString()).toBe('bytes');
    expect(
      seen.every((s) => s.authorization === `Basic ${Buffer.from('ann:s@cret').toString('base64')}`),
    ).toBe(true);
  });

  test('what goes wrong names the host and no credentials', async () => {
    const sources = packageSources({ UV_INDEX_URL: `http://ann:secretword@${address}/simple` });
    const missing = await downloadFile('uv', 'uv-2.whl', sources, AbortSignal.timeout(5_000)).catch(
      (e: Error) => e.message,
    );
    expect(missing).toBe(`${address} does not offer uv-2.whl`);
    const unknown = await downloadFile('nothing', 'x', sources, AbortSignal.timeout(5_000)).catch(
      (e: Error) => e.message,
    );
    expect(unknown).toContain('answered 404');
    const dead = await downloadFile(
      'uv',
      'x',
      { UV_INDEX_URL: 'http://ann:secretword@127.0.0.1:1/simple' },
      AbortSignal.timeout(5_000),
    ).catch((e: Error & { code?: string }) => `${e.code} ${e.message}`);
    expect(dead).toMatch(/^PackageIndexUnreachable 127\.0\.0\.1:1 cannot be reached/);
    expect([missing, unknown, dead].join()).not.toContain('secretword');
  });

  test('only what says where packages come from is taken from the caller', () => {
    const sources = packageSources({
      UV_INDEX_URL: 'a',
      PIP_INDEX_URL: 'b',
      https_proxy: 'c',
      AWS_SECRET_ACCESS_KEY: 'd',
      UV_PROJECT: 'e',
      PIP_CERT: 'f',
    });
    expect(sources).toEqual({ UV_INDEX_URL: 'a', https_proxy: 'c', SSL_CERT_FILE: 'f' });
  });
});
