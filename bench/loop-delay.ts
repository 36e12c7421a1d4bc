// What requests feel of it when environments are ended that do not want to: how late the event loop comes round while
// four trees of processes that ignore TERM are ended, on a machine with some hundred processes, beside the same loop
// with nothing but requests. node bench/loop-delay.ts [ROUNDS]
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Delays, Order } from './loop-delay-server.ts';

const rounds = Number(process.argv[2] ?? 3);
const bystanders = 300;
const trees = 4;
/** Milliseconds that a tree gets between TERM and KILL; the product gives 15 s. */
const patience = 3_000;
const clients = 8;
/** Milliseconds for one order. */
const deadline = 60_000;

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

type Times = Pick<Delays, 'p50' | 'p99' | 'max'>;
interface Measured extends Delays {
  readonly requests: Times;
}

const nextOf = async <T>(child: ChildProcess): Promise<T> => {
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(deadline) });
  return message as T;
};

/** Has the server carry out an order while clients ask it, and takes the time of each request. */
const measure = async (server: ChildProcess, pool: Pool, order: Order): Promise<Measured> => {
  const times = createHistogram();
  let done = false;
  const client = async (): Promise<void> => {
    while (!done) {
      const begun = performance.now();
      const { body } = await pool.request({ path: '/', method: 'GET' });
      await body.dump();
      times.record(Math.max(1, Math.round((performance.now() - begun) * 1000)));
      await delay(10);
    }
  };
  const all = Array.from({ length: clients }, client);
  server.send(order);
  try {
    const delays = await nextOf<Delays>(server);
    const [p50, p99] = [times.percentile(50) / 1000, times.percentile(99) / 1000];
    return { ...delays, requests: { p50, p99, max: times.max / 1000 } };
  } finally {
    done = true;
    await Promise.all(all);
  }
};

const line = (name: string, ...cells: readonly (number | string)[]): string =>
  `  ${name.padEnd(22)}${cells.map((c) => (typeof c === 'string' ? c : c.toFixed(1)).padStart(9)).join('')}`;

const middleOf = (all: readonly Times[]): readonly number[] => [
  middle(all.map(({ p50 }) => p50)),
  middle(all.map(({ p99 }) => p99)),
  middle(all.map(({ max }) => max)),
];

const print = (title: string, idle: readonly Times[], ending: readonly Times[]): void => {
  const [before, during] = [middleOf(idle), middleOf(ending)];
  console.log(line(title, 'p50', 'p99', 'max'));
  console.log(line('nothing else', ...before));
  console.log(line('ending', ...during));
  console.log(line('added', ...during.map((value, i) => value - (before[i] ?? 0))));
  console.log(line('ratio', ...during.map((value, i) => value / (before[i] ?? 1))));
};

const folder = mkdtempSync('/tmp/windsock-bench-');
const sleepers = Array.from({ length: bystanders }, () => spawn('sleep', ['3600'], { stdio: 'ignore' }));
const server = fork(new URL('./loop-delay-server.ts', import.meta.url), [folder]);
try {
  const { port } = await nextOf<{ port: number }>(server);
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: clients });
  const [idle, ending]: [Measured[], Measured[]] = [[], []];
  // the first round warms up
  for (let round = 0; round <= rounds; round += 1) {
    const quiet = await measure(server, pool, { milliseconds: patience, trees: 0 });
    const busy = await measure(server, pool, { milliseconds: patience, trees });
    if (round === 0) continue;
    idle.push(quiet);
    ending.push(busy);
  }
  await pool.close();
  const [first] = ending;
  const took = middle(ending.map((one) => one.took)) / 1000;
  console.log(
    `${trees} trees (${first?.ended} of ${first?.all} processes) ended within ${took.toFixed(1)} s`,
  );
  print('event loop, ms', idle, ending);
  print(
    'requests, ms',
    idle.map((one) => one.requests),
    ending.map((one) => one.requests),
  );
} finally {
  server.disconnect();
  for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
