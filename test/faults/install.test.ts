// The first environment of a version, where the package index is away, breaks off, or the server ends in between.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { PackageIndex } from '../harness/package-index.ts';
import { runProgram } from '../harness/python.ts';
import { Rig } from '../harness/rig.ts';
import { makePlace, type Place, processesAt, removePlace, serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const version = '2.7.2';

describe('a package index that comes and goes', () => {
  const name = 'one';
  let place: Place;
  let index: PackageIndex;
  let rig: Rig;

  beforeAll(async () => {
    place = await makePlace();
    index = new PackageIndex(place.ports.all.at(-1) ?? 0);
    rig = await Rig.make({ place, real: [version], env: index.env, fresh: true });
  }, 120_000);
  afterAll(async () => {
    index?.close();
    try {
      await rig?.remove();
    } finally {
      if (place) removePlace(place);
    }
  }, 120_000);

  const failures = () => serverLog(place).split('step failed').length - 1;
  const finished = () => existsSync(join(place.data, 'bases', `${version}.json`));
  const inBases = (pattern: RegExp) =>
    readdirSync(join(place.data, 'bases')).filter((file) => pattern.test(file));
  const installers = () => processesAt(place).filter((p) => /\/real-uv (venv|pip) /.test(p.command));

  const reason = (words: RegExp) =>
    rig.wait('the reason', 30, async () => {
      const found = await rig.api.find(name);
      return words.test(found?.LastUpdate.Error?.ErrorMessage ?? '') && found;
    });

  test('it is away: the cause is in LastUpdate while the environment is CREATING', async () => {
    await rig.create(name, version);
    const found = await reason(/Installing Airflow 2\.7\.2.*127\.0\.0\.1:\d+/s);
    expect(found).toMatchObject({ Status: 'CREATING', LastUpdate: { Status: 'PENDING' } });
    expect(finished()).toBe(false);
  });

  test('it breaks off in the middle of its answers: told again, nothing half is taken for whole', async () => {
    index.cutAfter(60);
    await index.open();
    await rig.wait('answers that break off', 90, () => index.cuts > 0);
    const before = failures();
    await rig.wait('the step fails', 60, () => failures() > before);
    expect((await rig.api.find(name))?.Status).toBe('CREATING');
    expect(finished()).toBe(false);
    expect(inBases(/^airflow-.*[0-9a-f]$/)).toEqual([]);
  });

  test('the server is killed while packages are installed: they are installed anew, by one installer', async () => {
    index.cutAfter(Number.POSITIVE_INFINITY);
    const files = index.files;
    await rig.wait('files are fetched', 90, () => index.files > files + 20 && installers().length > 0);
    await rig.crash();
    expect(finished()).toBe(false);
    const old = installers();
    expect(inBases(/^airflow-.*[0-9a-f]$/)).toEqual([]);
    await rig.start();
    await until('the old installer is gone', 20, () => {
      const now = installers().map((p) => p.pid);
      return old.every((p) => !now.includes(p.pid));
    });
    await rig.wait('the base is finished', 200, finished);
    expect(inBases(/\.tmp$/)).toEqual([]);
    const [base = ''] = inBases(/^airflow-.*[0-9a-f]$/);
    const told = await runProgram(
      join(place.data, 'bases', base, 'bin', 'python'),
      ['-I', '-m', 'airflow', 'version'],
      {
        env: { AIRFLOW_HOME: join(place.folder, 'airflow'), PATH: '/usr/bin:/bin' },
      },
    );
    expect(told.stdout).toContain(version);
  });
});

describe('a Python that is not there', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.make({ args: ['--python', '/nowhere/python'] });
  }, 120_000);
  afterAll(() => rig?.remove(), 120_000);

  test('CREATE_FAILED says which one, and for whom', async () => {
    await rig.create('one', version);
    const failed = await rig.wait('CREATE_FAILED', 30, async () => {
      const found = await rig.api.find('one');
      return found?.Status === 'CREATE_FAILED' && found;
    });
    const who = isRoot ? 'the account windsock-\\S+' : 'this account';
    expect(failed.LastUpdate.Error?.ErrorMessage).toMatch(
      new RegExp(`^/nowhere/python is not a Python 3\\.11 that ${who} can run$`),
    );
    await rig.api.delete('one');
    await rig.gone('one');
  });
});
