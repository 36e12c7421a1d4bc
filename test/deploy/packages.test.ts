// requirements.txt and plugins.zip on real Airflow: what is asked for is there, and what cannot be changes nothing.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { putDag } from '../harness/dags.ts';
import { restPath, runCommand, type Session, signIn } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import {
  archive,
  greetingDag,
  leadingFiles,
  leadingWheel,
  mark,
  named,
  pluginFiles,
} from '../harness/greeting.ts';
import { Minter } from '../harness/minter.ts';
import { putPlugins, putRequirements, s3Client } from '../harness/s3.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';
import { runWindsock } from '../harness/windsock.ts';

const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';
const versions = isFull ? ['2.7.2', '2.10.3', '3.0.6', '3.3.1'] : ['3.3.1'];
const nameOf = (version: string): string => `v${version.replaceAll('.', '-')}`;

const used = useServer({ airflow: versions, args: ['--tokens-per-second', '1000', '--strict-dags'] });
let api: Api;
let mint: Minter;
let s3: S3Client;

const pinned = async (bucket: string, requirements: string, plugins: Uint8Array) => ({
  ...(await putRequirements(s3, bucket, requirements)),
  ...(await putPlugins(s3, bucket, plugins)),
});

beforeAll(async () => {
  api = new Api(used.place);
  mint = new Minter(used.place);
  s3 = s3Client(used.place);
});

