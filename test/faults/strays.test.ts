// Processes that leave their component's tree, and processes of others that an environment's facts seem to name.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { postLogin } from '../harness/door.ts';
import { type Facts, lives, type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { Rig } from '../harness/rig.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

const name = 'one';
let rig: Rig;
let one: Machine;
const strangers: ChildProcess[] = [];

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create(name, '2.7.2');
  await rig.available(name);
  one = await machineOf(rig.place, name);
}, 120_000);

afterEach(() => {
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
});
afterAll(() => rig?.remove(), 120_000);

const loginWorks = async () => (await postLogin(rig.place, await rig.mint.webToken(name), 2)).status === 200;

const nothingWrong = async () => {
  await until('a login', 60, loginWorks);
  await untilNothingWrong(rig.place, rig.server.pid, 60);
};

const pids = () => Object.fromEntries(one.facts().processes.map((p) => [p.component, p.pid]));

const kill = (component: string): number => {
  const pid = one.pidOf(component);
  if (pid === undefined) throw new Error(`there is no ${component}`);
  process.kill(pid, 'SIGKILL');
  return pid;
};

const leftFile = () => join(one.home, 'left');
const left = () =>
  existsSync(leftFile()) ? readFileSync(leftFile(), 'utf8').trim().split('\n').map(Number) : [];

/** Lets the component begin anew and leave a process behind, which is given. */
const leave = async (component: string): Promise<number> => {
  rmSync(leftFile(), { force: true });
  writeFileSync(join(one.home, 'leaves'), `${component}\n`, { mode: 0o644 });
  kill(component);
  const pid = await until('a process that left', 30, () => left()[0]);
  rmSync(join(one.home, 'leaves'));
  expect(lives(pid)).toBe(true);
  return pid;
};

test('what a scheduler left behind goes with it, before another one starts', async () => {
  await nothingWrong();
  const stray = await leave('scheduler');
  const old = kill('scheduler');
  await until(
    'another scheduler',
    30,
    () => one.pidOf('scheduler') !== undefined && one.pidOf('scheduler') !== old,
  );
  expect(lives(stray)).toBe(false);
  await nothingWrong();
});

test.for(['scheduler', 'triggerer'])(
  'what a %s left behind is gone after a crash and a start',
  async (component) => {
    const stray = await leave(component);
    await until('a login', 60, loginWorks);
    const before = pids();
    await rig.crash();
    expect(lives(stray)).toBe(true);
    await rig.start();
    await until('it is gone', 30, () => !lives(stray));
    await nothingWrong();
    expect(pids()).toEqual(before);
  },
);

/** A process of the test; as the leader of a session, or in that of the test. */
const stranger = (detached: boolean): number => {
  const child = spawn('sleep', ['600'], { detached, stdio: 'ignore' });
  strangers.push(child);
  if (child.pid === undefined) throw new Error('no sleep');
  return child.pid;
};

const startTimeOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
};

const rewriteFacts = (change: (facts: Facts) => object): void => {
  writeFileSync(one.factsFile, JSON.stringify(change(one.facts())));
};

/** The triggerer's pid was given to somebody else, who began at `startTime` by what is written down. */
const giveAway = (pid: number, startTime: number): void =>
  rewriteFacts((facts) => ({
    ...facts,
    processes: facts.processes.map((p) => (p.component === 'triggerer' ? { ...p, pid, startTime } : p)),
  }));

test.for([
  { what: 'the leader of a session that began later', detached: true, earlier: 100 },
  { what: 'a process in a session of somebody else', detached: false, earlier: 100 },
  { what: 'a process that began at the same moment', detached: false, earlier: 0 },
])('a pid that belongs to a stranger now: $what', async ({ detached, earlier }) => {
  const before = pids();
  await rig.crash();
  process.kill(Number(before['triggerer']), 'SIGKILL');
  const pid = stranger(detached);
  giveAway(pid, startTimeOf(pid) - earlier);
  await rig.start();
  await nothingWrong();
  expect(lives(pid)).toBe(true);
  const { triggerer, ...others } = pids();
  expect(triggerer).not.toBe(pid);
  expect(others['scheduler']).toBe(before['scheduler']);
});

test('facts of another boot: all of the environment is ended and started anew, once', async () => {
  const before = pids();
  const starts = schedulerStarts(rig.place).length;
  const pid = stranger(true);
  await rig.crash();
  giveAway(pid, startTimeOf(pid));
  rewriteFacts((facts) => ({ ...facts, bootId: '00000000-0000-4000-8000-000000000000' }));
  await rig.start();
  await nothingWrong();
  expect(Object.values(before).filter(lives)).toEqual([]);
  expect(lives(pid)).toBe(true);
  expect(schedulerStarts(rig.place).slice(starts)).toMatchObject([
    { what: 'starts', pid: pids()['scheduler'] },
  ]);
});

test('what was left behind is gone after the environment is deleted', async () => {
  const strays = [await leave('triggerer'), await leave('scheduler')];
  await rig.api.delete(name);
  await rig.gone(name);
  expect(strays.filter(lives)).toEqual([]);
  await untilNothingWrong(rig.place, rig.server.pid, 30);
});
