// What Airflow and DAGs see of the machine: the paths of Amazon MWAA, and nothing of Windsock or of others.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, accountOf, isRoot, makeAccount, removeAccount } from '../harness/accounts.ts';
import { Api } from '../harness/api.ts';
import { cloneFor, machinePath } from '../harness/clone.ts';
import { putDag } from '../harness/dags.ts';
import { runCommand } from '../harness/door.ts';
import { machineOf } from '../harness/environments.ts';
import { Minter } from '../harness/minter.ts';
import type { Environment } from '../harness/mwaa.ts';
import { rootKey } from '../harness/mwaa.ts';
import {
  leftOvers,
  makePlace,
  type Place,
  placeArguments,
  Running,
  readyLine,
  removePlace,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { plainEnvironment, windsockProgram } from '../harness/tools.ts';
import { installTrivialAirflow } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';
import { lookingDag } from './looking-dag.ts';

const name = 'inside';
const other = 'other';

interface Seen {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly home: readonly string[];
  readonly dags: readonly string[];
  readonly relative: readonly string[];
  readonly data: readonly string[];
  readonly everything: readonly string[];
  readonly environments: readonly string[];
  readonly writes: Readonly<Record<string, string>>;
  readonly local: readonly string[];
  readonly uid: number;
  readonly [more: string]: unknown;
}

interface Folder {
  readonly id: string;
  readonly folder: string;
  readonly home: string;
}

/** By the file that the server writes for `windsock status`: PostgreSQL lets in only the account that started it. */
const folderOf = ({ data }: Place, environment: string): Folder => {
  const status = JSON.parse(readFileSync(join(data, 'status.json'), 'utf8')) as {
    readonly environments: readonly { readonly id: string; readonly name: string }[];
  };
  const id = status.environments.find((e) => e.name === environment)?.id;
  if (id === undefined) throw new Error(`there is no ${environment}`);
  const folder = join(data, 'environments', id);
  return { id, folder, home: join(folder, 'home') };
};

const available = async (api: Api, environment: string): Promise<Environment> =>
  until(`${environment} AVAILABLE`, 600, async () => {
    const found = await api.find(environment);
    if (found?.Status === 'CREATE_FAILED') throw new Error(JSON.stringify(found.LastUpdate));
    return found?.Status === 'AVAILABLE' && found;
  });

/** `npm start` in a clone, as an account to which the repository may be closed. */
const npmStart = (place: Place, account: Account): Running => {
  const clone = cloneFor(place.folder, account);
  return new Running(
    spawn('npm', ['start', '--', ...placeArguments(place), '--no-demo'], {
      cwd: clone,
      env: { ...plainEnvironment(account.home), PATH: machinePath() },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      uid: account.uid,
      gid: account.gid,
    }),
  );
};

/** Airflow's own hook, against this Windsock and another of its environments. */
const hookDag = `from datetime import datetime

from airflow.sdk import dag, task


@dag(dag_id="hooking", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def hooking():
    @task
    def call():
        from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook

        hook = MwaaHook(aws_conn_id="windsock")
        print("environments:", sorted(hook.conn.list_environments()["Environments"]))
        answer = hook.invoke_rest_api(
            env_name="${other}", path="/dags", method="GET", generate_local_token=True, airflow_version=2
        )
        assert answer["RestApiStatusCode"] == 200, answer
        return [dag["dag_id"] for dag in answer["RestApiResponse"]["dags"]]

    call()


hooking()
`;

const accounts = [...(isRoot ? (['root'] as const) : []), 'an ordinary account'] as const;

describe.each(accounts)('started by %s', (starter) => {
  const asRoot = starter === 'root';
  let place: Place;
  let server: Running;
  let account: Account | undefined;
  let machine: Folder;
  let neighbour: Folder;
  let mint: Minter;
  let localBefore: readonly string[];
  const hostsBefore = readFileSync('/etc/hosts', 'utf8');

  const files = (): readonly string[] =>
    readdirSync(machine.home).filter((file) => /^seen-\d+\.json$/.test(file));
  const seen = (file: string): Seen => JSON.parse(readFileSync(join(machine.home, file), 'utf8')) as Seen;
  const seenByTask = () => seen(files()[0] ?? '');

  const run = async (dag: string): Promise<string> => {
    await runCommand(place, mint, name, `dags unpause ${dag}`);
    const trigger = await runCommand(place, mint, name, `dags trigger ${dag} --run-id once`);
    expect(trigger.status, trigger.stderr).toBe(200);
    return until(`the end of ${dag}`, 120, async () => {
      const list = await runCommand(place, mint, name, `dags list-runs ${dag} -o json`);
      const [found] = JSON.parse(list.stdout) as { state: string }[];
      return found && ['success', 'failed'].includes(found.state) ? found.state : undefined;
    });
  };

  beforeAll(async () => {
    localBefore = readdirSync('/usr/local');
    place = await makePlace();
    account = isRoot && !asRoot ? makeAccount() : undefined;
    server = account ? npmStart(place, account) : await startServer({ place, args: ['--no-demo'] });
    await server.says(readyLine, 400);
    mint = new Minter(place);
    const api = new Api(place);
    mkdirSync(join(place.data, 'buckets', other, 'dags'), { recursive: true });
    mkdirSync(join(place.data, 'buckets', name, 'dags'), { recursive: true });
    await api.create(other, '2.7.2');
    await api.create(name, '3.3.1', { AirflowConfigurationOptions: { 'custom.queue': 'fast' } });
    await available(api, other);
    await available(api, name);
    [machine, neighbour] = [folderOf(place, name), folderOf(place, other)];
    const pid = (JSON.parse(readFileSync(join(place.data, 'server.json'), 'utf8')) as { pid: number }).pid;
    const text = lookingDag({ data: place.data, other: neighbour.folder, server: pid });
    putDag(place, name, 'looking.py', text);
    putDag(place, name, 'hooking.py', hookDag);
    await until('both DAGs', 90, async () => {
      const list = await runCommand(place, mint, name, 'dags list -o json');
      return list.stdout.includes('looking') && list.stdout.includes('hooking');
    });
  }, 900_000);

  afterAll(async () => {
    if (server && !server.hasEnded) await stopServer(server);
    if (place) removePlace(place);
    if (account) removeAccount(account.name);
  });

  test('a task runs, and writes down what it sees', { timeout: 200_000 }, async () => {
    expect(await run('looking')).toBe('success');
    expect(files()).toHaveLength(1);
  });

  test('the paths of Amazon MWAA', () => {
    const s = seenByTask();
    expect(s.cwd).toBe('/usr/local/airflow');
    expect(s.home).toEqual(expect.arrayContaining(['dags', 'logs', 'plugins', 'requirements', 'startup']));
    expect(s.dags).toEqual(expect.arrayContaining(['hooking.py', 'looking.py']));
    expect(s.relative).toEqual(s.dags);
    expect(s.local).toEqual(expect.arrayContaining([...localBefore, 'airflow']));
  });

  test('the variables of Amazon MWAA, and nothing of the server', () => {
    const { variables } = seenByTask();
    expect(variables).toMatchObject({
      AIRFLOW_HOME: '/usr/local/airflow',
      HOME: '/usr/local/airflow',
      AIRFLOW_ENV_NAME: name,
      AIRFLOW_VERSION: '3.3.1',
      AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EXECUTION_ENV: 'Amazon_MWAA_331',
      MWAA_AIRFLOW_COMPONENT: 'worker',
      AIRFLOW__CUSTOM__QUEUE: 'fast',
      CUSTOMER_ACCOUNT_ID: rootKey(place).accountId,
      AWS_ENDPOINT_URL_MWAA: `http://localhost:${place.ports.api}`,
    });
    for (const variable of ['AWS_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'])
      expect(variables[variable]).toMatch(/ca-bundle\.pem$/);
    for (const strange of ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'NODE_EXTRA_CA_CERTS', 'XDG_DATA_HOME'])
      expect(variables).not.toHaveProperty(strange);
  });

  test('neither the data folder, nor other environments, nor the server', () => {
    const s = seenByTask();
    const own = machine.id;
    expect(s.environments).toEqual([own]);
    for (const folder of ['secrets', 'buckets', 'postgres', 'other'])
      expect(s[folder], folder).toMatch(/^FileNotFoundError/);
    for (const what of ['server', 'serverVariables']) expect(s[what], what).toMatch(/^PermissionError/);
    // of all others only PostgreSQL's socket
    const open = [join(place.data, 'environments', own), join(place.data, 'run')];
    expect(s.everything.filter((file) => !open.some((folder) => file.startsWith(`${folder}/`)))).toEqual([]);
    for (const file of s.everything) expect(file).not.toMatch(/secrets|facts\.json|status\.json/);
  });

  test('it may write its home and nothing else', () => {
    const { writes } = seenByTask();
    for (const [path, answer] of Object.entries(writes)) {
      if (path === '/usr/local/airflow/mine') expect(answer).toBe('written');
      else expect(answer, path).toMatch(/^(OSError: Read-only|PermissionError)/);
    }
  });

  test('no new rights, no core files, an account of its own', () => {
    const s = seenByTask();
    expect(s).toMatchObject({ unprivileged: '1', core: 0, prefixed: '127.0.0.1' });
    expect(s['capabilities']).toMatch(/^0+$/);
    const expected = asRoot ? accountOf(`windsock-${machine.id}`)?.uid : (account?.uid ?? process.getuid?.());
    expect(s.uid).toBe(expected);
  });

  test('a command sees the same', async () => {
    const before = files();
    const answer = await runCommand(place, mint, name, 'tasks test looking see');
    expect(answer.status, answer.stderr).toBe(200);
    const [file = ''] = files().filter((found) => !before.includes(found));
    const [s, task] = [seen(file), seenByTask()];
    for (const what of ['cwd', 'dags', 'environments', 'secrets', 'other', 'writes', 'unprivileged', 'uid'])
      expect(s[what], what).toEqual(task[what]);
    expect(s.variables).toMatchObject({
      MWAA_AIRFLOW_COMPONENT: 'webserver',
      AIRFLOW__CUSTOM__QUEUE: 'fast',
    });
  });

  test("Airflow's own hook reaches another environment", { timeout: 200_000 }, async () => {
    const { accessKeyId, secretAccessKey } = rootKey(place);
    const add = `connections add windsock --conn-type aws --conn-login ${accessKeyId} --conn-password ${secretAccessKey}`;
    expect((await runCommand(place, mint, name, add)).status).toBe(200);
    expect(await run('hooking')).toBe('success');
  });

  test('nothing of the machine was changed', () => {
    expect(readdirSync('/usr/local')).toEqual(localBefore);
    expect(readFileSync('/etc/hosts', 'utf8')).toBe(hostsBefore);
  });

  test('status says nothing is missing; a stop leaves nothing', async () => {
    const status = await runWindsock(place, ['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ view: { kind: asRoot ? 'root' : 'user' } });
    expect((await runWindsock(place, ['status'])).stdout).not.toMatch(/^View/m);
    // npm passes the signal on
    expect([0, 143]).toContain(await stopServer(server));
    expect(await leftOvers(place)).toEqual([]);
  });
});

describe.runIf(isRoot)('where no namespace can be made', () => {
  let place: Place;
  let server: Running;

  beforeAll(async () => {
    place = await makePlace();
    const env = { ...plainEnvironment('/root'), ...installTrivialAirflow(place) };
    const program = [process.execPath, windsockProgram('main'), ...placeArguments(place), '--no-demo'];
    // in a namespace of the test's own, unshare(1) is a program that fails
    const script = 'mount --bind /bin/false /usr/bin/unshare && exec "$@"';
    server = new Running(
      spawn('/usr/bin/unshare', ['--mount', 'sh', '-c', script, 'sh', ...program], {
        cwd: '/',
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      }),
    );
    await server.says(readyLine, 60);
  });

  afterAll(async () => {
    if (server && !server.hasEnded) await stopServer(server);
    if (place) removePlace(place);
  });

  test('everything runs as before, and the start and the status say what is missing', async () => {
    expect(server.output).toContain('They see the whole file system');
    const api = new Api(place);
    putDag(place, name, 'dag.py', 'pass\n');
    await api.create(name, '3.3.1');
    await available(api, name);
    const machine = await machineOf(place, name);
    expect(machine.pidOf('scheduler')).toBeGreaterThan(0);
    const status = await runWindsock(place, ['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ view: { kind: 'none', missing: expect.any(String) } });
    expect((await runWindsock(place, ['status'])).stdout).toMatch(/^View .*missing/m);
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
  });
});
