// What one person, one address and one program may take of a door, so that the others have theirs. Airflow is trivial here.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, type DoorAnswer, type Session, signIn } from '../harness/door.ts';
import { Iam } from '../harness/iam.ts';
import { Minter } from '../harness/minter.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';

const perSecond = 20;
let rig: Rig;
let root: Session;
let ann: Session;
let ben: Session;

beforeAll(async () => {
  rig = await Rig.make({ args: ['--requests-per-second', String(perSecond)] });
  await rig.create('one', '3.3.1');
  await rig.available('one');
  const iam = new Iam(rig.place);
  root = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
  const enter = async (name: string): Promise<Session> => {
    const key = await iam.user(name, { statements: [{ Action: 'airflow:*' }] });
    return signIn(rig.place, new Minter(rig.place, key), 'one', 3);
  };
  ann = await enter('ann');
  ben = await enter('ben');
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

const path = '/api/v2/dags';
const many = (count: number, once: () => Promise<DoorAnswer>): Promise<readonly DoorAnswer[]> =>
  Promise.all(Array.from({ length: count }, once));
const count = (answers: readonly DoorAnswer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;
const isServed = async (session: Session): Promise<boolean> => (await session.get(path)).status === 200;

/** Requests that Airflow answers after 30 s. */
const holdSlow = (session: Session, number: number) => {
  const [host, port] = session.hostname.split(':');
  const ca = readFileSync(join(rig.place.data, 'ca.pem'));
  const sent = Array.from({ length: number }, () => {
    const one = request({
      ...{ host, port: Number(port), path: '/api/v2/slow', headers: session.headers, agent: false, ca },
    });
    one.on('error', () => {});
    one.end();
    return one;
  });
  return () => {
    for (const one of sent) one.destroy();
  };
};

test('whoever asks too often is told to wait, in all sessions together; others are served, and soon they as well', async () => {
  const answers = await many(9 * perSecond, () => ann.get(path));
  const [served, refused] = [count(answers, 200), count(answers, 429)];
  expect(served + refused).toBe(answers.length);
  expect(served).toBeGreaterThanOrEqual(5 * perSecond);
  expect(refused).toBeGreaterThan(0);
  const told = answers.find(({ status }) => status === 429);
  expect(told?.headers['retry-after']).toBe('1');
  expect(JSON.parse(told?.text ?? '')).toMatchObject({
    status: 429,
    message: 'Too many requests by you within a second. Wait a second, then try again.',
  });
  expect(await isServed(root)).toBe(true);
  await until('served again', 10, () => isServed(ann));
});

test('requests without a session are bounded by address; whoever has one goes on', async () => {
  const answers = await many(9 * perSecond, () => ask(rig.place, root.hostname, path));
  expect(count(answers, 401)).toBeGreaterThanOrEqual(5 * perSecond);
  expect(count(answers, 429)).toBeGreaterThan(0);
  expect(count(answers, 401) + count(answers, 429)).toBe(answers.length);
  expect(await isServed(root)).toBe(true);
});

test('a person who is told so in a browser gets a page', async () => {
  const page = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none', accept: 'text/html' };
  const answers = await many(9 * perSecond, () => ask(rig.place, root.hostname, '/', { headers: page }));
  const told = answers.find(({ status }) => status === 429);
  expect(told?.headers['content-type']).toMatch(/^text\/html/);
  expect(told?.text).toMatch(/Too many requests without a session from your address/);
});

test('slow requests of one person leave Airflow to the others', async () => {
  const release = holdSlow(ben, 80);
  try {
    await until('it waits', 20, async () => {
      const answer = await Promise.race([ben.get(path), delay(1_000, 'waits' as const)]);
      return answer === 'waits';
    });
    expect(await isServed(root)).toBe(true);
  } finally {
    release();
  }
  await until('served again', 20, () => isServed(ben));
});
