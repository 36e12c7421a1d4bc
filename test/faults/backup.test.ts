// What `windsock backup` writes while the server works, and what `windsock restore` makes of it.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountOf, isRoot } from '../harness/accounts.ts';
import { Api } from '../harness/api.ts';
import { putDag } from '../harness/dags.ts';
import { postLogin } from '../harness/door.ts';
import { Minter } from '../harness/minter.ts';
import type { Environment, WebToken } from '../harness/mwaa.ts';
import { ownQuery as query } from '../harness/own-database.ts';
import { processesOf } from '../harness/processes.ts';
import {
  leftOvers,
  makePlace,
  type Place,
  Running,
  removePlace,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { plainEnvironment, windsockProgram } from '../harness/tools.ts';
import { installTrivialAirflow } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

const command = (...args: readonly string[]): Running =>
  new Running(
    spawn(process.execPath, [windsockProgram('cli/main'), ...args], {
      cwd: '/',
      env: plainEnvironment(process.env['HOME'] ?? '/'),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

/** A command that must work; gives what it printed. */
const run = async (...args: readonly string[]): Promise<string> => {
  const running = command(...args);
  expect(await running.end(120), running.output).toBe(0);
  return running.output;
};

/** A command that must fail; gives what it said. */
const refused = async (...args: readonly string[]): Promise<string> => {
  const running = command(...args);
  expect(await running.end(120), running.output).toBe(1);
  expect(running.output).not.toMatch(/\n\s+at .*:\d+/);
  return running.output;
};

const available = async (place: Place, name: string): Promise<Environment> => {
  const api = new Api(place);
  return until(
    `${name} AVAILABLE`,
    60,
    async () => {
      const found = await api.find(name);
      return found?.Status === 'AVAILABLE' && found;
    },
    100,
  );
};

const create = async (place: Place, name: string): Promise<void> => {
  putDag(place, name, 'dag.py', `# ${name}\n`);
  await new Api(place).create(name, '3.3.1');
};

const idOf = async (place: Place, name: string): Promise<string> => {
  const [row] = await query<{ id: string }>(
    place,
    'windsock',
    `select id from environments where name = '${name}' and deleted_at is null`,
  );
  if (!row) throw new Error(`${name} is not in the table`);
  return row.id;
};

const members = (file: string): readonly string[] =>
  execFileSync('tar', ['-tzf', file], { encoding: 'utf8', maxBuffer: 1e8 }).trim().split('\n');

describe('backup and restore', () => {
  let place: Place;
  let restored: Place;
  let env: Readonly<Record<string, string>>;
  let server: Running;
  let id: string;
  let hostname: string;
  let tokenFromBefore: WebToken;
  let auditsBefore: number;

  const file = (name: string): string => join(place.folder, name);
  const secret = (at: Place, name: string): string => readFileSync(join(at.data, 'secrets', name), 'utf8');
  const countAudits = async (at: Place): Promise<number> =>
    Number((await query<{ n: string }>(at, 'windsock', 'select count(*) as n from audit_events'))[0]?.n ?? 0);

  beforeAll(async () => {
    place = await makePlace();
    restored = { ...place, data: join(place.folder, 'restored') };
    env = installTrivialAirflow(place);
    server = await startServer({ place, env, args: ['--no-demo', '--tokens-per-second', '1000'] });
    await create(place, 'kept');
    hostname = (await available(place, 'kept')).WebserverUrl ?? '';
    id = await idOf(place, 'kept');
    const home = join(place.data, 'environments', id, 'home');
    const { uid, gid } = statSync(home);
    const log = join(home, 'logs', 'attempt=1.log');
    writeFileSync(log, 'what the task said\n');
    chownSync(log, uid, gid);
    await query(place, `airflow_${id}`, `create table history as select 'it ran' as what`);
  });

  afterAll(async () => {
    if (server && !server.hasEnded) await stopServer(server);
    if (!place) return;
    removePlace(restored);
    removePlace(place);
  });

  test('a backup while environments are made and people log in', async () => {
    const minter = new Minter(place);
    auditsBefore = await countAudits(place);
    const backup = command('backup', file('busy.tar.gz'), '--data', place.data, '--json');
    const traffic = (async () => {
      await create(place, 'late');
      while (!backup.hasEnded) {
        const login = await postLogin(place, await minter.webToken('kept'), 3);
        expect(login.status).toBe(200);
      }
    })();
    expect(await backup.end(120), backup.output).toBe(0);
    await traffic;
    const result = JSON.parse(backup.output.slice(backup.output.indexOf('{'))) as Record<string, unknown>;
    expect(result).toMatchObject({ file: file('busy.tar.gz'), bytes: statSync(file('busy.tar.gz')).size });
    expect(result['environments']).toContain('kept');
    expect(statSync(file('busy.tar.gz')).mode & 0o777).toBe(0o600);
    tokenFromBefore = await minter.webToken('kept');
  }, 180_000);

  test('it holds what cannot be made anew, and nothing that names a process of here', () => {
    const names = members(file('busy.tar.gz'));
    for (const wanted of [
      ...['secrets/root-access-key.json', 'secrets/signing-keys.json', 'buckets/kept/dags/dag.py'],
      ...[`environments/${id}/secrets.json`, `environments/${id}/home/logs/attempt=1.log`],
      'postgres/data/backup_label',
    ])
      expect(names).toContain(wanted);
    expect(names.filter((name) => /facts\.json|postmaster|^bases|^cache|^programs|^logs/.test(name))).toEqual(
      [],
    );
  });

  test('without task logs', async () => {
    await run('backup', file('small.tar.gz'), '--data', place.data, '--no-task-logs');
    const names = members(file('small.tar.gz'));
    expect(names).toContain(`environments/${id}/secrets.json`);
    expect(names.filter((name) => name.includes('attempt=1'))).toEqual([]);
  });

  test('a file that is there is not written over, nor one in the data folder', async () => {
    const before = readFileSync(file('small.tar.gz'));
    expect(await refused('backup', file('small.tar.gz'), '--data', place.data)).toContain('exists');
    expect(readFileSync(file('small.tar.gz')).equals(before)).toBe(true);
    const inside = join(place.data, 'buckets', 'b.tar.gz');
    expect(await refused('backup', inside, '--data', place.data)).toContain('data folder itself');
    expect(existsSync(inside)).toBe(false);
  });

  test('a database elsewhere is not ours to back up', async () => {
    const running = new Running(
      spawn(process.execPath, [windsockProgram('cli/main'), 'backup', file('x'), '--data', place.data], {
        env: { ...plainEnvironment('/'), WINDSOCK_DATABASE_URL: 'postgresql://ann:pw@localhost/x' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    expect(await running.end(60)).toBe(1);
    expect(running.output).toContain('WINDSOCK_DATABASE_URL');
    expect(running.output).not.toContain('ann:pw');
  });

  const nothingAt = (data: string): void => {
    expect(existsSync(data)).toBe(false);
    const name = data.slice(data.lastIndexOf('/') + 1);
    expect(readdirSync(place.folder).filter((one) => one.startsWith(`${name}.`))).toEqual([]);
    expect(processesOf(`${data}.`)).toEqual([]);
  };

  test.runIf(isRoot)('environments that still run here are not started a second time', async () => {
    const said = await refused('restore', file('busy.tar.gz'), '--data', restored.data);
    expect(said).toMatch(/environment \w+ runs on this machine/);
    nothingAt(restored.data);
  });

  test('the server is stopped; a backup of one that does not run leaves nothing running', async () => {
    // The last token, while it is young.
    tokenFromBefore = await new Minter(place).webToken('kept');
    expect(await stopServer(server)).toBe(0);
    await run('backup', file('cold.tar.gz'), '--data', place.data);
    expect(await leftOvers(place)).toEqual([]);
    expect(members(file('cold.tar.gz'))).toContain('postgres/data/backup_label');
  });

  test('a backup that is damaged, cut off or no backup is refused', async () => {
    const bytes = readFileSync(file('small.tar.gz'));
    const flipped = Buffer.from(bytes);
    const middle = Math.floor(bytes.length / 2);
    flipped.writeUInt8(bytes.readUInt8(middle) ^ 4, middle);
    writeFileSync(file('flipped'), flipped);
    writeFileSync(file('cut'), bytes.subarray(0, middle));
    writeFileSync(file('other'), 'hello\n');
    for (const bad of ['flipped', 'cut', 'other']) {
      expect(await refused('restore', file(bad), '--data', restored.data)).toContain('cannot be restored');
      nothingAt(restored.data);
    }
    expect(await refused('restore', file('nothing'), '--data', restored.data)).toContain('There is no file');
  });

  test('a folder in use is not restored into', async () => {
    const said = await refused('restore', file('small.tar.gz'), '--data', place.data);
    expect(said).toContain('is not empty');
  });

  test('a restore that is killed leaves nothing that looks restored, and the next one cleans up', async () => {
    const target = join(place.folder, 'killed');
    const unfinished = () => readdirSync(place.folder).filter((name) => name.startsWith('killed.'));
    for (const moment of [/unpacking/, /recovering/]) {
      const running = command('restore', file('cold.tar.gz'), '--data', target);
      await until('it works', 60, () => moment.test(running.output) && unfinished().length > 0, 20);
      const children = processesOf(target).filter((p) => p.command.includes('maintain'));
      for (const { pid } of children) process.kill(pid, 'SIGKILL');
      await running.end(20);
      expect(existsSync(target)).toBe(false);
    }
    await run('restore', file('cold.tar.gz'), '--data', target);
    expect(unfinished()).toEqual([]);
    await until('nothing runs', 10, () => processesOf(target).length === 0);
    expect(existsSync(join(target, 'postgres', 'data', 'PG_VERSION'))).toBe(true);
  }, 180_000);

  test('restored elsewhere: environments come back with their history, tokens from before do not', async () => {
    await run('restore', file('cold.tar.gz'), '--data', restored.data);
    server = await startServer({ place: restored, env, args: ['--no-demo'] });
    const refusedToken = await until('the door', 60, () =>
      postLogin(restored, tokenFromBefore, 3).catch(() => undefined),
    );
    expect(refusedToken.status).not.toBe(200);
    const states = await query<{ unused: string; open: string }>(
      restored,
      'windsock',
      `select (select count(*) from tokens where revoked_at is null) as unused,
              (select count(*) from sessions where ended_at is null) as open`,
    );
    expect(states).toEqual([{ unused: '0', open: '0' }]);
    const kept = await available(restored, 'kept');
    await available(restored, 'late');
    expect(kept.WebserverUrl).toBe(hostname);
    expect(await idOf(restored, 'kept')).toBe(id);
    for (const name of ['root-access-key.json', 'signing-keys.json', 'installation-id'])
      expect(secret(restored, name)).toBe(secret(place, name));
    expect(await countAudits(restored)).toBeGreaterThan(auditsBefore);
    const log = join(restored.data, 'environments', id, 'home', 'logs', 'attempt=1.log');
    expect(readFileSync(log, 'utf8')).toBe('what the task said\n');
    expect(statSync(log).uid).toBe(statSync(join(restored.data, 'environments', id, 'home')).uid);
    const account = accountOf(`windsock-${id}`);
    const dag = statSync(join(restored.data, 'environments', id, 'dags', 'dag.py'));
    if (account) expect([dag.uid, dag.gid]).toEqual([0, account.gid]);
    expect(await query(restored, `airflow_${id}`, 'select what from history')).toEqual([{ what: 'it ran' }]);
    const login = await until('a login', 60, async () => {
      const answer = await postLogin(restored, await new Minter(restored).webToken('kept'), 3);
      return answer.status === 200 && answer;
    });
    expect(login.status).toBe(200);
  }, 240_000);

  test('what was copied in the middle of the work comes back as well', async () => {
    expect(await stopServer(server)).toBe(0);
    const busy = { ...place, data: join(place.folder, 'busy') };
    await run('restore', file('busy.tar.gz'), '--data', busy.data);
    server = await startServer({ place: busy, env, args: ['--no-demo'] });
    await available(busy, 'kept');
    for (const name of await new Api(busy).list()) await available(busy, name);
    expect(await countAudits(busy)).toBeGreaterThanOrEqual(auditsBefore);
    expect(await query(busy, `airflow_${id}`, 'select what from history')).toEqual([{ what: 'it ran' }]);
  }, 240_000);

  test('the original, started beside its copy, leaves alone what the copy runs', async () => {
    const busy = { ...place, data: join(place.folder, 'busy') };
    const running = (): readonly { pid: number }[] =>
      JSON.parse(readFileSync(join(busy.data, 'environments', id, 'facts.json'), 'utf8')).processes;
    const before = await until('all of it runs', 60, () => running().length === 4 && running());
    const other = await makePlace();
    const beside = { ...place, ports: other.ports };
    const original = await startServer({ place: beside, env, args: ['--no-demo'] });
    try {
      const why = await until('a reason', 60, async () => {
        const found = await new Api(beside).find('kept');
        return found?.LastUpdate.Error?.ErrorMessage;
      });
      // without accounts of their own it is the port of the door that only one of them can have
      expect(why).toMatch(isRoot ? /account windsock-\w+ belongs to .*busy/ : /Port \d+ .* is taken/);
      expect(await stopServer(original)).toBe(0);
      expect(running()).toEqual(before);
      expect((await available(busy, 'kept')).LastUpdate.Error).toBeUndefined();
    } finally {
      if (!original.hasEnded) await stopServer(original);
      removePlace(other);
    }
  }, 120_000);
});
