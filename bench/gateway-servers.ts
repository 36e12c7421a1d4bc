// The servers that bench/gateway.ts measures, each in a process of its own: it is forked with a role.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintOf, openTestDoor, recordOf } from '../src/gateway/test-door.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { newAuthority } from '../src/tls/authority.ts';
import { createTlsIdentity } from '../src/tls/reload.ts';

/** What a server tells the measuring process. */
export interface Ready {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Listening = { address(): unknown; listen(port: number, host: string, then: () => void): unknown };

const portOf = (server: Listening): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );

/** As large as a small answer of Airflow's REST API. */
const body = JSON.stringify({ dags: 'x'.repeat(2000), total_entries: 1 });

const upstream = async (): Promise<Ready> => {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  return { origin: `http://127.0.0.1:${await portOf(server)}`, headers: {} };
};

/** The least that stands between a client and a server: TLS, one request for another, nothing decided. */
const plainProxy = async (target: number): Promise<Ready> => {
  const authority = await newAuthority(Date.now());
  const tls = await createTlsIdentity({ authority, clock: systemClock, log: silentLog });
  const agent = new Agent({ keepAlive: true });
  const server = createTlsServer({ ...tls.secureContext() }, (req, res) => {
    const { method, url: path, headers } = req;
    const out = request({ agent, port: target, host: '127.0.0.1', method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(out);
  });
  return { origin: `https://127.0.0.1:${await portOf(server)}`, headers: {} };
};

/** The door with its real listeners, TLS, tokens and assertions; what it would keep in PostgreSQL is in memory. */
const door = async (target: number): Promise<Ready> => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-bench-'));
  try {
    const t = await openTestDoor(folder, 21_000 + (process.pid % 400) * 20);
    t.world.target = { host: '127.0.0.1', port: target, startId: '1' };
    const { record, origin, port } = await t.open(recordOf('aaaaaaaaaaaa', 'bench', '3.3.1'));
    const token = await t.tokens.webLoginToken(record, mintOf('ann'), 'user/ann');
    const login = await t.ask(port, {
      method: 'POST',
      path: '/pluginsv2/aws_mwaa/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${token}`,
    });
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie === undefined) throw new Error(`the login failed: ${login.body}`);
    return { origin, headers: { cookie } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const [role, target] = [process.argv[2], Number(process.argv[3])];
const roles = { upstream, plain: () => plainProxy(target), door: () => door(target) };
if (role === undefined || !(role in roles)) throw new Error('this file is started by bench/gateway.ts');
process.on('disconnect', () => process.exit());
process.send?.(await roles[role as keyof typeof roles]());
