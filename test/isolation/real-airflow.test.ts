// The same hostile code as a task of a real Airflow 3.3.1: what its process carries, and what a neighbour's tasks believe.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { putDag, sayingDag } from '../harness/dags.ts';
import { runCommand } from '../harness/door.ts';
import { heardBy, Probe, putProbe, stealPort } from '../harness/probing.ts';
import { Rig } from '../harness/rig.ts';
import { makePlace, type Place, removePlace } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const version = '3.3.1';
const names = ['attacker', 'victim'];
let place: Place;
let rig: Rig;
let attacker: Probe;
let victim: Probe;

/** Starts a run of a DAG of the victim or the attacker. */
const trigger = async (name: string, dag: string, id: string): Promise<void> => {
  await until(`${dag} of ${name}`, 120, async () => {
    const list = await runCommand(place, rig.mint, name, 'dags list -o json');
    return list.stdout.includes(dag);
  });
  await runCommand(place, rig.mint, name, `dags unpause ${dag}`);
  expect((await runCommand(place, rig.mint, name, `dags trigger ${dag} --run-id ${id}`)).status).toBe(200);
};

beforeAll(async () => {
  if (!isRoot) return;
  place = await makePlace('/opt');
  rig = await Rig.make({ place, real: [version] });
  for (const name of names) {
    putProbe(place, name);
    putDag(place, name, 'saying.py', sayingDag('saying', 'words'));
    await rig.api.create(name, version);
  }
  for (const name of names)
    await rig.wait(`${name} AVAILABLE`, 400, async () => (await rig.api.find(name))?.Status === 'AVAILABLE');
  for (const name of names) await trigger(name, 'probing', 'once');
  [attacker, victim] = [await Probe.of(place, 'attacker'), await Probe.of(place, 'victim')];
}, 900_000);

afterAll(async () => {
  try {
    await rig?.remove();
  } finally {
    if (place) removePlace(place);
  }
}, 120_000);

describe.runIf(isRoot)('a task', () => {
  test('carries no secret of Windsock or of a neighbour', async () => {
    const seen = await attacker.ask<string>(`import os
def read(path):
    with open(path, "rb") as file:
        return file.read(100000).decode("latin-1")
pids = [name for name in os.listdir("/proc") if name.isdigit()]
parts = [attempt(read, f"/proc/{pid}/{name}") for pid in pids for name in ["cmdline", "environ"]]
parts += [attempt(os.readlink, "/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + fd)]
return chr(10).join(map(str, [*parts, dict(os.environ)]))`);
    expect(seen).toContain(attacker.machine.id);
    const files = ['root-access-key.json', 'signing-keys.json', 'identity-key', 'audit-key'].map((name) =>
      join(place.data, 'secrets', name),
    );
    const secrets = [...files, join(victim.machine.folder, 'secrets.json')].flatMap(
      (file) => readFileSync(file, 'utf8').match(/[\w+/=-]{30,}/g) ?? [],
    );
    expect(secrets.length).toBeGreaterThan(6);
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
    expect(seen).not.toContain(`environments/${victim.machine.id}/home`);
  });

  test('sends its token to nobody who took the port of its web server', async () => {
    const port = victim.machine.facts().webPort;
    await trigger('victim', 'saying', 'before');
    await attacker.ask(stealPort, { port });
    process.kill(victim.machine.pidOf('webserver') ?? 0, 'SIGKILL');
    await until('the port in other hands', 60, () => heardBy(attacker, 'taken') !== '', 5);
    // its own code and Airflow's tasks call the same address
    const client = `import airflow.sdk.api.client as api, re, os
url = re.search("^execution_api_server_url = (.*)$", open(os.environ["AIRFLOW_CONFIG"]).read(), re.MULTILINE).group(1)
import httpx
try:
    return httpx.Client(base_url=url, headers={"authorization": "Bearer of-the-victim"}).get("health").text
except httpx.HTTPError as error:
    return str(error)`;
    expect(await victim.ask(client)).toMatch(/port \d+ is in other hands/);
    await trigger('victim', 'saying', 'meanwhile').catch(() => {});
    await rig.wait('another port', 240, () => victim.machine.facts().webPort !== port);
    await rig.wait(
      'victim AVAILABLE',
      240,
      async () => (await rig.api.find('victim'))?.Status === 'AVAILABLE',
    );
    expect(heardBy(attacker, 'connections').length).toBeGreaterThan(0);
    expect(heardBy(attacker, 'heard')).toBe('');
    await until('the runs have ended well', 240, async () => {
      const list = await runCommand(place, rig.mint, 'victim', 'dags list-runs saying -o json');
      return list.status === 200 && !/running|queued/.test(list.stdout) && list.stdout.includes('success');
    });
  }, 900_000);
});
