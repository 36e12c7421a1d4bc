// Every test here runs the real PostgreSQL of this installation.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureAccount } from '../../lib/accounts.ts';
import { silentLog } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import { embeddedServer } from '../database-server.ts';
import { prepareOwnDatabase } from '../prepare-own-database.ts';
import { programsFor } from './binaries.ts';
import { bootRole, clusterMajor, ensureCluster, ownDatabase, ownRole } from './cluster.ts';
import { isInUse, runningPostmaster } from './postmaster.ts';
import { type Postgres, type PostgresOptions, startPostgres } from './supervisor.ts';

const isRoot = process.getuid?.() === 0;
const limits = { maxConnections: 12, ownConnections: 3 };

let place: string;
let account: Account | undefined;
let options: PostgresOptions;
const started: Postgres[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  place = mkdtempSync('/tmp/windsock-postgres-');
  chmodSync(place, 0o755);
  account = isRoot ? await ensureAccount('windsock-pg') : undefined;
  const { folder: binaries } = await programsFor(undefined, join(place, 'programs'));
  const parent = join(place, 'postgres');
  mkdirSync(parent, { mode: 0o700 });
  if (account) chownSync(parent, account.uid, account.gid);
  const socketFolder = join(place, 'run');
  mkdirSync(socketFolder, { mode: 0o755 });
  if (account) chownSync(socketFolder, account.uid, account.gid);
  const files = { folder: join(parent, 'data'), logFile: join(place, 'log') };
  options = { ...files, ...limits, binaries, account, socketFolder, log: silentLog };
  await ensureCluster(options, { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' });
}, 60_000);

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const one of started.splice(0)) await one.stop();
  const running = await isInUse(options.folder);
  rmSync(place, { recursive: true, force: true });
  expect(running).toBe(false);
}, 60_000);

const start = async (): Promise<Postgres> => {
  const postgres = await startPostgres(options);
  started.push(postgres);
  return postgres;
};

const connect = async (user: string, password?: string): Promise<pg.Client> => {
  const database = user === bootRole ? 'postgres' : user === ownRole ? ownDatabase : 'greedy';
  const client = new pg.Client({
    host: options.socketFolder,
    user,
    database,
    ...(password ? { password } : {}),
  });
  client.on('error', () => {});
  await client.connect();
  return client;
};

const until = async (what: string, ask: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 30_000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await delay(50);
  }
};

const answers = async (): Promise<boolean> => {
  const client = await connect(bootRole).catch(() => undefined);
  await client?.end();
  return client !== undefined;
};

const pidOf = (postgres: Postgres): number => postgres.status().pid ?? 0;

