// The wall clock of the server is set to another time while it works.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postCommand, postLogin, type Session, signIn } from '../harness/door.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import type { CliToken, WebToken } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import { signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { makePlace, type Place, removePlace } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const name = 'one';
const hour = 3_600_000;
const module = pathToFileURL(fileURLToPath(new URL('../harness/moved-clock.mjs', import.meta.url))).href;

let place: Place;
let rig: Rig;
let session: Session;
/** Given at the beginning, so that their minute passes while other things are tested. */
let old: { readonly web: WebToken; readonly cli: CliToken; readonly minted: number };

const move = async (milliseconds: number): Promise<void> => {
  writeFileSync(join(place.folder, 'offset'), String(milliseconds));
  await delay(50);
};

beforeAll(async () => {
  place = await makePlace();
  const env = { NODE_OPTIONS: `--import=${module}`, MOVED_CLOCK: join(place.folder, 'offset') };
  rig = await Rig.make({ place, env });
  await rig.create(name, '2.7.2');
  await rig.available(name);
  session = await until('a session', 60, () => signIn(place, rig.mint, name, 2));
  const [web, cli] = [await rig.mint.webToken(name), await rig.mint.cliToken(name)];
  old = { web, cli, minted: performance.now() };
}, 120_000);

afterAll(async () => {
  rmSync(join(place.folder, 'offset'), { force: true });
  try {
    await rig?.remove();
  } finally {
    removePlace(place);
  }
}, 120_000);

const behindDoor = async () => (await session.get('/api/v1/dags')).status;
const login = async (token: WebToken) => (await postLogin(place, token, 2)).status;
const list = (date?: number) => {
  const headers =
    date === undefined ? {} : { 'X-Amz-Date': new Date(date).toISOString().replaceAll(/[-:]|\.\d+/g, '') };
  return signed(place, { path: '/environments', headers });
};
const statusOf = async (wanted: string) =>
  (
    await ownQuery<{ name: string; status: string }>(
      place,
      'windsock',
      'select name, status from environments',
    )
  ).find((row) => row.name === wanted)?.status;

test.for([
  { what: 'fast', offset: hour, words: /Signature expired: \S+ is now earlier than \S+ \(\S+ - 5 min\.\)/ },
  {
    what: 'slow',
    offset: -hour,
    words: /Signature not yet current: \S+ is still later than \S+ \(\S+ \+ 5 min\.\)/,
  },
])(
  'an hour $what: callers are told, sessions go on, a creation completes',
  async ({ what, offset, words }) => {
    rig.failpoints.sleepAt('content:before', 500);
    await rig.create(what, '2.7.2');
    await move(offset);
    try {
      expect(await statusOf(what)).toBe('CREATING');
      const refused = await list();
      expect(refused).toMatchObject({ status: 403, errorType: 'InvalidSignatureException' });
      expect(JSON.stringify(refused.body)).toMatch(words);
      expect((await list(Date.now() + offset)).status).toBe(200);
      expect(await behindDoor()).toBe(200);
      rig.failpoints.disarm();
      await until('it is there', 60, async () => (await statusOf(what)) === 'AVAILABLE');
    } finally {
      rig.failpoints.disarm();
      await move(0);
    }
    await rig.available(what);
    expect(await login(await rig.mint.webToken(what))).toBe(200);
    expect(await behindDoor()).toBe(200);
    await untilNothingWrong(place, rig.server.pid, 60);
  },
);

test('tokens live a minute of real time, whatever the clock says; a used one stays used', async () => {
  const used = await rig.mint.webToken(name);
  expect(await login(used)).toBe(200);
  const fresh = await rig.mint.webToken(name);
  const { web, cli, minted } = old;
  await move(-hour);
  try {
    expect(await login(fresh)).toBe(200);
    expect(await login(used)).toBe(403);
    await delay(Math.max(0, 61_000 - (performance.now() - minted)));
    expect(await login(web)).toBe(403);
    expect((await postCommand(place, cli, 'version')).status).toBe(403);
    expect(await login(used)).toBe(403);
    expect(await behindDoor()).toBe(200);
  } finally {
    await move(0);
  }
  expect(await login(web)).toBe(403);
  const early = await rig.mint.webToken(name);
  await move(hour);
  try {
    expect(await login(early)).toBe(403);
    expect(await behindDoor()).toBe(200);
  } finally {
    await move(0);
  }
  expect(await login(await rig.mint.webToken(name))).toBe(200);
});
