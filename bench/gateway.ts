// What the door costs: requests a second and latency, as ratios to a plain proxy in the same run.
// node bench/gateway.ts [SECONDS]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Pool } from 'undici';
import type { Ready } from './gateway-servers.ts';

const seconds = Number(process.argv[2] ?? 2);
const rounds = 5;
const children: ChildProcess[] = [];

const start = async (role: string, target?: string): Promise<Ready> => {
  const args = target === undefined ? [role] : [role, new URL(target).port];
  const child = fork(new URL('./gateway-servers.ts', import.meta.url), args);
  children.push(child);
  const signal = AbortSignal.timeout(20_000);
  const [ready] = (await once(child, 'message', { signal })) as [Ready];
  return ready;
};

interface Result {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
}

/** Sends requests over so many connections, one at a time on each, for the given seconds. */
const measure = async ({ origin, headers }: Ready, connections: number, length: number): Promise<Result> => {
  const pool = new Pool(origin, { connections, pipelining: 1, connect: { rejectUnauthorized: false } });
  const times: number[] = [];
  const end = performance.now() + length * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const begun = performance.now();
      const answer = await pool.request({ method: 'GET', path: '/api/v2/dags', headers: { ...headers } });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond: times.length / length, median: at(0.5), p99: at(0.99) };
};

const line = (name: string, r: Result, base: { readonly plain: Result; readonly upstream: Result }): string =>
  [
    name.padEnd(12),
    `${r.perSecond.toFixed(0).padStart(6)}/s`,
    `${(r.perSecond / base.plain.perSecond).toFixed(2).padStart(6)} of plain`,
    `median ${r.median.toFixed(2).padStart(6)} ms`,
    `added to upstream ${(r.median - base.upstream.median).toFixed(2).padStart(6)} ms`,
    `p99 ${r.p99.toFixed(2).padStart(6)} ms`,
  ].join('  ');

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const middleOf = (results: readonly Result[]): Result => ({
  perSecond: middle(results.map((r) => r.perSecond)),
  median: middle(results.map((r) => r.median)),
  p99: middle(results.map((r) => r.p99)),
});

/** Takes turns, so that what else the machine does meets all alike; the middle of the rounds counts. */
const compare = async (servers: Readonly<Record<string, Ready>>, connections: number): Promise<void> => {
  const results = new Map(Object.keys(servers).map((name): [string, Result[]] => [name, []]));
  for (const server of Object.values(servers)) await measure(server, connections, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(servers))
      results.get(name)?.push(await measure(server, connections, seconds));
  }
  const base = {
    plain: middleOf(results.get('plain proxy') ?? []),
    upstream: middleOf(results.get('upstream') ?? []),
  };
  console.log(`${connections} connection${connections === 1 ? '' : 's'}`);
  for (const [name, all] of results) console.log(`  ${line(name, middleOf(all), base)}`);
};

try {
  const upstream = await start('upstream');
  const plain = await start('plain', upstream.origin);
  const door = await start('door', upstream.origin);
  const servers = { upstream, 'plain proxy': plain, door };
  for (const connections of [1, 16]) await compare(servers, connections);
} finally {
  for (const child of children) child.kill();
}
