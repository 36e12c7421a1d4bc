// Commands at `/aws_mwaa/cli` by somebody who means no good: too large, too many, abandoned. Airflow is trivial here;
// what real Airflow's commands may do is in gateway.test.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditEvents } from '../harness/audit.ts';
import { ask, outputOf, postCommand, runCommand, type Session, signIn } from '../harness/door.ts';
import { environmentOf, everyCommand, processesOf } from '../harness/processes.ts';
import { Rig } from '../harness/rig.ts';
import { exchange, statusOf } from '../harness/socket.ts';
import { until } from '../harness/until.ts';

let rig: Rig;
let session: Session;

beforeAll(async () => {
  rig = await Rig.make();
  await rig.create('one', '3.3.1');
  await rig.available('one');
  session = await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
}, 120_000);
afterAll(() => rig?.remove(), 60_000);

/** Posts these bytes with a fresh token, and says that they are so many. */
const post = async (body: Buffer | string, length: number, seconds = 10): Promise<number> => {
  const { CliToken: token, WebServerHostname: host } = await rig.mint.cliToken('one');
  const head = [
    ...['POST /aws_mwaa/cli HTTP/1.1', `Host: ${host}`, `Authorization: Bearer ${token}`],
    ...['Content-Type: text/plain', `Content-Length: ${length}`, 'Connection: close', '', ''],
  ].join('\r\n');
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
  return statusOf(await exchange(rig.place, host, bytes, seconds));
};

/** Processes of a command with that word which run now: it stands in their environment, which only they read. */
const running = (word: string) =>
  processesOf(rig.place.folder).filter(({ pid }) => environmentOf(pid).includes(`=${word}\n`));

