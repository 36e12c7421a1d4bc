// The servers of bench/gateway.ts that run in Node, each in a process of its own: it is forked with a role.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { mintOf, openTestDoor, recordOf } from '../src/gateway/test-door.ts';
import { newAuthority } from '../src/tls/authority.ts';
import { type Leaf, newLeaf } from '../src/tls/leaf.ts';

/** What a server tells the measuring process. */
export interface Ready {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Another certificate of the door's authority, for the others to serve with. */
  readonly leaf?: Leaf;
}

const portOf = async (server: Server): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};

/** Looks up a session, as nginx's auth_request asks for: 200 with who it is, or 401. */
const helper = async (): Promise<Ready> => {
  const sessions = new Map(
    Array.from({ length: 1000 }, (_, i) => [`session-${i}`, { user: 'ann', roles: 'Admin' }]),
  );
  const server = createServer({ keepAliveTimeout: 600_000 }, (req, res) => {
    const session = sessions.get(/(?:^|; )session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '');
    if (session)
      res.writeHead(200, { 'x-user': session.user, 'x-roles': session.roles, 'content-length': 0 });
    else res.writeHead(401, { 'content-length': 0 });
    res.end();
  });
  return { port: await portOf(server), headers: { cookie: 'session=session-500' } };
};

/** The least that a proxy in Node does: TLS, one request for another, nothing decided, the answer passed on at once. */
const plainNode = async (target: number): Promise<Ready> => {
  const pool = new Pool(`http://127.0.0.1:${target}`, { connections: 64, pipelining: 1 });
  const leaf = await newLeaf(await newAuthority(Date.now()), Date.now());
  const options = { cert: leaf.chainPem, key: leaf.keyPem, keepAliveTimeout: 30_000 };
  const server = createTlsServer(options, (req, res) => {
    pool.dispatch(
      { method: 'GET', path: req.url ?? '/', headers: { host: 'localhost' } },
      {
        onRequestStart: () => {},
        onResponseStart: (_, status, headers) => void res.writeHead(status, headers),
        onResponseData: (_, chunk) => void res.write(chunk),
        onResponseEnd: () => void res.end(),
        onResponseError: () => void res.destroy(),
      },
    );
  });
  return { port: await portOf(server), headers: {} };
};

/** The door with its real listeners, TLS, tokens and assertions; what it would keep in PostgreSQL is in memory. */
const door = async (target: number): Promise<Ready> => {
  const folder = mkdtempSync(join(tmpdir(), 'windsock-bench-'));
  try {
    const t = await openTestDoor(folder, 21_000 + (process.pid % 400) * 20);
    t.world.target = { host: '127.0.0.1', port: target, startId: '1' };
    const { record, hostname, port } = await t.open(recordOf('aaaaaaaaaaaa', 'bench', '3.3.1'));
    const token = await t.tokens.webLoginToken(record, mintOf('ann'), 'user/ann');
    const login = await t.ask(port, {
      method: 'POST',
      path: '/pluginsv2/aws_mwaa/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${token}`,
    });
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie === undefined) throw new Error(`the login failed: ${login.body}`);
    const leaf = await newLeaf(t.authority, Date.now());
    return { port, headers: { Host: hostname, cookie }, leaf };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const [role, target] = [process.argv[2], Number(process.argv[3])];
const roles = { helper, node: () => plainNode(target), door: () => door(target) };
if (role === undefined || !(role in roles)) throw new Error('this file is started by bench/gateway.ts');
process.on('disconnect', () => process.exit());
process.send?.(await roles[role as keyof typeof roles]());
