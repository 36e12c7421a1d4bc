// A server without a file descriptor left, while a component ends: nothing twice, nothing lost, well again by itself.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postLogin } from '../harness/door.ts';
import { lives, type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { Rig } from '../harness/rig.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
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

const loginWorks = async () => (await postLogin(rig.place, await rig.mint.webToken(name), 2)).status === 200;

const limit = (soft: number | string) =>
  execFileSync('prlimit', ['--pid', String(rig.server.pid), `--nofile=${soft}:`]);

test.for([
  { component: 'scheduler', whose: 'that this server started' },
  { component: 'scheduler', whose: 'that was taken over' },
  { component: 'webserver', whose: 'that was taken over' },
])('a $component $whose ends while there is no descriptor', async ({ component, whose }) => {
  if (whose === 'that was taken over') {
    await rig.crash();
    await rig.start();
  }
  await until('a login', 60, loginWorks);
  await untilNothingWrong(rig.place, rig.server.pid, 60);
  const starts = schedulerStarts(rig.place).length;
  const before = one.facts().processes;
  const old = one.pidOf(component);
  if (old === undefined) throw new Error(`there is no ${component}`);
  const pid = String(rig.server.pid);
  expect(readdirSync(`/proc/${pid}/fd`).length).toBeGreaterThan(20);
  limit(20);
  try {
    process.kill(old, 'SIGKILL');
    // Most of them wait to be accepted: then they get their token later, with its record.
    const token = () =>
      rig.mint.webToken(name).then(
        () => 'token',
        () => 'refused',
      );
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => Promise.race([token(), delay(4_000, 'waits')])),
    );
    expect(answers).not.toContain('token');
    expect(rig.server.hasEnded, rig.server.output).toBe(false);
    expect(schedulerStarts(rig.place)).toHaveLength(starts);
  } finally {
    limit(4096);
  }
  await until('a login', 60, loginWorks);
  await until('the component', 60, () => ![old, undefined].includes(one.pidOf(component)));
  await untilNothingWrong(rig.place, rig.server.pid, 60);
  expect(schedulerStarts(rig.place)).toHaveLength(starts + (component === 'scheduler' ? 1 : 0));
  const others = before.filter((p) => p.component !== component);
  expect(others.filter((p) => !lives(p.pid))).toEqual([]);
});
