import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { isAnyAlive, killAll } from './end-processes.ts';
import { ProcessAsks } from './process-asks.ts';
import { isOver, processFacts } from './processes.ts';

const started: Worker[] = [];
const opened: ProcessAsks[] = [];

afterEach(async () => {
  for (const asks of opened.splice(0)) await asks.close();
  started.length = 0;
});

/** Workers that run these scripts, one after the other, the last one again and again. */
const open = (o: { scripts: readonly string[]; deadline?: number; most?: number }): ProcessAsks => {
  const asks = new ProcessAsks({
    start: () => {
      const script = o.scripts[Math.min(started.length, o.scripts.length - 1)] ?? '';
      const worker = new Worker(`const { parentPort } = require('node:worker_threads'); ${script}`, {
        eval: true,
      });
      started.push(worker);
      return worker;
    },
    deadline: o.deadline ?? 9_000,
    most: o.most ?? 100,
  });
  opened.push(asks);
  return asks;
};

const answers = `parentPort.on('message', ({ id, kill }) => parentPort.postMessage({ id, found: kill ? 2 : 1 }));`;
const look = (asks: ProcessAsks) => asks.ask({ anyOf: [] }, { kill: false });
const kill = (asks: ProcessAsks) => asks.ask({ anyOf: [] }, { kill: true });

test('each ask gets its own answer, from one worker', async () => {
  const asks = open({ scripts: [answers] });
  expect(await Promise.all([look(asks), kill(asks), look(asks)])).toEqual([1, 2, 1]);
  expect(started.length).toBe(1);
});

test('a fault is an error, and not "none"', async () => {
  const fault = `parentPort.on('message', ({ id }) => parentPort.postMessage({ id, fault: 'EMFILE: no' }));`;
  await expect(look(open({ scripts: [fault] }))).rejects.toThrow('cannot be found out: EMFILE: no');
});

test('when the worker dies, what was asked fails, and the next ask starts another', async () => {
  const dies = `parentPort.on('message', () => process.exit(3));`;
  const asks = open({ scripts: [dies, answers] });
  const both = await Promise.allSettled([look(asks), look(asks)]);
  expect(both).toEqual(Array(2).fill(expect.objectContaining({ status: 'rejected' })));
  expect(await look(asks)).toBe(1);
  expect(started.length).toBe(2);
});

test('a worker that cannot start is an error with the reason', async () => {
  await expect(look(open({ scripts: [`throw new Error('no room')`] }))).rejects.toThrow('no room');
});

test('a worker that cannot be made is an error with the reason', async () => {
  const asks = new ProcessAsks({
    start: () => {
      throw new Error('no thread');
    },
    deadline: 9_000,
    most: 1,
  });
  await expect(look(asks)).rejects.toThrow('no thread');
  await expect(look(asks)).rejects.toThrow('no thread');
});

test('a worker that hangs is ended after the deadline, and what waits for its end is asked of the next', async () => {
  const hangs = `parentPort.on('message', () => { for (;;); });`;
  const asks = open({ scripts: [hangs, answers], deadline: 3_000 });
  await expect(look(asks)).rejects.toThrow('no answer after 3 s');
  expect(await look(asks)).toBe(1);
  expect(started.length).toBe(2);
});

test('one that has ended by the deadline is not taken for its successor', async () => {
  const hangs = `parentPort.on('message', () => {});`;
  const asks = open({ scripts: [hangs, answers], deadline: 3_000 });
  const first = look(asks);
  first.catch(() => {});
  await started[0]?.terminate();
  await expect(first).rejects.toThrow('ended');
  expect(await look(asks)).toBe(1);
});

test('more than may wait are refused', async () => {
  const asks = open({ scripts: [`parentPort.on('message', () => {});`], most: 2 });
  const [one, two] = [look(asks), look(asks)];
  await expect(look(asks)).rejects.toThrow('2 looks are waited for');
  await asks.close();
  await expect(one).rejects.toThrow('ended');
  await expect(two).rejects.toThrow('ended');
});

test('the real worker finds and kills exactly what is described', async () => {
  const mark = `MARK=${process.pid}`;
  const start = (env: Record<string, string>) =>
    spawn('/bin/sleep', ['60'], { env, detached: true, stdio: 'ignore' });
  const [marked, other] = [start({ MARK: String(process.pid) }), start({})];
  const ended = once(marked, 'exit');
  const uid = process.geteuid?.() ?? -1;
  const selection = { anyOf: [{ uid, variable: mark, leadsSession: true as const }] };
  expect(await isAnyAlive(selection)).toBe(true);
  expect(await killAll(selection)).toBe(true);
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(await isAnyAlive(selection)).toBe(false);
  expect(isOver(processFacts(other.pid ?? 0) ?? expect.unreachable('it is gone'))).toBe(false);
  other.kill('SIGKILL');
});
