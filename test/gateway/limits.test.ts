// What one person, one address and one program may take of a door, so that the others have theirs. Airflow is trivial here.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { ask, type DoorAnswer, postCommand, postLogin, type Session, signIn } from '../harness/door.ts';
import { Iam } from '../harness/iam.ts';
import { Minter } from '../harness/minter.ts';
import { type Key, signed } from '../harness/raw.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';

const perSecond = 20;
let rig: Rig;
let root: Session;
let ann: Session;
let ben: Session;
const keys: Record<string, Key> = {};

beforeAll(async () => {
  rig = await Rig.make({ args: ['--requests-per-second', String(perSecond)] });
  await rig.create('one', '3.3.1');
  await rig.available('one');
  const iam = new Iam(rig.place);
  root = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
  await iam.role('worker', { statements: [{ Action: 'airflow:*' }] });
  const enter = async (name: string): Promise<Session> => {
    const key = await iam.user(name, { statements: [{ Action: ['airflow:*', 'sts:AssumeRole'] }] });
    keys[name] = key;
    keys[`${name} in a role`] = await iam.assume(key, 'worker', `session-of-${name}`);
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

/** The statuses of so many logins and commands with that text for a token; of another account, if given. */
const send = async (number: number, token: string, uid?: number): Promise<readonly string[]> => {
  const at = `https://${root.hostname}`;
  const form = `url = ${at}/pluginsv2/aws_mwaa/login\ndata = "token=${token}"`;
  const command = `url = ${at}/aws_mwaa/cli\nheader = "Authorization: Bearer ${token}"\ndata = "dags list"`;
  const more = 'max-time = 60\noutput = /dev/null\nwrite-out = "%{http_code}\\n"\ninsecure\nsilent';
  const config = Array.from({ length: number }, (_, i) => `${i % 2 === 0 ? command : form}\n${more}`);
  const child = spawn('curl', ['--parallel', '--config', '-'], uid === undefined ? {} : { uid, gid: uid });
  child.stdin.end(config.join('\nnext\n'));
  return (await text(child.stdout)).trim().split('\n');
};

test('junk in place of tokens, from each account of this machine, keeps no genuine token out', async () => {
  const answers = await send(400, 'junk.junk.junk');
  expect(answers.filter((status) => status === '403').length).toBeGreaterThanOrEqual(300);
  expect(answers).toContain('429');
  expect((await postLogin(rig.place, await rig.mint.webToken('one'), 3)).status).toBe(200);
  expect((await postCommand(rig.place, await rig.mint.cliToken('one'), 'version')).status).toBe(200);
  expect(await isServed(root)).toBe(true);
  if (isRoot) expect(await send(2, 'junk.junk.junk', 65_534)).toEqual(['403', '403']);
});

test('one genuine token that is sent again and again is told to wait; the next is used at once', async () => {
  const used = await rig.mint.webToken('one');
  const answers = await send(400, used.WebToken);
  expect(answers.filter((status) => status === '200')).toHaveLength(1);
  expect(answers.filter((status) => status === '403').length).toBeGreaterThanOrEqual(299);
  expect(answers).toContain('429');
  expect((await postLogin(rig.place, await rig.mint.webToken('one'), 3)).status).toBe(200);
});

/** Opens so many connections and sends half of something over each. */
const sendHalf = async (host: string, port: number, number: number, bytes: string | Buffer) => {
  const sockets = Array.from({ length: number }, () => connect(port, host));
  for (const socket of sockets) socket.on('error', () => {}).write(bytes);
  await until('connections', 30, () => sockets.every(({ connecting }) => !connecting));
  return sockets;
};

test('half-sent requests, at the API and here, make room for whole ones', async () => {
  const half = 'POST /environments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf';
  const port = Number(root.hostname.split(':')[1]);
  const open = await Promise.all([
    sendHalf('127.0.0.1', rig.place.ports.api, 1_010, half),
    sendHalf('::1', rig.place.ports.api, 1_010, half),
    sendHalf('127.0.0.1', port, 1_010, '\x16'),
    sendHalf('::1', port, 1_010, '\x16'),
  ]);
  try {
    const calls = Array.from({ length: 14 }, () => signed(rig.place, { path: '/environments' }));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(14).fill(200));
    expect(await isServed(root)).toBe(true);
  } finally {
    for (const socket of open.flat()) socket.destroy();
  }
});

/** One call of InvokeRestApi by one of the two. */
const invoke = (name: string, more: object = { Method: 'GET' }) => {
  const body = JSON.stringify({ Path: '/dags', ...more });
  const key = keys[name] as Key;
  return signed(rig.place, { method: 'POST', path: '/restapi/one', body, key });
};

test('slow requests of one person leave Airflow to the others, by whatever way they come', async () => {
  const release = holdSlow(ben, 80);
  try {
    await until('it waits', 20, async () => {
      const answer = await Promise.race([ben.get(path), delay(1_000, 'waits' as const)]);
      return answer === 'waits';
    });
    expect(await isServed(root)).toBe(true);
    // the name of a session is chosen by whoever assumes the role
    for (const told of await Promise.all([invoke('ben'), invoke('ben in a role')]))
      expect(told).toMatchObject({ status: 400, errorType: 'ThrottlingException' });
    for (const other of ['ann', 'ann in a role'])
      expect(await invoke(other), other).toMatchObject({ status: 200 });
  } finally {
    release();
  }
  await until('served again', 20, () => isServed(ben));
});

test('bodies that nobody has signed yet and that do not come whole make room for those that do', async () => {
  const size = 6 * 1024 ** 2;
  const head = `POST /restapi/one HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`;
  const most = Buffer.concat([Buffer.from(head), Buffer.alloc(size - 1)]);
  const open = await sendHalf('127.0.0.1', rig.place.ports.api, 70, most);
  try {
    await until('the first are cut', 60, () => open[0]?.destroyed === true);
    const large = { Method: 'POST', Body: { note: 'x'.repeat(5 * 1024 ** 2) } };
    expect((await invoke('ann', large)).errorType).not.toBe('ThrottlingException');
    expect(open.at(-1)?.destroyed).toBe(false);
  } finally {
    for (const socket of open) socket.destroy();
  }
});
