// `npm start` in a fresh clone, as most people do it: by an ordinary account, without root and without anything installed.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, isRoot, makeAccount, removeAccount } from '../harness/accounts.ts';
import { launchBrowser, loginUrl, newContext } from '../harness/browser.ts';
import { cloneFor, machinePath } from '../harness/clone.ts';
import { runCommand } from '../harness/door.ts';
import { Mwaa } from '../harness/mwaa.ts';
import { processesOf } from '../harness/processes.ts';
import { runProgram } from '../harness/python.ts';
import {
  launch,
  leftOvers,
  makePlace,
  type Place,
  placeArguments,
  Running,
  readyLine,
  removePlace,
} from '../harness/server.ts';
import { plainEnvironment } from '../harness/tools.ts';
import { until } from '../harness/until.ts';

let place: Place;
let account: Account | undefined;
let clone: string;
let home: string;
let browser: Browser;

beforeAll(async () => {
  place = await makePlace();
  account = isRoot ? makeAccount() : undefined;
  home = account?.home ?? join(place.folder, 'home');
  mkdirSync(home, { recursive: true });
  clone = cloneFor(place.folder, account);
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (place) removePlace(place);
  if (account) removeAccount(account.name);
});

const environment = () => ({ ...plainEnvironment(home), PATH: machinePath(), TERM: 'xterm' });
const who = () => (account ? { uid: account.uid, gid: account.gid } : {});
const words = () => ['start', '--', ...placeArguments(place), '--airflow-version', '2.7.2'];

/** `npm start` in the clone, off a terminal, in a process group of its own. */
const npmStart = (): Running =>
  new Running(
    spawn('npm', words(), {
      cwd: clone,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...who(),
    }),
  );

/** The same on a terminal; what is written to it is typed. */
const npmStartOnTerminal = (): Running & { type(text: string): void } => {
  const command = ['npm', ...words()].join(' ');
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    cwd: clone,
    env: environment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...who(),
  });
  const running = new Running(child);
  return Object.assign(running, { type: (text: string) => void child.stdin?.write(text) });
};

const expectNothingLeft = async (): Promise<void> => {
  const gone = await until(
    'the end of every process and port',
    60,
    async () => (await leftOvers(place)).length === 0,
  ).catch(() => false);
  expect(gone ? [] : await leftOvers(place)).toEqual([]);
};

const loginUrls = (output: string): readonly string[] =>
  output.match(/https:\/\/localhost:\d+\/aws_mwaa\/aws-console-sso\S*/g) ?? [];

