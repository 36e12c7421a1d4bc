// What goes wrong at a start, and after one.
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { putDag, sayingDag } from '../harness/dags.ts';
import { signIn } from '../harness/door.ts';
import { Minter } from '../harness/minter.ts';
import { type Environment, Mwaa, newEnvironment } from '../harness/mwaa.ts';
import {
  environmentIds,
  launch,
  leftOvers,
  makePlace,
  type Place,
  processesAt,
  type Running,
  removePlace,
  stopServer,
} from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { useServer } from '../harness/use-server.ts';

const listenOn = (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });

const noStack = /\n\s+at .*:\d+/;

describe('a start that cannot succeed says why and leaves nothing', () => {
  let place: Place;
  const opened: Server[] = [];

  beforeAll(async () => {
    place = await makePlace();
  });
  afterEach(() => {
    for (const server of opened.splice(0)) server.close();
  });
  afterAll(() => removePlace(place));

  const failedStart = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const running = launch({ place, args, env });
    expect(await running.end(60)).toBe(1);
    expect(running.output).not.toMatch(noStack);
    return running.output;
  };

  test.for(['127.0.0.1', '::1'])('the port of the API is taken on %s', async (host) => {
    opened.push(await listenOn(place.ports.api, host));
    const output = await failedStart(['--no-demo']);
    expect(output).toContain(String(place.ports.api));
    expect(output).toMatch(/--port/);
    for (const server of opened.splice(0)) server.close();
    await until('nothing left', 10, async () => (await leftOvers(place)).length === 0);
  });

  test('settings: every fault at once', async () => {
    const args = [
      '--no-demo',
      '--port',
      '0',
      '--door-port',
      'x',
      '--region',
      'nowhere',
      '--environment',
      '1x',
    ];
    const output = await failedStart(args, { WINDSOCK_TASK_LOG_DAYS: '0' });
    for (const name of ['--port', '--door-port', '--region', '--environment', 'WINDSOCK_TASK_LOG_DAYS'])
      expect(output).toContain(`${name} `);
  });

  test('an option that does not exist', async () => {
    const output = await failedStart(['--no-demo', '--nonsense']);
    expect(output).toContain('--nonsense');
    expect(output).toContain('--help');
  });

  test('a folder of DAGs that is not there', async () => {
    const output = await failedStart(['--dags', '/nowhere/dags']);
    expect(output).toContain('/nowhere/dags');
    await until('nothing left', 10, async () => (await leftOvers(place)).length === 0);
  });

  test('a file stands where the data folder should be', async () => {
    const file = join(place.folder, 'file');
    writeFileSync(file, '');
    expect(await failedStart(['--no-demo', '--data', file])).toContain(file);
  });
});

describe('one environment through crashes', () => {
  const name = 'two';
  let place: Place;
  let server: Running;
  let mwaa: Mwaa;
  let hostname: string;

  const used = useServer({ airflow: ['2.7.2'] });
  beforeAll(async () => {
    ({ place, server } = used);
    mwaa = new Mwaa(place);
    putDag(place, name, 'a.py', sayingDag('a', 'a'));
  });

  const schedulers = () =>
    processesAt(place).filter((p) => /airflow scheduler|scheduler --skip/.test(p.command));
  const leaders = () => schedulers().filter((p) => !schedulers().some((other) => other.pid === p.ppid));
  const restWorks = async () => {
    const session = await signIn(place, new Minter(place), name, 2);
    hostname = session.hostname;
    return (await session.get('/api/v1/dags')).status === 200;
  };

  test('the first port of the doors is taken: the environment gets the next one', async () => {
    const taken = await listenOn(place.ports.door, '::1');
    try {
      await mwaa.call('create_environment', newEnvironment(place, name, '2.7.2'));
      const { environment } = await mwaa.wait(name, 'AVAILABLE', 400);
      expect(environment?.Status, JSON.stringify(environment?.LastUpdate)).toBe('AVAILABLE');
      expect(environment?.WebserverUrl).toBe(`localhost:${place.ports.door + 1}`);
    } finally {
      taken.close();
    }
    expect(await restWorks()).toBe(true);
  }, 450_000);

  test('a second server on the same data folder refuses, and the first goes on', async () => {
    const other = await makePlace();
    try {
      const second = launch({ place: { ...other, data: place.data }, args: ['--no-demo'] });
      expect(await second.end(60)).toBe(1);
      expect(second.output).toMatch(/Another Windsock server/);
      expect(second.output).not.toMatch(noStack);
    } finally {
      removePlace(other);
    }
    expect(await restWorks()).toBe(true);
    expect(leaders()).toHaveLength(1);
  });

  test('a scheduler that is killed comes back', async () => {
    const [old] = leaders();
    if (!old) throw new Error('there is no scheduler');
    process.kill(old.pid, 'SIGKILL');
    await until('another scheduler', 60, () => leaders().length === 1 && leaders()[0]?.pid !== old.pid);
    expect(
      (await mwaa.call<{ Environment: Environment }>('get_environment', { Name: name })).Environment.Status,
    ).toBe('AVAILABLE');
  });

  test('the server is killed with -9 and started again: the environment comes back, with one scheduler', async () => {
    const before = hostname;
    server.child.kill('SIGKILL');
    await server.end(10);
    server = await used.start();
    await until('REST behind the door', 120, restWorks, 1000);
    expect(hostname).toBe(before);
    expect(leaders()).toHaveLength(1);
    expect(environmentIds(place)).toHaveLength(1);
  }, 180_000);

  test('Airflow that dies at its start: CREATE_FAILED with the end of its log, and it can be deleted', async () => {
    putDag(place, 'dying', 'a.py', sayingDag('a', 'a'));
    const options = { 'scheduler.scheduler_heartbeat_sec': 'never' };
    await mwaa.call(
      'create_environment',
      newEnvironment(place, 'dying', '2.7.2', { AirflowConfigurationOptions: options }),
    );
    const { environment } = await mwaa.wait('dying', 'CREATE_FAILED', 240);
    expect(environment?.Status).toBe('CREATE_FAILED');
    expect(environment?.LastUpdate.Status).toBe('FAILED');
    expect(environment?.LastUpdate.Error?.ErrorCode).toBe('INCORRECT_CONFIGURATION');
    expect(environment?.LastUpdate.Error?.ErrorMessage).toMatch(/SCHEDULER_HEARTBEAT_SEC.*never/);
    expect((await mwaa.fault('create_web_login_token', { Name: 'dying' })).Message).toContain(
      'CREATE_FAILED',
    );
    await mwaa.call('delete_environment', { Name: 'dying' });
    expect((await mwaa.wait('dying', 'ResourceNotFoundException', 60)).error?.status).toBe(404);
    expect(environmentIds(place)).toHaveLength(1);
  }, 360_000);

  test('TERM ends everything', async () => {
    expect(await stopServer(server)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
  });
});
