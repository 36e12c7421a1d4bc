// An environment's own packages, with an Airflow of small processes: what is shared, kept, rebuilt and removed.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Machine, machineOf } from '../harness/environments.ts';
import { makeBucket, putRequirements } from '../harness/s3.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';
import { useRig } from '../harness/use-rig.ts';

const used = useRig();

const sets = (): readonly string[] =>
  readdirSync(join(used.rig.place.data, 'sets')).filter((name) => /^[0-9a-f]{16}$/.test(name));

const requirements = (bucket: string, text: string) => putRequirements(used.s3, bucket, text);

const make = async (name: string, text: string): Promise<Machine> => {
  await makeBucket(used.s3, name);
  await used.rig.create(name, '2.7.2', await requirements(name, text));
  await used.rig.available(name);
  return machineOf(used.rig.place, name);
};

/** The set that a process runs from; undefined of one that runs from the base. */
const setOf = (pid: number | undefined): string | undefined =>
  /\/sets\/([0-9a-f]{16})\//.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
const startsOf = ({ id }: Machine): number =>
  schedulerStarts(used.rig.place).filter(({ environmentId }) => environmentId === id).length;

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
  await makeBucket(used.s3, 'broken');
  await used.rig.create('broken', '2.7.2', await requirements('broken', 'fine==1\n-e .\n'));
  const { LastUpdate } = await used.rig.becomes('broken', 'CREATE_FAILED');
  expect(LastUpdate?.Error?.ErrorMessage).toMatch(/^requirements\.txt, line 2 \(-e \.\): /);
  await used.rig.api.delete('broken');
  await used.rig.gone('broken');
});

test('an update that cannot be installed touches nothing that runs', async () => {
  const machine = await machineOf(used.rig.place, 'one');
  const [before, starts] = [machine.pidOf('scheduler'), startsOf(machine)];
  await used.rig.api.update('one', await requirements('one', 'impossible==1\n'));
  const { LastUpdate, ...found } = await used.rig.becomes('one', 'UPDATE_FAILED');
  expect(LastUpdate?.Error?.ErrorMessage).toMatch(/requirements\.txt, line 1|impossible/);
  expect([machine.pidOf('scheduler'), startsOf(machine)]).toEqual([before, starts]);
  expect(found).toMatchObject({ RequirementsS3Path: 'requirements.txt' });
});

test('an update replaces the set, and what is neither used nor gone back to is removed with it', async () => {
  const machine = await machineOf(used.rig.place, 'one');
  for (const version of [3, 4, 5]) {
    await used.rig.api.update('one', await requirements('one', `wanted==${version}\n`));
    await used.rig.becomes('one', 'AVAILABLE');
  }
  expect(readdirSync(join(machine.folder, 'packages')).length).toBeLessThanOrEqual(2);
});

test('an empty file takes the packages away', async () => {
  const machine = await machineOf(used.rig.place, 'one');
  await used.rig.api.update('one', await requirements('one', ''));
  await used.rig.becomes('one', 'AVAILABLE');
  expect(setOf(machine.pidOf('scheduler'))).toBeUndefined();
});

test('a set that is gone is built again by the next start', async () => {
  const machine = await machineOf(used.rig.place, 'other');
  await used.rig.stop();
  for (const set of sets()) rmSync(join(used.rig.place.data, 'sets', set), { recursive: true });
  await used.rig.start();
  await until('its scheduler', 60, () => machine.pidOf('scheduler') !== undefined);
  expect(setOf(machine.pidOf('scheduler'))).toBeDefined();
});

test('a version that is not there is refused at once', async () => {
  const wanted = { RequirementsS3Path: 'requirements.txt', RequirementsS3ObjectVersion: 'none' };
  await expect(used.rig.api.update('other', wanted)).rejects.toThrow(
    'There is no version none of requirements.txt',
  );
});

test('what was left half by a killed server is removed by the next start', async () => {
  await used.rig.crash();
  used.rig.failpoints.disarm();
  await used.rig.start();
  expect(readdirSync(join(used.rig.place.data, 'sets')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(
    readdirSync(join(used.rig.place.data, 'cache')).filter((name) => name.startsWith('packages-')),
  ).toEqual([]);
  expect(existsSync(join(used.rig.place.data, 'sets'))).toBe(true);
});