const folders: string[] = [];
afterAll(() => {
  s3?.destroy();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files. */
const folderOf = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-packages-'));
  folders.push(folder);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
};

describe.each(versions)('Airflow %s', { concurrent: false }, (version) => {
  const name = nameOf(version);
  const major = version.startsWith('2') ? 2 : 3;
  let machine: Machine;
  let session: Session;
  // the bucket has the name of the environment
  const bucket = name;

  const signedIn = () => until('a session', 60, () => signIn(used.place, mint, name, major));
  const update = async (change: object): Promise<void> => {
    await api.update(name, change);
  };
  const ended = async (status: string, seconds = 300): Promise<string> => {
    const found = await until(`${name} ${status}`, seconds, async () => {
      const now = await api.find(name);
      return now !== undefined && !/ING|SNAPSHOT/.test(now.Status) ? now : undefined;
    });
    expect([found.Status, found.LastUpdate?.Error?.ErrorMessage ?? '']).toEqual([status, expect.anything()]);
    return found.LastUpdate?.Error?.ErrorMessage ?? '';
  };
  const dags = async (): Promise<readonly string[]> => {
    const answer = await session.get(`${restPath(major)}/dags?limit=100`);
    return (JSON.parse(answer.text) as { dags: { dag_id: string }[] }).dags.map((d) => d.dag_id);
  };
  const plugins = async (): Promise<string> =>
    (await session.get(`${restPath(major)}/plugins?limit=100`)).text;
  const airflow = async (...words: string[]): Promise<string> =>
    (await runCommand(used.place, mint, name, words.join(' '))).stdout;

  test('is created with a package, which a DAG, a plugin and a command have', async () => {
    putDag(used.place, bucket, 'greets.py', greetingDag);
    await api.create(name, version, await pinned(bucket, named('1.0'), archive('1.0')));
    await api.available(name, 900);
    machine = await machineOf(used.place, name);
    session = await signedIn();
    await until('the DAG', 60, async () => (await dags()).includes('greetings_1.0'));
    expect(await plugins()).toContain('greeting_plugin_1_0');
    expect(await airflow('dags', 'list')).toContain('greetings_1.0');
  });

  const faults: readonly (readonly [
    string,
    { requirements?: string; more?: Record<string, string | Uint8Array> },
    RegExp,
  ])[] = [
    [
      'a line against a pin',
      { requirements: 'flask==1.0\n' },
      /requirements\.txt, line 1 \(flask==1\.0\).*flask/is,
    ],
    [
      'a plugin that cannot be imported',
      { more: { 'broken.py': 'import no_such_module\n' } },
      /broken.*no_such_module/is,
    ],
    [
      'a wheel that leads to an address',
      { requirements: `/usr/local/airflow/plugins/${leadingWheel}\n`, more: leadingFiles },
      /windsock_leading-1\.0-py3-none-any\.whl needs six @ http/,
    ],
    ['an archive with a path out of it', { more: { '../out.py': '' } }, /plugins\.zip: .*\.\./],
  ];
  test.each(faults)(
    '%s: told, and what runs is not touched',
    async (_, { requirements = named('1.0'), more = {} }, told) => {
      const before = [machine.pidOf('scheduler'), machine.pidOf('webserver')];
      await update(await pinned(bucket, requirements, archive('1.0', more)));
      expect(await ended('UPDATE_FAILED')).toMatch(told);
      expect([machine.pidOf('scheduler'), machine.pidOf('webserver')]).toEqual(before);
      expect(await dags()).toContain('greetings_1.0');
    },
  );

  const deploy = async (...more: string[]) => {
    const { code, stdout, stderr } = await runWindsock(used.place, ['deploy', name, ...more, '--json']);
    return { code, told: JSON.parse(stdout || 'null') as unknown, stderr };
  };

  test('windsock deploy tells why what it brought cannot be used', async () => {
    const given = folderOf({ 'out.zip': archive('1.0', { '../out.py': '' }) });
    const { code, told, stderr } = await deploy('--plugins', join(given, 'out.zip'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('could not be updated.\n  plugins.zip: ')]);
    expect(told).toMatchObject({
      Packages: {
        Plugins: { Change: 'changed' },
        Status: 'UPDATE_FAILED',
        Error: expect.stringMatching(/\.\./),
      },
    });
  });

  test('windsock deploy brings packages and plugins, then the DAGs, and the same only once', async () => {
    const given = folderOf({
      'requirements.txt': named('2.0'),
      'dags/both.py': greetingDag.replace('"_")', '"-")'),
    });
    const plugged = folderOf({ ...pluginFiles('2.0'), '__pycache__/x.pyc': 'x' });
    const packages = ['--requirements', join(given, 'requirements.txt'), '--plugins', plugged];
    expect(await deploy(join(given, 'dags'), ...packages)).toMatchObject({
      code: 0,
      told: {
        Packages: {
          Requirements: { Change: 'changed', Path: 'requirements.txt' },
          Plugins: { Change: 'changed', Path: 'plugins.zip', Files: 2 },
          Status: 'AVAILABLE',
        },
        ...{ Added: ['both.py'], NotRead: [], Failed: [] },
      },
    });
    session = await signedIn();
    expect(await dags()).toContain('greetings-2.0');
    await until('the DAG', 60, async () => (await dags()).includes('greetings_2.0'));
    expect(await plugins()).toContain('greeting_plugin_2_0');
    const again = await deploy(...packages);
    expect(again).toMatchObject({
      ...{ code: 0, stderr: '' },
      told: { Packages: { Requirements: { Change: 'unchanged' }, Plugins: { Change: 'unchanged' } } },
    });
  });

  test('with --strict-dags a DAG that would stop working keeps its packages, and a broken one is only told', async () => {
    const running = machine.pidOf('scheduler');
    putDag(used.place, bucket, 'broken.py', '# airflow dag\nimport no_such_module\n');
    const needing =
      'import windsock_greeting\nassert windsock_greeting.TEXT == "greetings 2.0", "needs 2.0"\n';
    putDag(used.place, bucket, 'needing.py', `# airflow dag\n${needing}`);
    const folder = join(machine.folder, 'dags');
    await until(
      'the DAG files',
      30,
      () => readdirSync(folder).filter((file) => /broken|needing/.test(file)).length === 2,
    );
    await update(await pinned(bucket, named('1.0'), archive('1.0')));
    expect(await ended('UPDATE_FAILED')).toMatch(
      /^1 DAG file worked with the packages that run now .*: needing\.py: AssertionError: needs 2\.0\. /,
    );
    expect(machine.pidOf('scheduler')).toBe(running);
  });

  test('the log of each installation is there under the name of Amazon MWAA', async () => {
    const folders = readdirSync(join(machine.folder, 'logs'), { recursive: true, encoding: 'utf8' });
    const logs = folders.filter((file) => /requirements_install_.+_\d+\.log$/.test(file));
    const texts = logs.map((file) => readFileSync(join(machine.folder, 'logs', file), 'utf8'));
    expect(texts.filter((text) => text.includes('flask'))).not.toEqual([]);
    const broken = /nor with the packages that run now: broken\.py: .*no_such_module/;
    expect(texts.filter((text) => broken.test(text))).not.toEqual([]);
    expect(texts.filter((text) => text.includes('windsock-greeting==1.0'))).not.toEqual([]);
  });
});

test('code of a package ran as its environment only, never as the account that installs', () => {
  const installer = statSync(join(used.place.data, 'cache', 'uv')).uid;
  const ran = readdirSync('/tmp').filter((file) => file.startsWith(mark));
  for (const file of ran) rmSync(join('/tmp', file));
  if (installer !== process.geteuid?.()) expect(ran).not.toContain(`${mark}${installer}`);
});
