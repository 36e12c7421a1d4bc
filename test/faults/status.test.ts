// `windsock status` and `windsock stop` on good and on bad days. Without Airflow.
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isRoot, makeAccount, removeAccount } from '../harness/accounts.ts';
import { runProgram } from '../harness/python.ts';
import {
  leftOvers,
  makePlace,
  type Place,
  processesAt,
  type Running,
  removePlace,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { plainEnvironment, windsockProgram } from '../harness/tools.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

let place: Place;
let server: Running | undefined;

beforeAll(async () => {
  place = await makePlace();
});
afterEach(async () => {
  if (server && !server.hasEnded) await stopServer(server);
});
afterAll(() => place && removePlace(place));

const windsock = (...args: readonly string[]) => runWindsock(place, args, { home: place.folder });

interface Report {
  readonly ok: boolean;
  readonly server: { readonly state: string; readonly pid?: number; readonly endpoint?: string };
  readonly postgres: {
    readonly state: string;
    readonly pid?: number;
    readonly adopted: boolean;
    readonly restarts: number;
  };
  readonly environments: readonly unknown[];
}

const report = async (): Promise<Report & { readonly code: number }> => {
  const { stdout, code } = await windsock('status', '--json');
  return { ...(JSON.parse(stdout) as Report), code };
};

const start = async (): Promise<Running> => {
  server = await startServer({ place, args: ['--no-demo'] });
  return server;
};

const isPostgres = (command: string): boolean => /postgres/.test(command);
const kill = async (running: Running): Promise<void> => {
  running.child.kill('SIGKILL');
  await running.end(10);
};

describe('windsock status', () => {
  test('before the first start', async () => {
    const { code, stdout } = await windsock('status');
    expect(code).toBe(3);
    expect(stdout).toContain('not started');
    expect((await windsock('stop')).stdout).toBe(`Windsock is not running on ${place.data}.\n`);
  });

  test('while all runs', async () => {
    const running = await start();
    const found = await report();
    expect(found).toMatchObject({
      ...{ ok: true, code: 0, environments: [] },
      server: { state: 'running', pid: running.pid, endpoint: `http://localhost:${place.ports.api}` },
      postgres: { state: 'running' },
    });
    expect(processesAt(place).map((p) => p.pid)).toContain(found.postgres.pid);
    const { stdout } = await windsock('status');
    expect(stdout).toMatch(new RegExp(`^Server +running, started .* ago, pid ${running.pid}, version`));
    expect(stdout).toMatch(new RegExp(`^PostgreSQL +running for .*, pid ${found.postgres.pid}`, 'm'));
    for (const name of ['status.json', 'server.json'])
      expect(statSync(join(place.data, name)).mode & 0o777).toBe(0o600);
  });

  test('a server that is held by a signal', async () => {
    const running = await start();
    running.child.kill('SIGSTOP');
    try {
      await until('the state', 10, async () => (await report()).server.state === 'paused');
      expect((await report()).code).toBe(3);
    } finally {
      running.child.kill('SIGCONT');
    }
  });

  test('after kill -9: PostgreSQL still runs, the next start takes it over', async () => {
    await kill(await start());
    const killed = await report();
    expect(killed).toMatchObject({ code: 3, server: { state: 'killed' }, postgres: { state: 'running' } });
    expect((await windsock('status')).stdout).toContain('Still running: PostgreSQL.');
    const stop = await windsock('stop');
    expect(stop.code).toBe(3);
    expect(stop.stdout).toMatch(/not running on .*\.\nStill running: PostgreSQL\.\nStart the server/);
    await start();
    await until('adoption in the report', 10, async () => (await report()).postgres.adopted);
    expect((await report()).postgres.pid).toBe(killed.postgres.pid);
  });

  test('PostgreSQL that dies is told, and told again when it is back', async () => {
    await start();
    const { pid } = (await report()).postgres;
    if (pid === undefined) throw new Error('PostgreSQL has no pid');
    process.kill(pid, 'SIGKILL');
    await until('another one', 60, async () => {
      const { postgres, ok } = await report();
      // its number is looked up, the rest is what the server wrote down, at most a second ago
      return ok && postgres.pid !== pid && postgres.restarts !== 0;
    });
    expect(JSON.parse((await windsock('status', '--json')).stdout).postgres).toMatchObject({ restarts: 1 });
  });

  test('files that are damaged or gone', async () => {
    await start();
    truncateSync(join(place.data, 'status.json'), 20);
    expect(await report()).toMatchObject({ server: { state: 'running' }, postgres: { state: 'running' } });
    rmSync(join(place.data, 'status.json'));
    expect((await windsock('status')).stdout).toContain('not written down yet');
  });

  test.runIf(isRoot)('another account reads a text, not a trace', async () => {
    await start();
    const account = makeAccount();
    try {
      const { stderr, code } = await runProgram(
        process.execPath,
        [windsockProgram('cli/main'), 'status', '--data', place.data],
        { env: plainEnvironment(account.home), cwd: '/', uid: account.uid, gid: account.gid },
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/Cannot read .*\.json\.\n.*belongs to the account.*\n.*sudo/);
    } finally {
      removeAccount(account.name);
    }
  });
});

describe('windsock stop', () => {
  test('ends everything, and once more says that nothing runs', async () => {
    const running = await start();
    const stop = await windsock('stop');
    expect(stop.code, stop.stderr).toBe(0);
    expect(stop.stdout).toMatch(/^The server has ended after .*\nEnded with it: PostgreSQL\.\n$/);
    expect(await running.end(1)).toBe(0);
    expect(await leftOvers(place)).toEqual([]);
    expect(await report()).toMatchObject({
      code: 3,
      server: { state: 'stopped' },
      postgres: { state: 'stopped' },
    });
    const again = await windsock('stop', '--json');
    await expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ wasRunning: false, stillRunning: [] });
  });

  test('--keep-running leaves PostgreSQL, and the next start takes it over', async () => {
    await start();
    const { pid } = (await report()).postgres;
    const stop = await windsock('stop', '--keep-running', '--json');
    expect(stop.code, stop.stderr).toBe(0);
    expect(JSON.parse(stop.stdout)).toMatchObject({ wasRunning: true, stillRunning: ['PostgreSQL'] });
    expect(processesAt(place).filter((p) => !isPostgres(p.command))).toEqual([]);
    expect(await report()).toMatchObject({
      server: { state: 'stopped' },
      postgres: { state: 'running', pid },
    });
    await start();
    expect((await report()).postgres.pid).toBe(pid);
  });

  test('a process that only has the number of the server is not touched', async () => {
    const running = await start();
    const file = join(place.data, 'server.json');
    const facts = JSON.parse(readFileSync(file, 'utf8')) as { startTime: number };
    writeFileSync(file, JSON.stringify({ ...facts, startTime: facts.startTime - 1 }));
    rmSync(join(place.data, 'status.json'), { force: true });
    expect((await windsock('stop')).stdout).toContain('Windsock is not running');
    expect(running.hasEnded).toBe(false);
    writeFileSync(file, JSON.stringify(facts));
    expect((await windsock('stop')).code).toBe(0);
  });

  test('it does not wait for ever', async () => {
    const running = await start();
    running.child.kill('SIGSTOP');
    // A stop wakes a held server; one that is held again and again does not end in time.
    const holding = setInterval(() => running.child.kill('SIGSTOP'), 1);
    try {
      const { stderr, code } = await windsock('stop', '--timeout', '1');
      expect(code).toBe(1);
      expect(stderr).toMatch(/still runs after 1 s\.\n.*\n.*windsock stop/);
    } finally {
      clearInterval(holding);
      running.child.kill('SIGCONT');
    }
    expect(await running.end(60)).toBe(0);
  });

  test('a time that is none is a fault of the command line', async () => {
    expect((await windsock('stop', '--timeout', 'soon')).code).toBe(2);
  });
});
