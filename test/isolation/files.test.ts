// What hostile code in a DAG of one environment gets of the files of another, and of the server's.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountOf, isRoot } from '../harness/accounts.ts';
import { makeNeighbourhood, type Neighbourhood } from '../harness/neighbourhood.ts';
import type { Probe } from '../harness/probing.ts';

let n: Neighbourhood;
let attacker: Probe;
let victim: Probe;
let data: string;

beforeAll(async () => {
  if (!isRoot) return;
  n = await makeNeighbourhood();
  ({ attacker, victim } = n);
  data = n.rig.place.data;
}, 120_000);

afterAll(async () => {
  await n?.remove();
}, 120_000);

const denied = /^(PermissionError|FileNotFoundError|OSError: Read-only)/;

/** Files below the data folder of which `find` says so, for the bare account of the attacker: without its view. */
const foundBy = (question: string): readonly string[] => {
  const account = accountOf(`windsock-${attacker.machine.id}`);
  // their ids are no secret, and the folder above cannot be listed
  const folders = [data, attacker.machine.folder, victim.machine.folder];
  const { stdout } = spawnSync('find', [...folders, '!', '-type', 'l', question, '-print'], {
    uid: account?.uid,
    gid: account?.gid,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(data.length + 1));
};

describe.runIf(isRoot)('files', () => {
  test('of its own it reads what it needs; of others and of the server nothing', async () => {
    const read = (folder: string) =>
      attacker.ask<Record<string, string>>(
        `names = ["config/airflow.cfg", "dags/probing.py", "home", "tmp", "logs", "secrets.json", "facts.json"]
def look(path):
    return os.listdir(path) if os.path.isdir(path) else open(path).read()
import os
return {name: str(attempt(look, folder + "/" + name)) for name in names}`,
        { folder },
      );
    const own = await read(attacker.machine.folder);
    expect(own['config/airflow.cfg']).toContain('fernet_key');
    expect(own['dags/probing.py']).toContain('def probing');
    for (const name of ['logs', 'secrets.json', 'facts.json']) expect(own[name], name).toMatch(denied);
    for (const [name, text] of Object.entries(await read(victim.machine.folder)))
      expect(text, name).toMatch(denied);
    const ours = await attacker.ask<Record<string, string>>(
      `import os
names = ["secrets", "postgres", "buckets", "logs", "cache", "status.json", "server.json", "endpoint.json", "newest-audit-seal.json"]
return {name: str(attempt(os.stat, data + "/" + name)) for name in names}`,
      { data },
    );
    for (const [name, text] of Object.entries(ours)) expect(text, name).toMatch(denied);
  });

  test('file modes hold where there is no view', () => {
    const readable = foundBy('-readable');
    const own = `environments/${attacker.machine.id}`;
    const everybodys = /^$|^(bases|programs|run|cache|buckets)(\/|$)|^(ca|ca-bundle)\.pem$|^endpoint\.json$/;
    expect(readable).toContain(`${own}/config/airflow.cfg`);
    expect(readable.filter((file) => !everybodys.test(file) && !`${file}/`.startsWith(`${own}/`))).toEqual(
      [],
    );
    const writable = foundBy('-writable');
    expect(writable).toContain(`${own}/home`);
    expect(writable.filter((file) => !/^(home|tmp)(\/|$)/.test(file.slice(own.length + 1)))).toEqual([
      'run/.s.PGSQL.5432',
    ]);
  });

  test('what others import and run cannot be changed', async () => {
    const answers = await attacker.ask<Record<string, string>>(
      `import glob, os, sys
base = os.environ["VIRTUAL_ENV"]
def write(path):
    with open(path, "a") as file:
        file.write("import evil\\n")
    os.remove(path)
    return "written"
folders = [base, base + "/bin", base + "/lib", os.environ["PYTHONPATH"], data, data + "/run", data + "/bases",
  "/usr/local", "/usr/local/bin", "/usr/bin", "/usr/lib/python3/dist-packages", home + "/dags", home + "/plugins"]
paths = [folder + "/evil.pth" for folder in folders if os.path.isdir(folder)]
paths += [base + "/bin/python", os.environ["PYTHONPATH"] + "/windsock_shim.py", os.environ["AIRFLOW_CONFIG"], "/etc/hosts"]
answers = {path: attempt(write, path) for path in [*paths, home + "/evil.pth"]}
answers["socket"] = attempt(os.rename, data + "/run/.s.PGSQL.5432", data + "/run/x")
answers["base"] = attempt(os.rename, base, base + "x")
answers["mode"] = attempt(os.chmod, base, 0o777)
return answers`,
      { data, home: '/usr/local/airflow' },
    );
    expect(answers['/usr/local/airflow/evil.pth']).toBe('written');
    delete answers['/usr/local/airflow/evil.pth'];
    expect(Object.keys(answers).length).toBeGreaterThan(15);
    for (const [path, text] of Object.entries(answers)) expect(text, path).toMatch(denied);
  });

  test('folders that everybody may write to are each its own', async () => {
    const paths = ['/tmp/windsock-planted', '/var/tmp/windsock-too', '/dev/shm/windsock-planted'];
    const plant = `import os
for path in paths:
    os.symlink("/etc/passwd", path)
return [os.path.lexists(path) for path in paths]`;
    expect(await attacker.ask(plant, { paths })).toEqual([true, true, true]);
    const look = 'import os\nreturn [os.path.lexists(path) for path in paths]';
    expect(await victim.ask(look, { paths })).toEqual([false, false, false]);
    expect(paths.map((path) => existsSync(path))).toEqual([false, false, false]);
    expect(readdirSync(join(attacker.machine.folder, 'tmp'))).toEqual(
      expect.arrayContaining(['windsock-planted', 'windsock-too']),
    );
  });

  test('a namespace of its own takes no cover away', async () => {
    const script = `echo inside
umount "$1"; umount -l "$1"; umount -R "$1"; ls "$1"
mkdir -p /tmp/under; mount --bind "$(dirname "$1")" /tmp/under && ls /tmp/under/data
mount --rbind / /tmp/under && umount -l "/tmp/under$1"; ls "/tmp/under$1"; mount --move "$1" /tmp/under; ls "$1"`;
    const seen = await attacker.ask<string>(
      'import subprocess\nreturn subprocess.run(["unshare", "-Urm", "sh", "-c", script, "sh", data], stdout=-1, text=True).stdout',
      { script, data },
    );
    expect(seen).toContain('inside');
    for (const name of ['secrets', 'buckets', 'postgres', 'server.json']) expect(seen).not.toContain(name);
  });
});
