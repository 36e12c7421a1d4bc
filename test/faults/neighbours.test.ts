// One environment that cannot be made right does not keep the others from anything.
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { componentsAt } from '../harness/components.ts';
import { postLogin } from '../harness/door.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { ownQuery } from '../harness/own-database.ts';
import { Rig } from '../harness/rig.ts';
import { serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.make();
  for (const name of ['broken', 'ailing']) await rig.create(name, '2.7.2');
  for (const name of ['broken', 'ailing']) await rig.available(name);
}, 120_000);

afterAll(async () => {
  await rig?.remove();
}, 120_000);

interface Row {
  id: string;
  progress: string | null;
}

const rowOf = async (name: string): Promise<Row> => {
  const rows = await ownQuery<Row & { name: string }>(
    rig.place,
    'windsock',
    'select id, name, progress from environments where deleted_at is null',
  );
  const row = rows.find((r) => r.name === name);
  if (!row) throw new Error(`there is no ${name}`);
  return row;
};

const folderOf = async (name: string) => join(rig.place.data, 'environments', (await rowOf(name)).id);

const loginWorks = async (name: string) =>
  (await postLogin(rig.place, await rig.mint.webToken(name), 2)).status === 200;

/** A neighbour is made, used and deleted as if nothing were wrong. */
const neighbourWorks = async () => {
  await rig.create('neighbour', '2.7.2');
  await rig.available('neighbour');
  await rig.wait('a login', 20, () => loginWorks('neighbour'));
  await rig.api.delete('neighbour');
  await rig.gone('neighbour');
};

const nothingWrong = () => untilNothingWrong(rig.place, rig.server.pid, 60);

const failuresOf = (name: string): number =>
  serverLog(rig.place)
    .split('\n')
    .filter((line) => line.includes('step failed') && line.includes(`"${name}"`)).length;

test('an environment whose secrets are torn fails again and again, with pauses, until they are mended', async () => {
  const { id } = await rowOf('broken');
  const secrets = join(await folderOf('broken'), 'secrets.json');
  const whole = readFileSync(secrets);
  await rig.crash();
  for (const { pid } of componentsAt(rig.place).filter((c) => c.id === id)) process.kill(pid, 'SIGKILL');
  truncateSync(secrets, 0);
  await rig.start();
  await rig.wait('a reason', 30, async () => (await rowOf('broken')).progress);
  await neighbourWorks();
  expect((await rig.api.find('ailing'))?.Status).toBe('AVAILABLE');
  const before = failuresOf('broken');
  expect(before).toBeGreaterThan(0);
  await delay(5_000);
  expect(failuresOf('broken') - before).toBeLessThan(5);
  writeFileSync(secrets, whole);
  await rig.wait('a login', 60, () => loginWorks('broken'));
  await nothingWrong();
}, 180_000);

test('an environment whose bucket goes away while it is created waits for it; others are created and deleted', async () => {
  const bucket = join(rig.place.data, 'buckets', 'lost');
  rig.failpoints.sleepAt('content:before', 1_000);
  await rig.create('lost', '2.7.2');
  await until('the bucket in the way', 30, () => existsSync(bucket));
  renameSync(bucket, `${bucket}-aside`);
  const failed = await rig.wait('a reason', 30, async () => {
    const found = await rig.api.find('lost');
    return found?.LastUpdate.Error && found;
  });
  rig.failpoints.disarm();
  expect(failed.Status).toBe('CREATING');
  expect(failed.LastUpdate.Error?.ErrorMessage).toContain('lost');
  await neighbourWorks();
  renameSync(`${bucket}-aside`, bucket);
  await rig.available('lost');
  await rig.api.delete('lost');
  await rig.gone('lost');
  await nothingWrong();
}, 180_000);

test('a component that dies at once is told, is restarted with growing pauses, and recovers', async () => {
  const { id } = await rowOf('ailing');
  const home = join(await folderOf('ailing'), 'home');
  const scheduler = () => componentsAt(rig.place).find((c) => c.id === id && c.name === 'scheduler');
  const deaths = () => {
    const file = join(home, 'deaths');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
  };
  writeFileSync(join(home, 'dies'), 'scheduler\n', { mode: 0o644 });
  const old = scheduler();
  if (!old) throw new Error('there is no scheduler');
  process.kill(old.pid, 'SIGKILL');
  await rig.wait('what is wrong', 30, async () =>
    /scheduler (does not start|.*times in a row)/.test((await rowOf('ailing')).progress ?? ''),
  );
  expect((await rig.api.find('ailing'))?.Status).toBe('AVAILABLE');
  expect(await loginWorks('ailing')).toBe(true);
  await neighbourWorks();
  await until('several deaths', 30, () => deaths() >= 3);
  const before = deaths();
  await delay(6_000);
  expect(deaths() - before, 'starts in 6 s').toBeLessThan(4);
  rmSync(join(home, 'dies'));
  await until('a scheduler', 60, () => scheduler() !== undefined);
  await nothingWrong();
}, 180_000);

test('environments whose Airflow does not get ready do not keep the loop from the others', async () => {
  const names = ['hang-1', 'hang-2', 'hang-3', 'hang-4', 'hang-5'];
  for (const name of names) await rig.create(name, '2.7.2');
  for (const name of names) await rig.available(name);
  for (const name of names) {
    const { id } = await rowOf(name);
    writeFileSync(join(await folderOf(name), 'home', 'hangs'), 'scheduler\n', { mode: 0o644 });
    for (const c of componentsAt(rig.place))
      if (c.id === id && c.name === 'scheduler') process.kill(c.pid, 'SIGKILL');
  }
  await until('schedulers that hang', 30, async () => {
    const ids = await Promise.all(names.map(async (name) => (await rowOf(name)).id));
    return componentsAt(rig.place).filter((c) => c.name === 'scheduler' && ids.includes(c.id)).length === 5;
  });
  // The loop has its look at them.
  await delay(3_000);
  await neighbourWorks();
  for (const name of names) await rig.api.delete(name);
  for (const name of names) await rig.gone(name);
  await nothingWrong();
}, 240_000);
