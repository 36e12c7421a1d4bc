import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Got, mintOf, openTestDoor, recordOf, type TestDoor } from './test-door.ts';

export let t: TestDoor;
export let two: Awaited<ReturnType<TestDoor['open']>>;
export let three: typeof two;

export const target = () => ({ host: '127.0.0.1', port: t.airflow.port, startId: '1' });

/** Gives the test file that calls it doors of its own, with an Airflow behind them: `t`, `two` and `three`. */
export const useDoors = (): void => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'windsock-door-'));
    t = await openTestDoor(folder, 20_000 + randomInt(600) * 20);
    two = await t.open(recordOf('aaaaaaaaaaaa', 'demo', '2.7.2'));
    three = await t.open(recordOf('bbbbbbbbbbbb', 'newer', '3.3.1'));
  });
  afterAll(async () => {
    await t.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    t.world.target = target();
    t.world.roles = ['Admin'];
    t.world.auditFails = false;
    t.airflow.state.reply = undefined;
    t.airflow.seen.length = 0;
    t.audit.length = 0;
  });
};

export const form = { 'content-type': 'application/x-www-form-urlencoded' };
export const fetchFrom = (origin: string) => ({
  origin,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
});
export const navigate = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

export const webToken = (door = two, name = 'ann') =>
  t.tokens.webLoginToken(door.record, mintOf(name), `user/${name}`);
export const loginPath = (door: typeof two) =>
  door === two ? '/aws_mwaa/login' : '/pluginsv2/aws_mwaa/login';

export const login = (door: typeof two, headers: Record<string, string>, token: string, more = '') =>
  t.ask(door.port, {
    method: 'POST',
    path: loginPath(door),
    headers: { ...form, ...headers },
    body: `token=${token}${more}`,
  });

export const cookieOf = (answer: Got): string => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';

export const browserCookie = async (door = two, name = 'ann') =>
  cookieOf(await login(door, fetchFrom(door.origin), await webToken(door, name)));
export const scriptCookie = async (door = two) => cookieOf(await login(door, {}, await webToken(door)));
