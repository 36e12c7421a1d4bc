// PostgreSQL that is suspended, killed, or given no rest by an environment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postLogin } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import type { WebToken } from '../harness/mwaa.ts';
import { type RawAnswer, signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { processesAt, serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const name = 'one';
let rig: Rig;
let one: Machine;

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create(name, '2.7.2');
  await rig.available(name);
  one = await machineOf(rig.place, name);
}, 120_000);
afterAll(() => rig?.remove(), 120_000);

const login = async (token: WebToken) => (await postLogin(rig.place, token, 2)).status;
const loginWorks = async () => (await login(await rig.mint.webToken(name))) === 200;

const nothingWrong = async () => {
  await until('a login', 60, loginWorks);
  await untilNothingWrong(rig.place, rig.server.pid, 60);
};

const postgres = () => processesAt(rig.place).filter((p) => /^postgres: |\/bin\/postgres /.test(p.command));
const postmaster = (): number => {
  const pid = postgres().find((p) => !p.command.startsWith('postgres: '))?.pid;
  if (pid === undefined) throw new Error('there is no postmaster');
  return pid;
};
const signalAll = (signal: 'SIGSTOP' | 'SIGCONT', pids: readonly number[]) => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended
    }
  }
};

const ofDatabase = /database of the server does not answer.*Try again/;

test('PostgreSQL is suspended: every call is answered in time, and works again afterwards', async () => {
  await nothingWrong();
  const pids = postgres().map((p) => p.pid);
  signalAll('SIGSTOP', pids);
  try {
    const timed = async (method: string, path: string) => {
      const began = performance.now();
      const answer = await signed(rig.place, { method, path });
      return { ...answer, path, seconds: (performance.now() - began) / 1000 };
    };
    const answers = await Promise.all([
      timed('GET', `/environments/${name}`),
      timed('GET', '/environments'),
      timed('POST', `/webtoken/${name}`),
      timed('POST', `/clitoken/${name}`),
      timed('DELETE', '/environments/nobody'),
    ]);
    for (const { path, status, body, seconds } of answers) {
      expect(status, path).toBe(500);
      expect(JSON.stringify(body), path).toMatch(ofDatabase);
      expect(seconds, path).toBeLessThan(28);
    }
  } finally {
    signalAll('SIGCONT', pids);
  }
  const status = async () => (await rig.api.find(name))?.Status;
  expect(await until('an answer', 30, status)).toBe('AVAILABLE');
  await nothingWrong();
});

test('the postmaster is killed under calls: each is answered, and no token that was given is lost', async () => {
  const tokens: WebToken[] = [];
  const faults: RawAnswer[] = [];
  let enough = false;
  const calling = async (): Promise<void> => {
    while (!enough) {
      const answer = await signed(rig.place, { method: 'POST', path: `/webtoken/${name}` });
      if (answer.status === 200) tokens.push(answer.body as unknown as WebToken);
      else faults.push(answer);
      await delay(20);
    }
  };
  const calls = [calling(), calling(), calling()];
  await until('tokens', 20, () => tokens.length > 5);
  const old = postmaster();
  process.kill(old, 'SIGKILL');
  await until('another postmaster', 60, () =>
    postgres().some((p) => p.pid === postmaster() && p.pid !== old),
  );
  const before = tokens.length;
  await until('tokens again', 60, () => tokens.length > before + 5);
  enough = true;
  await Promise.all(calls);
  for (const { status, body } of faults) {
    expect(status).toBe(500);
    expect(JSON.stringify(body)).toMatch(ofDatabase);
  }
  const statuses = await Promise.all(tokens.map(login));
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(serverLog(rig.place)).toContain('postgres died');
  await nothingWrong();
});

test('an environment that takes every connection it can get does not lock the others out', async () => {
  const { databasePassword: password } = JSON.parse(readFileSync(join(one.folder, 'secrets.json'), 'utf8'));
  const clients: pg.Client[] = [];
  const connect = async (): Promise<boolean> => {
    const host = join(rig.place.data, 'run');
    const client = new pg.Client({
      ...{ host, password, user: `environment_${one.id}`, database: `airflow_${one.id}` },
      connectionTimeoutMillis: 10_000,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      clients.push(client);
      return true;
    } catch {
      return false;
    }
  };
  try {
    for (let free = true; free; )
      free =
        (await Promise.all(Array.from({ length: 10 }, connect))).every(Boolean) && clients.length < 3_000;
    expect(clients.length).toBeGreaterThan(10);
    expect(await connect()).toBe(false);
    expect(await loginWorks()).toBe(true);
    await rig.create('neighbour', '2.7.2');
    await rig.available('neighbour');
    await rig.api.delete('neighbour');
    await rig.gone('neighbour');
  } finally {
    await Promise.allSettled(clients.map((client) => client.end()));
  }
  await nothingWrong();
});

test('PostgreSQL is suspended when the server starts: said in time, with what to do; then it goes on', async () => {
  await rig.crash();
  const old = postmaster();
  process.kill(old, 'SIGSTOP');
  try {
    const failed = rig.launch();
    expect(await failed.end(30)).toBe(1);
    expect(failed.output).toMatch(/was suspended by somebody .*kill -CONT \d+/);
    expect(failed.output).not.toMatch(/\n\s+at .*:\d+/);
  } finally {
    process.kill(old, 'SIGCONT');
  }
  await rig.start();
  expect(postmaster()).toBe(old);
  await nothingWrong();
});