test('A57: what is no text, too large or of too many words does not run', async () => {
  const cases: readonly [string, Buffer | string, number][] = [
    ['not UTF-8', Buffer.from([0x64, 0x61, 0x67, 0x73, 0x20, 0xff, 0xfe]), 400],
    ['overlong UTF-8', Buffer.from([0x64, 0xc0, 0xaf]), 400],
    ['a NUL', 'dags list\0', 400],
    ['10,000 words', `dags list ${'a '.repeat(10_000)}`, 400],
    ['one byte more than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 'a'), 413],
  ];
  for (const [what, body, status] of cases) expect(await post(body, body.length), what).toBe(status);
  expect(await post('dags', 1024 ** 3), 'a GiB that is only announced').toBe(413);
  expect((await runCommand(rig.place, rig.mint, 'one', 'dags list')).stdout).toBe(
    'trivial airflow dags list\n',
  );
});

test('A53: of two hundred at once some run and the others are told to try again; pages go on', async () => {
  const tokens = await Promise.all(Array.from({ length: 200 }, () => rig.mint.cliToken('one')));
  const answers = Promise.all(tokens.map((token) => postCommand(rig.place, token, 'dags list')));
  let slowest = 0;
  for (let i = 0; i < 5; i += 1) {
    const begun = performance.now();
    const page = await session.get('/api/v2/dags');
    expect(page.status, page.text).toBe(200);
    slowest = Math.max(slowest, performance.now() - begun);
    await delay(100);
  }
  const all = await answers;
  const ran = all.filter(({ status }) => status === 200);
  expect(ran.length).toBeGreaterThanOrEqual(4);
  for (const answer of ran) expect(outputOf(answer).stdout).toBe('trivial airflow dags list\n');
  expect(all.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
  expect(all.some(({ status }) => status === 429)).toBe(true);
  process.stdout.write(`gateway/commands: ${ran.length} of 200 ran, pages took ${Math.round(slowest)} ms\n`);
});

test('A55, A56: no word of a command is in the list of processes; one whose client went away is ended, and recorded so', async () => {
  const left = post('dags test abandoned', 19, 5);
  await until('the command', 5, () => running('abandoned').length > 0);
  const listed = processesOf(rig.place.folder).map(({ command }) => command);
  expect(listed.filter((command) => command.includes('abandoned'))).toEqual([]);
  expect(listed.length).toBeGreaterThan(4);
  expect(await left).toBe(0);
  await until('its end', 8, () => running('abandoned').length === 0);
  const events = await until('its record', 10, async () => {
    const found = await auditEvents(rig.place, ['--by', 'EventName=RunCliCommand']);
    return found.some((e) => e.errorCode === 'NoAnswer') && found;
  });
  const [outcome] = events.filter((e) => e.errorCode === 'NoAnswer');
  expect(outcome?.errorMessage).toBe('the client went away, and the command was ended');
});

test('a configuration of 900 KB reaches Airflow whole, in whatever characters', async () => {
  for (const piece of ['x', '€', '💨']) {
    const conf = JSON.stringify({ data: piece.repeat(900_000 / Buffer.byteLength(piece)) });
    const ran = await runCommand(rig.place, rig.mint, 'one', `dags trigger my_dag --conf '${conf}'`);
    expect(ran.stderr).toBe('');
    expect(
      ran.stdout === `trivial airflow dags trigger my_dag --conf ${conf}\n`,
      ran.stdout.slice(0, 200),
    ).toBe(true);
  }
});

/** Uses of CLI tokens on record so far. */
const uses = async (): Promise<number> =>
  (await auditEvents(rig.place, ['--by', 'EventName=UseCliToken'])).length;

test('one token runs a hundred commands at once and more after them; each use is recorded, and 200 are the end', async () => {
  const before = await uses();
  const token = await rig.mint.cliToken('one');
  const run = (words: string) => postCommand(rig.place, token, words);
  const answers = await Promise.all(Array.from({ length: 100 }, () => run('dags list')));
  expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(4);
  expect((await uses()) - before).toBe(100);
  expect((await run('dags list')).status).toBe(200);
  const more = await Promise.all(Array.from({ length: 110 }, () => run('users list')));
  const refused = more.filter(({ status }) => status === 403);
  expect(refused).toHaveLength(11);
  expect(refused[0]?.text).toMatch(/used 200 times/);
  expect((await uses()) - before).toBe(200);
});

/** Processes that a command has hidden: with no session, parent or variable of it. */
const hidden = (seconds: string) => everyCommand().filter((line) => line === `sleep ${seconds}`);
const secondsOf = (n: number): string => `7${process.pid}.${n}`;

test('what a command hides ends with it, and when its client goes away', async () => {
  const ended = await runCommand(rig.place, rig.mint, 'one', `tasks test hides-${secondsOf(1)} t`);
  expect(ended.stdout).toContain('trivial airflow tasks test');
  expect(hidden(secondsOf(1))).toEqual([]);
  const body = `dags test hides-${secondsOf(2)}`;
  const left = post(body, body.length, 5);
  await until('the hidden process', 5, () => hidden(secondsOf(2)).length === 1);
  expect(await left).toBe(0);
  await until('its end', 8, () => hidden(secondsOf(2)).length === 0);
});

test('a command and what it hides end with a server that is killed', async () => {
  const body = `dags test hides-${secondsOf(3)}`;
  const left = post(body, body.length, 30);
  await until('the hidden process', 5, () => hidden(secondsOf(3)).length === 1);
  await rig.crash();
  await until('its end', 8, () => hidden(secondsOf(3)).length === 0);
  await left.catch(() => {});
  expect(running('hides').length).toBe(0);
  await rig.start();
  await rig.available('one');
  await until('a session', 60, () => signIn(rig.place, rig.mint, 'one', 3));
  const answers = async () => postCommand(rig.place, await rig.mint.cliToken('one'), 'dags list');
  await until('the web server, which was taken over', 60, async () => (await answers()).status === 200);
}, 120_000);

test('a command that is refused is a use of its token, and words are taken from the body alone', async () => {
  const token = await rig.mint.cliToken('one');
  expect((await postCommand(rig.place, token, 'users list')).status).toBe(500);
  expect((await postCommand(rig.place, token, 'dags list')).status).toBe(200);
  const headers = { authorization: `Bearer ${(await rig.mint.cliToken('one')).CliToken}` };
  const inQuery = await ask(rig.place, session.hostname, '/aws_mwaa/cli?command=dags%20list', {
    ...{ method: 'POST', headers, body: '' },
  });
  expect(inQuery.status).toBe(400);
});

test('where CLI tokens are set to work once, one of a hundred uses at the same moment succeeds', async () => {
  writeFileSync(join(rig.place.data, 'settings.json'), JSON.stringify({ singleUseCliTokens: true }));
  await rig.stop();
  await rig.start();
  await rig.available('one');
  const once = async (words: string, times: number) => {
    const token = await rig.mint.cliToken('one');
    return Promise.all(Array.from({ length: times }, () => postCommand(rig.place, token, words)));
  };
  await until('Airflow', 60, async () => (await once('dags list', 1))[0]?.status === 200);
  const before = await uses();
  const answers = await once('dags list', 100);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const others = answers.filter(({ status }) => status !== 200);
  expect(others.every(({ status, text }) => status === 403 && text.includes('used already'))).toBe(true);
  expect((await uses()) - before).toBe(1);
  expect((await once('users list', 1))[0]?.status).toBe(500);
}, 120_000);
