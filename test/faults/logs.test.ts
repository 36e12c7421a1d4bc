// The lines of --json-logs, and logs that grow. Without Airflow.
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rootKey } from '../harness/mwaa.ts';
import {
  launch,
  makePlace,
  type Place,
  type Running,
  removePlace,
  startServer,
  stopServer,
} from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

let place: Place;
let server: Running | undefined;

beforeAll(async () => {
  place = await makePlace();
});
afterEach(async () => {
  if (server && !server.hasEnded) await stopServer(server);
});
afterAll(() => place && removePlace(place));

const windsock = (...args: readonly string[]) => runWindsock(place, args, { home: place.folder });

describe('--json-logs', () => {
  const events = (text: string): readonly Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const json = (...args: readonly string[]): Running =>
    launch({ place, args: ['--no-demo', '--json-logs', ...args] });

  test('every line is an event, the same as in the file, and no secret is in them', async () => {
    const log = join(place.data, 'logs', 'windsock.log');
    const before = existsSync(log) ? readFileSync(log, 'utf8').length : 0;
    server = json();
    await server.says('"server ready"', 120);
    const call = await windsock('environment', 'list');
    expect(call.code, call.stderr).toBe(0);
    expect((await windsock('token', 'web', 'nobody')).code).not.toBe(0);
    expect(await stopServer(server)).toBe(0);
    const { output } = server;
    const found = events(output);
    for (const event of found)
      expect(event).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        level: expect.stringMatching(/^(info|warn|error)$/),
        message: expect.any(String),
      });
    const messages = found.map((event) => event['message']);
    expect(messages[0]).toBe('server starting');
    expect(messages.at(-1)).toBe('server stopped');
    expect(messages).toEqual(
      expect.arrayContaining(['step done', 'server started', 'api call', 'server stopping']),
    );
    expect(found.find((event) => event['operation'] === 'ListEnvironments')).toMatchObject({
      message: 'api call',
      status: 200,
      principal: expect.stringMatching(/^arn:aws:iam::\d+:root$/),
    });
    expect(readFileSync(log, 'utf8').slice(before)).toBe(output);
    expect(output).not.toContain(rootKey(place).secretAccessKey);
    expect(output).not.toContain('Signature');
  });

  test.for([
    ['a setting is wrong', ['--port', '0'], /--port must be from/],
    ['an Airflow version is not there', ['--airflow-version', '0.1'], /0\.1 is not available/],
    ['the data folder cannot be one', ['--data', '/dev/null'], /\/dev\/null/],
  ] as const)('a start that fails ends with one line: %s', async ([, args, reason]) => {
    const running = json(...args);
    expect(await running.end(60)).toBe(1);
    const found = events(running.output);
    expect(found.at(-1)).toMatchObject({
      level: 'error',
      message: 'server not started',
      reason: expect.stringMatching(reason),
    });
  });

  test('a reader that goes away does not end the server', async () => {
    server = json();
    await server.says('"server ready"', 120);
    server.child.stdout?.destroy();
    for (let n = 0; n < 3; n += 1) expect((await windsock('environment', 'list')).code).toBe(0);
    expect((await windsock('status')).code).toBe(0);
    expect((await windsock('stop')).code).toBe(0);
  });
});

test('a log that grew while no server ran is rotated by the next start, and a half copy does not count', async () => {
  const log = join(place.data, 'logs', 'postgres.log');
  appendFileSync(log, `${'x'.repeat(99)}\n`.repeat(120_000));
  writeFileSync(`${log}.1.tmp`, 'half');
  server = await startServer({ place, args: ['--no-demo'] });
  await until('an older file', 15, () => existsSync(`${log}.1`));
  expect(statSync(`${log}.1`).size).toBeGreaterThan(12_000_000);
  expect(statSync(log).size).toBeLessThan(1_000_000);
  expect(existsSync(`${log}.1.tmp`)).toBe(false);
});
