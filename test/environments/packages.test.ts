// An environment's own packages, with an Airflow of small processes: what is shared, kept, rebuilt and removed.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { Rig } from '../harness/rig.ts';
import { makeBucket, putRequirements, s3Client } from '../harness/s3.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

let rig: Rig;
let s3: S3Client;
beforeAll(async () => {
  rig = await Rig.make();
  s3 = s3Client(rig.place);
}, 120_000);
afterAll(async () => {
  s3?.destroy();
  if (rig && !rig.server.hasEnded) await untilNothingWrong(rig.place, rig.server.pid, 60);
  await rig?.remove();
}, 120_000);

const sets = (): readonly string[] =>
  readdirSync(join(rig.place.data, 'sets')).filter((name) => /^[0-9a-f]{16}$/.test(name));

const requirements = (bucket: string, text: string) => putRequirements(s3, bucket, text);

const make = async (name: string, text: string): Promise<Machine> => {
  await makeBucket(s3, name);
  await rig.create(name, '2.7.2', await requirements(name, text));
  await rig.available(name);
  return machineOf(rig.place, name);
};

/** The set that a process runs from; undefined of one that runs from the base. */
const setOf = (pid: number | undefined): string | undefined =>
  /\/sets\/([0-9a-f]{16})\//.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
const startsOf = ({ id }: Machine): number =>
  schedulerStarts(rig.place).filter(({ environmentId }) => environmentId === id).length;

test('two environments that want the same use one set, and another one has its own', async () => {
  const one = await make('one', 'wanted==1\n');
  const two = await make('two', '# the same\nwanted==1\n');
  expect(sets()).toHaveLength(1);
  const other = await make('other', 'wanted==2\n');
  expect(sets()).toHaveLength(2);
  const [shared, own] = [one, other].map((machine) => setOf(machine.pidOf('scheduler')));
  expect(setOf(two.pidOf('scheduler'))).toBe(shared);
  expect(own).not.toBe(shared);
  expect([...sets()].sort()).toEqual([shared, own].sort());
});

test('what cannot be installed fails a creation with the reason, and it can be deleted', async () => {
  await makeBucket(s3, 'broken');
  await rig.create('broken', '2.7.2', await requirements('broken', 'fine==1\n-e .\n'));
  const { LastUpdate } = await rig.becomes('broken', 'CREATE_FAILED');
  expect(LastUpdate?.Error?.ErrorMessage).toMatch(/^requirements\.txt, line 2 \(-e \.\): /);
  await rig.api.delete('broken');
  await rig.gone('broken');
});

test('an update that cannot be installed touches nothing that runs', async () => {
  const machine = await machineOf(rig.place, 'one');
  const [before, starts] = [machine.pidOf('scheduler'), startsOf(machine)];
  await rig.api.update('one', await requirements('one', 'impossible==1\n'));
  const { LastUpdate, ...found } = await rig.becomes('one', 'UPDATE_FAILED');
  expect(LastUpdate?.Error?.ErrorMessage).toMatch(/requirements\.txt, line 1|impossible/);
  expect([machine.pidOf('scheduler'), startsOf(machine)]).toEqual([before, starts]);
  expect(found).toMatchObject({ RequirementsS3Path: 'requirements.txt' });
});

test('an update replaces the set, and what is neither used nor gone back to is removed with it', async () => {
  const machine = await machineOf(rig.place, 'one');
  for (const version of [3, 4, 5]) {
    await rig.api.update('one', await requirements('one', `wanted==${version}\n`));
    await rig.becomes('one', 'AVAILABLE');
  }
  expect(readdirSync(join(machine.folder, 'packages')).length).toBeLessThanOrEqual(2);
});

test('an empty file takes the packages away', async () => {
  const machine = await machineOf(rig.place, 'one');
  await rig.api.update('one', await requirements('one', ''));
  await rig.becomes('one', 'AVAILABLE');
  expect(setOf(machine.pidOf('scheduler'))).toBeUndefined();
});

test('a set that is gone is built again by the next start', async () => {
  const machine = await machineOf(rig.place, 'other');
  await rig.stop();
  for (const set of sets()) rmSync(join(rig.place.data, 'sets', set), { recursive: true });
  await rig.start();
  await until('its scheduler', 60, () => machine.pidOf('scheduler') !== undefined);
  expect(setOf(machine.pidOf('scheduler'))).toBeDefined();
});

test('a version that is not there is refused at once', async () => {
  const wanted = { RequirementsS3Path: 'requirements.txt', RequirementsS3ObjectVersion: 'none' };
  await expect(rig.api.update('other', wanted)).rejects.toThrow(
    'There is no version none of requirements.txt',
  );
});

test('what was left half by a killed server is removed by the next start', async () => {
  await rig.crash();
  rig.failpoints.disarm();
  await rig.start();
  expect(readdirSync(join(rig.place.data, 'sets')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(readdirSync(join(rig.place.data, 'cache')).filter((name) => name.startsWith('packages-'))).toEqual(
    [],
  );
  expect(existsSync(join(rig.place.data, 'sets'))).toBe(true);
});