describe('off a terminal', () => {
  let server: Running;

  test('npm start in a fresh clone brings up a real Airflow, in plain lines and without a token', async () => {
    expect(existsSync(join(clone, 'node_modules'))).toBe(false);
    server = npmStart();
    await server.says(readyLine, 400);
    const output = server.output;
    expect(output).not.toContain('\u001b');
    expect(output).not.toMatch(/eyJ[\w-]{20,}/);
    expect(loginUrls(output)).toEqual([]);
    expect(output).toMatch(/windsock open .*demo/);
    expect(output).toContain(`http://localhost:${place.ports.api}`);
    expect(output).toContain('Every environment runs under your account');
  });

  test.runIf(isRoot)(
    'every process runs under that account; nobody else can look into the data folder',
    () => {
      const uids = new Set(processesOf(place.data).map((p) => p.uid));
      expect([...uids]).toEqual([account?.uid]);
      expect(statSync(place.data).mode & 0o077).toBe(0);
    },
  );

  test('the browser gets in with a token and sees the examples', async () => {
    const token = await new Mwaa(place).webToken('demo');
    const page = await (await newContext(browser)).newPage();
    await page.goto(loginUrl(token));
    await page.getByText('daily_report').first().waitFor({ timeout: 60_000 });
    await page.getByText('hello').first().waitFor({ timeout: 30_000 });
    await page.context().close();
  });

  test('a command of Airflow runs', async () => {
    const output = await runCommand(place, new Mwaa(place), 'demo', 'dags list');
    expect(output.status).toBe(200);
    expect(output.stdout).toContain('hello');
  });

  test('windsock open hands the browser a page that only this account can read, and removes it', async () => {
    const seen = join(home, 'seen');
    const fake = join(place.folder, 'fake-browser');
    writeFileSync(
      fake,
      `#!/bin/sh\nfile=$(printf %s "$1" | sed 's#^file://##')\nstat -c %a "$file" > '${seen}.mode'\ncp "$file" '${seen}.html'\nprintf '%s\\n' "$@" > '${seen}.tmp'\nmv '${seen}.tmp' '${seen}'\n`,
    );
    chmodSync(fake, 0o755);
    const windsock = join(clone, 'bin', 'windsock.mjs');
    const opened = runProgram('node', [windsock, 'open', 'demo', '--data', place.data], {
      env: { ...environment(), BROWSER: fake },
      ...who(),
      cwd: clone,
    });
    const ended = opened.then((result) => {
      throw new Error(`It ended before the browser was called:\n${JSON.stringify(result)}`);
    });
    const called = until(
      'the browser to be called',
      30,
      () => existsSync(seen) && readFileSync(seen, 'utf8').trim(),
    );
    const args = await Promise.race([called, ended]);
    ended.catch(() => {});
    expect(args).toMatch(/^file:\/\/\/\S+\.html$/);
    expect(readFileSync(`${seen}.mode`, 'utf8').trim()).toBe('600');
    expect(loginUrls(readFileSync(`${seen}.html`, 'utf8'))).toHaveLength(1);
    const result = await opened;
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout + result.stderr).not.toMatch(/eyJ[\w-]{20,}/);
    expect(existsSync(fileURLToPath(args))).toBe(false);
    const page = await (await newContext(browser)).newPage();
    await page.goto(loginUrls(readFileSync(`${seen}.html`, 'utf8'))[0]?.replace(/".*$/, '') ?? '');
    await page.getByText('daily_report').first().waitFor({ timeout: 60_000 });
    await page.context().close();
  });

  test('two Ctrl-C in the same millisecond are one: everything stops in order, nothing is left', async () => {
    process.kill(-server.pid, 'SIGINT');
    process.kill(-server.pid, 'SIGINT');
    await server.end(60);
    expect(server.output).toContain('Stopped.');
    expect(server.output).not.toContain('Stopping hard');
    await expectNothingLeft();
  });
});

test('a data folder that this account may not write to', async () => {
  const closed = { ...place, data: '/usr/lib/windsock-test' };
  const running = launch({
    place: closed,
    from: clone,
    args: ['--no-demo'],
    ...(account ? { account } : {}),
  });
  expect(await running.end(60)).toBe(1);
  expect(running.output).toContain(closed.data);
  expect(running.output).toContain('may not write there');
  expect(running.output).toContain('--data');
});

describe.runIf(process.env['WINDSOCK_TEST_FULL'] === '1')('on a terminal', () => {
  test('the screen ends with a login URL that works; Ctrl-C typed twice stops everything', async () => {
    const server = npmStartOnTerminal();
    await server.says(readyLine, 180);
    const [url] = await until('the login URL', 10, () => {
      const found = loginUrls(server.output);
      return found.length > 0 && server.output.includes('Ctrl-C') ? found : undefined;
    });
    const page = await (await newContext(browser)).newPage();
    await page.goto(url ?? '');
    await page.getByText('daily_report').first().waitFor({ timeout: 60_000 });
    await page.context().close();
    server.type('\u0003\u0003');
    await server.end(60);
    expect(server.output).toContain('Stopped.');
    expect(server.output).not.toContain('Stopping hard');
    await expectNothingLeft();
  });

  test('HUP to npm, which does not pass it on: the server stops all the same', async () => {
    const server = npmStart();
    await server.says(readyLine, 180);
    server.child.kill('SIGHUP');
    await server.end(60);
    await expectNothingLeft();
  });

  test('the data folder is all that stays', () => {
    expect(
      readdirSync(place.folder).filter(
        (n) => !['data', 'source', 'clone', 'home', 'fake-browser'].includes(n),
      ),
    ).toEqual([]);
    expect(readdirSync(join(place.data, 'trash'))).toEqual([]);
  });
});
