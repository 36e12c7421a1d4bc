// A data folder whose disk has not one byte left: nothing by halves, and well again by itself once there is space.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { putDag } from '../harness/dags.ts';
import { postLogin } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import type { WebToken } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import { type RawAnswer, signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { endPlace, makePlace, type Place, removePlace, serverLog } from '../harness/server.ts';
import { SmallDisk } from '../harness/small-disk.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

const name = 'one';
const mebibyte = 1024 ** 2;

describe.runIf(isRoot)('a full disk (needs root, for a disk of its own)', () => {
  let place: Place;
  let disk: SmallDisk | undefined;
  let rig: Rig;
  let one: Machine;

  beforeAll(async () => {
    place = await makePlace();
    disk = new SmallDisk(place);
    rig = await Rig.make({ place });
    await rig.create(name, '2.7.2');
    await rig.available(name);
    one = await machineOf(place, name);
  }, 120_000);

  afterAll(async () => {
    disk?.empty();
    try {
      await rig?.remove();
    } finally {
      if (place) endPlace(place);
      disk?.unmount();
      if (place) removePlace(place);
    }
  }, 120_000);

  const theDisk = (): SmallDisk => {
    if (!disk) throw new Error('there is no disk');
    return disk;
  };
  const login = async (token: WebToken) => (await postLogin(place, token, 2)).status;
  const loginWorks = async () => (await login(await rig.mint.webToken(name))) === 200;
  const nothingWrong = async () => {
    await until('a login', 90, loginWorks);
    await untilNothingWrong(place, rig.server.pid, 60);
  };
  const mint = () => signed(place, { method: 'POST', path: `/webtoken/${name}` });
  const ofDisk = /disk of the server is full.*Free some space/;
  const logCount = (text: string) => serverLog(place).split(text).length - 1;

  test('a DAG for which there is no space: the old one stays whole, with nothing beside it', async () => {
    await nothingWrong();
    const published = join(one.folder, 'dags');
    const files = () => readdirSync(published).sort();
    const old = readFileSync(join(published, 'dag.py'), 'utf8');
    const larger = `# ${'x'.repeat(3 * mebibyte)}\n`;
    theDisk().leave(4 * mebibyte);
    putDag(place, name, 'dag.py', larger);
    await until('it is told', 30, () => /DAGs not (published|copied)|ENOSPC/.test(serverLog(place)));
    expect(readFileSync(join(published, 'dag.py'), 'utf8')).toBe(old);
    // It is tried again and again: a try that runs just now has its temporary file there.
    await until('nothing beside it between two tries', 30, () => files().join() === 'dag.py', 20);
    theDisk().empty();
    await until('the new one', 90, () => readFileSync(join(published, 'dag.py'), 'utf8') === larger);
    expect(files()).toEqual(['dag.py']);
    putDag(place, name, 'dag.py', old);
    await until('the old one', 30, () => readFileSync(join(published, 'dag.py'), 'utf8') === old);
  });

  test('not one byte is left: tokens are refused with the reason, and those that were given work', async () => {
    const starts = schedulerStarts(place).length;
    const given: WebToken[] = [];
    const refused: RawAnswer[] = [];
    await until(
      'disk nearly full',
      30,
      () => {
        theDisk().leave(2 * mebibyte);
        return logCount('disk nearly full') > 0;
      },
      2_000,
    );
    theDisk().fill();
    await until(
      'refused tokens',
      60,
      async () => {
        theDisk().fill();
        const answers = await Promise.all(Array.from({ length: 10 }, mint));
        for (const answer of answers) {
          if (answer.status === 200) given.push(answer.body as unknown as WebToken);
          else refused.push(answer);
        }
        return refused.length > 20;
      },
      100,
    );
    for (const { status, body } of refused) {
      expect(status).toBe(500);
      expect(JSON.stringify(body)).toMatch(
        /disk of the server is full.*Free some space|database of the server/,
      );
    }
    expect(refused.some(({ body }) => ofDisk.test(JSON.stringify(body)))).toBe(true);
    expect(rig.server.hasEnded, rig.server.output).toBe(false);
    const creation = await rig.api.create('late', '2.7.2').then(
      () => true,
      () => false,
    );
    theDisk().empty();
    await until('a login', 90, loginWorks);
    const statuses = await Promise.all(given.map(login));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const there = (await rig.api.list()).includes('late');
    expect(there).toBe(creation);
    if (creation) await rig.available('late');
    await until('it is told', 30, () => logCount('disk has space') > 0);
    expect(logCount('log lines lost')).toBeGreaterThan(0);
    await nothingWrong();
    expect(schedulerStarts(place).filter(({ what }) => what === 'DOUBLE')).toEqual([]);
    expect(schedulerStarts(place).length - starts).toBeLessThan(4);
  });

  test('a token whose mint was refused has no record', async () => {
    const rows = await ownQuery<{ tokens: string; entries: string }>(
      place,
      'windsock',
      `select (select count(*) from tokens) as tokens, (select count(*) from audit_events
         where event_name in ('CreateWebLoginToken', 'CreateCliToken') and event->>'errorCode' is null) as entries`,
    );
    expect(rows[0]?.tokens).toBe(rows[0]?.entries);
  });

  test('a start on a full disk says so and changes nothing', async () => {
    await rig.stop();
    const all = () =>
      readdirSync(place.data, { recursive: true })
        .map(String)
        .filter((f) => !f.startsWith('logs'))
        .sort();
    theDisk().leave(700 * mebibyte);
    const before = all();
    const failed = rig.launch();
    expect(await failed.end(30)).toBe(1);
    expect(failed.output).toMatch(/Only \d+ MiB are free for .*at least 1024 MiB.*Free some/);
    expect(failed.output).not.toMatch(/\n\s+at .*:\d+/);
    expect(all()).toEqual(before);
    theDisk().empty();
    await rig.start();
    await nothingWrong();
  });
});
