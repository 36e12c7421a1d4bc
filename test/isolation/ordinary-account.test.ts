// What is kept from DAGs where everything runs under one ordinary account, and what the start says is not.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, isRoot, makeAccount, removeAccount } from '../harness/accounts.ts';
import { runCommand } from '../harness/door.ts';
import { databaseOf, roleOf } from '../harness/environment-database.ts';
import { makeNeighbourhood, type Neighbourhood } from '../harness/neighbourhood.ts';
import { greetPostgres, type Probe } from '../harness/probing.ts';
import { everyCommand } from '../harness/processes.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

let account: Account | undefined;
let n: Neighbourhood;
let attacker: Probe;
let data: string;

beforeAll(async () => {
  account = isRoot ? makeAccount() : undefined;
  n = await makeNeighbourhood({ account });
  attacker = n.attacker;
  data = n.rig.place.data;
}, 120_000);

afterAll(async () => {
  await n?.remove();
  if (account) removeAccount(account.name);
}, 120_000);

const closed = /^(PermissionError|FileNotFoundError)/;

test('the start says in one line what is not separated', async () => {
  expect(n.rig.server.output).toMatch(/^ {2}Every environment runs under your account: .*can read/m);
  const status = await runWindsock(n.rig.place, ['status', '--json']);
  expect(JSON.parse(status.stdout)).toMatchObject({ view: { kind: 'user' } });
});

test('the data folder is covered, and so are the folders that everybody may write to', async () => {
  const own = attacker.machine.folder;
  const paths = [
    ...['secrets', 'buckets', 'postgres', 'logs', 'server.json'].map((name) => join(data, name)),
    ...['config', 'dags', 'home'].map((name) => join(n.victim.machine.folder, name)),
  ];
  const look = 'import os\nreturn [str(attempt(os.stat, path)) for path in paths]';
  for (const text of await attacker.ask<string[]>(look, { paths })) expect(text).toMatch(closed);
  const config = [join(own, 'config/airflow.cfg')];
  expect((await attacker.ask<string[]>(look, { paths: config }))[0]).not.toMatch(closed);
  const script = 'umount "$1"; umount -l "$1"; ls "$1"; nsenter --mount=/proc/$2/ns/mnt ls "$1"; echo done';
  const seen = await attacker.ask<string>(
    'import subprocess\nreturn subprocess.run(["unshare", "-Urm", "sh", "-c", script, "sh", data, pid], stdout=-1, text=True).stdout',
    { script, data, pid: String(n.rig.server.pid) },
  );
  expect(seen).toContain('done');
  expect(seen).not.toContain('secrets');
});

test('processes can be ended, and not looked into', async () => {
  const look = `import os
def read(name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return str(len(file.read()))
answers = [attempt(read, name) for name in ["environ", "maps", "auxv"]]
answers += [str(attempt(os.listdir, f"/proc/{pid}/{name}")) for name in ["root", "cwd"]]
return [*answers, *(str(attempt(os.readlink, f"/proc/{pid}/fd/{fd}")) for fd in range(4))]`;
  const pids = [n.rig.server.pid, n.victim.machine.pidOf('scheduler'), n.victim.machine.pidOf('webserver')];
  for (const pid of pids)
    for (const text of await attacker.ask<string[]>(look, { pid })) expect(text).toMatch(closed);
  expect(
    await attacker.ask('import os\nreturn attempt(os.kill, pid, 0)', { pid: n.rig.server.pid }),
  ).toBeNull();
  const [own] = await attacker.ask<string[]>(look.replaceAll('/{pid}/', '/self/'), { pid: 0 });
  expect(own).not.toMatch(closed);
});

test('what a command hides ends with it', async () => {
  const { place, mint } = n.rig;
  const seconds = `6${process.pid}.5`;
  await until('its web server', 60, async () => {
    const { stdout } = await runCommand(place, mint, 'attacker', `tasks test hides-${seconds} t`);
    return stdout.includes('trivial airflow tasks test');
  });
  expect(everyCommand()).not.toContain(`sleep ${seconds}`);
});

test("what else the account may read, DAGs may: they are this account's own", async () => {
  if (!account) return;
  const file = join(account.home, 'windsock-test');
  writeFileSync(file, 'words');
  expect(await attacker.ask('return attempt(lambda: open(file).read())', { file })).toBe('words');
});

describe('PostgreSQL', () => {
  const greet = (user: string, database: string) =>
    attacker.ask<string>(greetPostgres, { folder: join(data, 'run'), user, database });

  const isClosed = async () => {
    for (const user of ['windsock_boot', 'windsock'])
      expect(await greet(user, 'postgres')).toContain('SCRAM');
    const { machine } = attacker;
    expect(await greet(roleOf(machine), databaseOf(machine))).toContain('SCRAM');
  };

  test('takes nobody for its superuser by the account', isClosed);

  test('goes on after its end, and under a server that made a password anew', async () => {
    const status = async () => JSON.parse((await runWindsock(n.rig.place, ['status', '--json'])).stdout);
    const { pid } = (await status()).postgres as { pid: number };
    process.kill(pid, 'SIGKILL');
    await n.rig.wait('another PostgreSQL', 60, async () => {
      const { postgres } = await status();
      return postgres.state === 'running' && postgres.pid !== pid;
    });
    await n.rig.available('victim');
    await isClosed();
    await n.rig.stop();
    rmSync(join(data, 'secrets', 'database-password'));
    await n.rig.start();
    await n.rig.available('attacker');
    await n.rig.wait('the probe again', 60, () => n.attacker.ask('return True').catch(() => false));
    await isClosed();
  }, 200_000);
});
