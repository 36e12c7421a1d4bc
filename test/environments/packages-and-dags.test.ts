// DAGs that new packages would stop from working, with an Airflow of small processes: warnings, and failures where asked for.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { putDag } from '../harness/dags.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { makeBucket, putRequirements } from '../harness/s3.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';
import { useRig } from '../harness/use-rig.ts';

const used = useRig();
beforeAll(async () => {
  await makeBucket(used.s3, 'careful');
});

const requirements = (text: string) => putRequirements(used.s3, 'careful', text);
const startsOf = ({ id }: Machine): number =>
  schedulerStarts(used.rig.place).filter(({ environmentId }) => environmentId === id).length;

/** The text of its newest log of an installation. */
const installationLog = ({ folder }: Machine): string => {
  const files = readdirSync(join(folder, 'logs'), { recursive: true, encoding: 'utf8' });
  const newest = files.filter((file) => file.includes('requirements_install_')).sort();
  return readFileSync(join(folder, 'logs', newest.at(-1) ?? ''), 'utf8');
};

/** Replaces a DAG and waits until its environment has it. */
const replaceDag = async ({ folder }: Machine, file: string, text: string): Promise<void> => {
  putDag(used.rig.place, 'careful', file, text);
  const there = join(folder, 'dags', file);
  await until(file, 30, () => existsSync(there) && readFileSync(there, 'utf8') === text);
};

const worked = (file: string): string => `and worked with the packages that run now: ${file}: there is no `;
const neverWorked = (file: string): string => `nor with the packages that run now: ${file}: there is no `;

test('a DAG that cannot be imported is a warning, which says whether it worked before', async () => {
  putDag(used.rig.place, 'careful', 'broken.py', '# needs nothing-has-this\n');
  putDag(used.rig.place, 'careful', 'needs.py', '# needs wanted==1\n');
  await used.rig.create('careful', '2.7.2', await requirements('wanted==1\n'));
  await used.rig.available('careful');
  const machine = await machineOf(used.rig.place, 'careful');
  expect(installationLog(machine)).toContain('A DAG cannot be imported: broken.py: there is no ');
  expect(installationLog(machine)).not.toContain('needs.py');
  await used.rig.api.update('careful', await requirements('wanted==2\n'));
  await used.rig.becomes('careful', 'AVAILABLE');
  expect(installationLog(machine)).toContain(neverWorked('broken.py'));
  expect(installationLog(machine)).toContain(worked('needs.py'));
});

test('where the DAGs cannot be tried with what runs, nothing is said of it and the update goes on', async () => {
  const machine = await machineOf(used.rig.place, 'careful');
  await replaceDag(machine, 'ends.py', '# ends wanted==2\n');
  await used.rig.api.update('careful', await requirements('wanted==3\n'));
  await used.rig.becomes('careful', 'AVAILABLE');
  expect(installationLog(machine)).toContain('A DAG cannot be imported: needs.py: there is no ');
  expect(installationLog(machine)).not.toContain('that run now');
});

describe('with --strict-dags', () => {
  let machine: Machine;
  let three: Awaited<ReturnType<typeof requirements>>;
  beforeAll(async () => {
    await used.rig.stop();
    writeFileSync(join(used.rig.place.data, 'settings.json'), JSON.stringify({ strictDags: true }));
    await used.rig.start();
    machine = await machineOf(used.rig.place, 'careful');
    const isThere = (name: string): boolean => machine.pidOf(name) !== undefined;
    await until('its processes', 60, () => ['scheduler', 'webserver'].every(isThere));
    three = await requirements('wanted==3\n');
  }, 120_000);

  const failsWith = async (change: object): Promise<string> => {
    const before = [machine.pidOf('scheduler'), machine.pidOf('webserver'), startsOf(machine)];
    await used.rig.api.update('careful', change);
    const { LastUpdate, AirflowVersion } = await used.rig.becomes('careful', 'UPDATE_FAILED');
    expect([machine.pidOf('scheduler'), machine.pidOf('webserver'), startsOf(machine)]).toEqual(before);
    expect(AirflowVersion).toBe('2.7.2');
    return LastUpdate?.Error?.ErrorMessage ?? '';
  };

  test('a DAG that would stop working fails the update, and what runs is not touched', async () => {
    await replaceDag(machine, 'needs.py', '# needs wanted==3\n');
    expect(await failsWith(await requirements('wanted==4\n'))).toMatch(
      /^1 DAG file worked with the packages that run now .*: needs\.py: there is no wanted==3\. Correct/,
    );
    expect(installationLog(machine)).toContain(neverWorked('broken.py'));
  });

  test('the same with another version of Airflow', async () => {
    const change = { AirflowVersion: '2.8.1', ...(await requirements('wanted==4\n')) };
    expect(await failsWith(change)).toMatch(/^1 DAG file worked .*: needs\.py: /);
  });

  test('where it cannot be found out whether a DAG would stop working, the update fails and says so', async () => {
    await replaceDag(machine, 'ends.py', '# ends wanted==3\n');
    expect(await failsWith(await requirements('wanted==4\n'))).toMatch(
      /^2 DAG files cannot be imported .*could not be found out.*ends\.py ends what imports it/,
    );
    await replaceDag(machine, 'ends.py', '# ends no more\n');
  });

  test('a DAG that does not work anyway fails nothing', async () => {
    await used.rig.api.update('careful', three);
    await used.rig.becomes('careful', 'AVAILABLE');
    await replaceDag(machine, 'needs.py', '# needs wanted\n');
    await used.rig.api.update('careful', await requirements('wanted==4\n'));
    await used.rig.becomes('careful', 'AVAILABLE');
    expect(installationLog(machine)).toContain(neverWorked('broken.py'));
  });

  test('what ran before is tried as well when it is asked for again', async () => {
    await replaceDag(machine, 'needs.py', '# needs wanted==4\n');
    expect(await failsWith(three)).toMatch(/^1 DAG file worked .*: needs\.py: there is no wanted==4\./);
  });
});