describe('one PostgreSQL', { timeout: 60_000 }, () => {
  test('an environment that uses up all connections does not lock Windsock out', async () => {
    await start();
    await prepareOwnDatabase(embeddedServer(options.socketFolder, account?.name));
    const boot = await connect(bootRole);
    await boot.query(`create role greedy login password 'g'`);
    await boot.query('create database greedy owner greedy');
    await boot.end();
    const taken: pg.Client[] = [];
    let refusal: unknown;
    while (!refusal && taken.length <= limits.maxConnections)
      await connect('greedy', 'g').then(
        (client) => taken.push(client),
        (error: unknown) => {
          refusal = error;
        },
      );
    expect(refusal).toMatchObject({ code: '53300' });
    expect(taken.length).toBe(limits.maxConnections - 3 - limits.ownConnections);
    const own = await Promise.all(Array.from({ length: limits.ownConnections }, () => connect(ownRole)));
    const administrator = await connect(bootRole);
    for (const client of [...own, administrator, ...taken]) await client.end();
  });

  test('two started at the same moment: one serves, the other takes it over', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(pidOf(one)).toBe(pidOf(other));
    expect([one.status().adopted, other.status().adopted].sort()).toEqual([false, true]);
  });

  test('killed, with one of its processes hanging: it comes back', async () => {
    const postgres = await start();
    const old = pidOf(postgres);
    const client = await connect(bootRole);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(rows[0]?.pid ?? 0, 'SIGSTOP');
    process.kill(old, 'SIGKILL');
    await until('restarting', () => postgres.status().state === 'restarting');
    await until('another one', () => postgres.status().state === 'running');
    expect(postgres.status()).toMatchObject({ restarts: 1, adopted: false });
    expect(postgres.status().lastError).toContain('SIGKILL');
    expect(pidOf(postgres)).not.toBe(old);
    expect(await answers()).toBe(true);
  });

  test('one that was taken over and is killed comes back as well', async () => {
    const first = await start();
    const second = await start();
    first.leave();
    process.kill(pidOf(second), 'SIGKILL');
    await until('another one', () => second.status().restarts === 1);
    expect(second.status()).toMatchObject({ state: 'running', adopted: false });
  });

  test('what keeps it from starting may last: it is tried until it goes away', async () => {
    const postgres = await start();
    const control = join(options.folder, 'global', 'pg_control');
    const bytes = readFileSync(control);
    writeFileSync(control, '');
    process.kill(pidOf(postgres), 'SIGKILL');
    await until('a failed start', () => /pg_control|control file/.test(postgres.status().lastError ?? ''));
    writeFileSync(control, bytes);
    await until('it runs', () => postgres.status().state === 'running');
    expect(await answers()).toBe(true);
  });

  test('left alone it runs on; the next one takes it over and ends it', async () => {
    const first = await start();
    first.leave();
    expect(await answers()).toBe(true);
    const second = await start();
    expect(second.status()).toMatchObject({ adopted: true, pid: pidOf(first) });
    await second.stop();
    expect(second.status().state).toBe('stopped');
    expect(await isInUse(options.folder)).toBe(false);
  });

  test('its lock files name a stranger of the same account: it starts all the same', async () => {
    const as = account ? { uid: account.uid, gid: account.gid } : {};
    const stranger = spawn('/bin/sleep', ['60'], { ...as, stdio: 'ignore' });
    children.push(stranger);
    const locks = [join(options.folder, 'postmaster.pid'), join(options.socketFolder, '.s.PGSQL.5432.lock')];
    for (const lock of locks) {
      writeFileSync(lock, `${stranger.pid}\n${options.folder}\n1\n5432\n${options.socketFolder}\n`);
      if (account) chownSync(lock, account.uid, account.gid);
    }
    const postgres = await start();
    expect(postgres.status().adopted).toBe(false);
    expect(stranger.exitCode).toBe(null);
    expect(stranger.signalCode).toBe(null);
  });

  test('somebody suspended it: the start ends with what to do', async () => {
    const first = await start();
    first.leave();
    const pid = pidOf(first);
    process.kill(pid, 'SIGSTOP');
    await expect(startPostgres(options)).rejects.toMatchObject({
      code: 'PostgresNotStarted',
      publicText: expect.stringContaining(`kill -CONT ${pid}`),
    });
    process.kill(pid, 'SIGCONT');
    expect(runningPostmaster(options.folder)?.pid).toBe(pid);
    await (await start()).stop();
  });
});

describe('whose programs', () => {
  test('the cluster decides', async () => {
    expect(clusterMajor(options.folder)).toBe('16');
    expect(clusterMajor(join(place, 'nothing'))).toBe(undefined);
    const programs = join(place, 'programs');
    expect((await programsFor('16', programs)).warning).toBe(undefined);
    await expect(programsFor('15', programs)).rejects.toMatchObject({ code: 'PostgresMajorMissing' });
    for (const version of ['15.9.0-beta.17', '15.10.0-beta.16', '15.11.0-beta.1.tmp'])
      mkdirSync(join(programs, `postgres-${version}`));
    const kept = await programsFor('15', programs);
    expect(kept.folder).toBe(join(programs, 'postgres-15.10.0-beta.16'));
    expect(kept.warning).toContain('PostgreSQL 15');
  });

  test('several at once copy them once', async () => {
    const programs = join(place, 'other');
    await Promise.all([programsFor(undefined, programs), programsFor('16', programs)]);
    expect(readdirSync(programs)).toHaveLength(1);
    expect(existsSync(join(programs, readdirSync(programs)[0] ?? '', 'bin', 'postgres'))).toBe(true);
  });
});
