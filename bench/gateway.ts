// What the door costs beside nginx: the same page straight from an upstream, through nginx, through nginx that asks a
// helper for the session, through a proxy in Node that decides nothing, and through the door; then connections that
// do nothing.
// node bench/gateway.ts [SECONDS [ROUNDS [IDLE]]]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Ready } from './gateway-servers.ts';
import { freePort } from './harness.ts';
import { type Load, load, middleOf, type Result, type Server } from './load.ts';
import { nginxes, pages } from './nginx.ts';
import { forgetPeak, peak, resident } from './processes.ts';
import { needed } from './programs.ts';
import { type Measured, printTable } from './table.ts';

const [seconds = 3, rounds = 5, idle = 10_000] = process.argv.slice(2).map(Number);
const programs = needed('nginx', 'wrk');
const folder = mkdtempSync(join(tmpdir(), 'windsock-bench-'));
const children: ChildProcess[] = [];

type Name = 'upstream' | 'nginx' | 'auth_request' | 'plain Node' | 'door';
type Servers = Readonly<Record<Name, Server>>;

const keep = <Child extends ChildProcess>(child: Child): Child => {
  children.push(child);
  return child;
};
const pidOf = (child: ChildProcess): number => child.pid ?? Number.NaN;

const startNode = async (...args: readonly string[]) => {
  const child = keep(fork(new URL('./gateway-servers.ts', import.meta.url), args));
  const [ready] = (await once(child, 'message', { signal: AbortSignal.timeout(20_000) })) as [Ready];
  return { ...ready, pid: pidOf(child) };
};

const startAll = async (): Promise<Servers> => {
  const start = nginxes(programs.nginx, folder);
  const upstream = await freePort();
  const files = keep(await start.files(upstream));
  const door = await startNode('door', String(upstream));
  const helper = await startNode('helper');
  const node = await startNode('node', String(upstream));
  const leaf = door.leaf ?? { chainPem: '', keyPem: '' };
  const [plain, asking] = [await freePort(), await freePort()];
  const nginx = keep(await start.proxy({ port: plain, upstream, leaf }));
  const askingNginx = keep(await start.askingProxy({ port: asking, upstream, helper: helper.port, leaf }));
  const at = (port: number) => `https://127.0.0.1:${port}`;
  return {
    upstream: { origin: `http://127.0.0.1:${upstream}`, headers: {}, pids: [pidOf(files)] },
    nginx: { origin: at(plain), headers: helper.headers, pids: [pidOf(nginx)] },
    auth_request: { origin: at(asking), headers: helper.headers, pids: [pidOf(askingNginx), helper.pid] },
    'plain Node': { origin: at(node.port), headers: node.headers, pids: [node.pid] },
    door: { origin: at(door.port), headers: door.headers, pids: [door.pid] },
  };
};

/** Takes turns, so that what else the machine does meets all alike; the middle of the rounds counts. */
const compare = async (servers: Servers, o: Load): Promise<void> => {
  const measured = new Map<string, Measured>();
  const results = new Map(Object.keys(servers).map((name): [string, Result[]] => [name, []]));
  for (const server of Object.values(servers)) {
    await load(programs.wrk, server, { ...o, seconds: 1 });
    forgetPeak(server.pids);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(servers))
      results.get(name)?.push(await load(programs.wrk, server, o));
  }
  for (const [name, server] of Object.entries(servers))
    measured.set(name, { ...middleOf(results.get(name) ?? []), memory: peak(server.pids) });
  printTable(`${o.path}, ${o.connections} connection${o.connections === 1 ? '' : 's'}`, measured);
};

/** The memory of connections that are open and idle, and how long a request takes beside them. */
const compareIdle = async (name: string, server: Server): Promise<void> => {
  const one = { path: '/api/v2/dags', connections: 1, seconds };
  const before = await load(programs.wrk, server, one);
  const empty = resident(server.pids);
  const args = [new URL(server.origin).port, String(idle), JSON.stringify(server.headers)];
  const clients = keep(fork(new URL('./idle-clients.ts', import.meta.url), args));
  await once(clients, 'message', { signal: AbortSignal.timeout(600_000) });
  const each = (resident(server.pids) - empty) / idle;
  const beside = await load(programs.wrk, server, one);
  clients.send('count');
  const [open] = (await once(clients, 'message')) as [number];
  clients.kill();
  console.log(
    `  ${name.padEnd(12)}  ${(each / 1024).toFixed(1).padStart(5)} KiB each  ${open} still open  ` +
      `p50 ${beside.median.toFixed(2)} ms (${before.median.toFixed(2)} without)  p99 ${beside.p99.toFixed(2)} ms`,
  );
};

const cipherOf = (server: Server): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(server.origin).port), rejectUnauthorized: false }, () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
    socket.once('error', reject);
  });

/** Starts the servers anew, so that nothing that was measured before is in their memory. */
const withServers = async (measure: (servers: Servers) => Promise<void>): Promise<void> => {
  try {
    await measure(await startAll());
  } finally {
    for (const child of children.splice(0)) child.kill();
  }
};

const checkCiphers = async (proxies: readonly Server[]): Promise<void> => {
  const ciphers = new Set(await Promise.all(proxies.map(cipherOf)));
  if (ciphers.size > 1) throw new Error(`not all speak the same TLS: ${[...ciphers].join(', ')}`);
  console.log(`${[...ciphers][0]}, ECDSA P-256`);
};

try {
  await withServers(async (servers) => {
    const { upstream: _, ...proxies } = servers;
    await checkCiphers(Object.values(proxies));
    for (const path of Object.keys(pages))
      for (const connections of [1, 32, 256]) await compare(servers, { path, connections, seconds });
  });
  await withServers(async ({ upstream: _, ...proxies }) => {
    console.log(`${idle} idle connections`);
    for (const [name, server] of Object.entries(proxies)) await compareIdle(name, server);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
