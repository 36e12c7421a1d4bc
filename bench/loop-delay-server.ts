// The server of bench/loop-delay.ts: it answers requests, and ends trees of processes when it is told to.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Component } from '../src/airflow/local/component.ts';
import { killSession } from '../src/lib/end-processes.ts';
import { silentLog } from '../src/lib/log.ts';
import { processes } from '../src/lib/processes.ts';

/** What it is told: to do nothing for so many milliseconds, or to end so many trees with that patience. */
export interface Order {
  readonly milliseconds: number;
  readonly trees: number;
}

/** Milliseconds between the turns of a timer of one millisecond, while the order was carried out. */
export interface Delays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Milliseconds that it took. */
  readonly took: number;
  /** Processes in the trees, and on the whole machine, before. */
  readonly ended: number;
  readonly all: number;
}

const folder = process.argv[2] ?? '/tmp';
const children = 5;
/** It ignores TERM, and so do its children. */
const script = `trap '' TERM; ${'sleep 600 & '.repeat(children)} sleep 600; sleep 600`;

const component = (name: string): Component =>
  new Component({
    name,
    environmentId: name,
    spec: () => ({
      name,
      program: '/bin/sh',
      args: ['-c', script],
      env: { PATH: '/usr/bin:/bin' },
      cwd: folder,
      account: undefined,
      view: undefined,
      logFile: join(folder, `${name}.log`),
    }),
    log: silentLog,
    record: () => {},
    changed: () => {},
    endRest: killSession,
    mayStart: () => true,
  });

const membersOf = (trees: readonly Component[]): number => {
  const sessions = new Set(trees.map(({ leader }) => leader?.pid));
  return processes().filter(({ sessionId }) => sessions.has(sessionId)).length;
};

const start = async (count: number): Promise<readonly Component[]> => {
  const trees = Array.from({ length: count }, (_, i) => component(`tree-${i}`));
  for (const tree of trees) tree.start();
  // the shell of each, its children and the one that it waits for
  while (membersOf(trees) < count * (children + 2)) await delay(50);
  return trees;
};

const carryOut = async ({ milliseconds, trees: count }: Order): Promise<Delays> => {
  const trees = await start(count);
  const [ended, all] = [membersOf(trees), processes().length];
  await delay(500);
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  histogram.enable();
  if (count === 0) await delay(milliseconds);
  else await Promise.all(trees.map((tree) => tree.stop(milliseconds)));
  histogram.disable();
  const took = performance.now() - begun;
  if (membersOf(trees) > 0) throw new Error('a tree was not ended');
  const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max];
  return { p50: p50 / 1e6, p99: p99 / 1e6, max: max / 1e6, took, ended, all };
};

const body = JSON.stringify({
  dags: Array.from({ length: 40 }, (_, i) => ({ dag_id: `dag_${i}`, paused: false })),
});
const server = createServer((_req, res) => {
  res.setHeader('content-type', 'application/json');
  res.end(body);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
process.on('message', (order: Order) => void carryOut(order).then((delays) => process.send?.(delays)));
process.on('disconnect', () => process.exit());
process.send?.({ port: (server.address() as AddressInfo).port });
