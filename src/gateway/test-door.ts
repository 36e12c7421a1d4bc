import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AuditEntry } from '../audit/record.ts';
import type { AirflowRole } from '../contract/roles.ts';
import type { CliAnswer, WebTarget } from '../environments/ports.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import type { MintContext } from '../identity/principal.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { newAuthority } from '../tls/authority.ts';
import { createTlsIdentity } from '../tls/reload.ts';
import { fakeStores, isInTransaction } from '../tokens/fake-stores.ts';
import { loadOrCreateSigningKeys } from '../tokens/signing-keys.ts';
import { createTokens } from '../tokens/tokens.ts';
import { createAirflowLimits } from '../upstream/airflow-limits.ts';
import { createUpstreamPools } from '../upstream/pool.ts';
import { createGateway } from './gateway.ts';

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the fake Airflow saw. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly body: string;
}

export const recordOf = (id: string, name: string, version: string): EnvironmentRecord => ({
  id,
  name,
  accountId: '000000000000',
  region: 'us-east-1',
  arn: `arn:aws:airflow:us-east-1:000000000000:environment/${name}`,
  status: 'AVAILABLE',
  spec: {
    AirflowVersion: version,
    DagS3Path: 'dags',
    SourceBucketArn: 'arn:aws:s3:::demo',
    ExecutionRoleArn: 'arn:aws:iam::000000000000:role/x',
    EnvironmentClass: 'mw1.micro',
  },
  update: undefined,
  tags: {},
  suspended: false,
  generation: 1,
  placement: { driver: 'local', host: 'h' },
  lastUpdate: { Status: 'SUCCESS', CreatedAt: 0 },
  webserverHostname: undefined,
  tries: { failures: 0, spent: 0, drained: 0 },
  progress: undefined,
  createdAt: 0,
});

export const mintOf = (name: string): MintContext => ({
  principal: {
    type: 'IAMUser',
    arn: `arn:aws:iam::000000000000:user/${name}`,
    accountId: '000000000000',
    iamIdentity: `user/${name}`,
    accessKeyId: 'AKIAEXAMPLE',
  },
  sourceIp: '127.0.0.1',
  userAgent: 'test',
  requestId: 'r',
});

/** A web server in Airflow's place: it notes what it gets and answers what `reply` says. */
const fakeAirflow = async () => {
  const seen: Seen[] = [];
  const state: {
    reply: Parameters<typeof createServer>[1];
    upgrade: (socket: Duplex) => void;
    upgraded: IncomingHttpHeaders[];
  } = {
    reply: undefined,
    upgrade: (socket) => socket.destroy(),
    upgraded: [],
  };
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    if (state.reply) return state.reply(req, res);
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.headers,
        raw: req.rawHeaders,
        body,
      });
      res.end('from airflow');
    });
    return undefined;
  });
  server.on('upgrade', (req, socket) => {
    state.upgraded.push(req.headers);
    state.upgrade(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, seen, state, port: (server.address() as AddressInfo).port };
};

/** A gateway with real listeners, real TLS and real tokens before a fake Airflow. */
export const openTestDoor = async (folder: string, firstPort: number) => {
  const airflow = await fakeAirflow();
  const stores = fakeStores();
  const authority = await newAuthority(Date.now());
  const tls = await createTlsIdentity({ authority, clock: systemClock, log: silentLog });
  const keys = await loadOrCreateSigningKeys(`${folder}/keys.json`, { clock: systemClock, days: 30 });
  const world: {
    roles: AirflowRole[];
    target: WebTarget | undefined;
    /** What a command ends with; `hangs` runs until the client leaves. */
    cli: CliAnswer | 'hangs';
    /** Whom the last command was for. */
    person: string | undefined;
    words: (readonly string[])[];
    /** Too many requests of everybody are with Airflow. */
    isFull: boolean;
    /** Nothing can be recorded. */
    auditFails: boolean;
  } = {
    roles: ['Admin'],
    target: { host: '127.0.0.1', port: airflow.port, startId: '1' },
    person: undefined,
    cli: { kind: 'ran', stdout: Buffer.from('out\n'), stderr: Buffer.from(''), exitCode: 0 },
    words: [],
    isFull: false,
    auditFails: false,
  };
  const tokens = createTokens({
    ...stores,
    keys,
    clock: systemClock,
    installationId: 'inst',
    singleUseCliTokens: false,
    mayRunCommands: () => true,
    rolesOf: (_mint, e) => (e.tags['stage'] === 'closed' ? [] : world.roles),
  });
  const records = new Map<string, EnvironmentRecord>();
  const audit: AuditEntry[] = [];
  const pools = createUpstreamPools();
  const limits = createAirflowLimits({ clock: systemClock, requestsPerSecond: 1_000_000 });
  const gateway = createGateway({
    environments: {
      findById: async (id) => {
        if (isInTransaction()) throw new Error('a second connection was asked for inside of a transaction');
        return records.get(id);
      },
      inTransaction: stores.inTransaction,
    },
    driver: {
      webTarget: () => world.target,
      cli: async (_e, words, { signal, person }) => {
        world.words.push(words);
        world.person = person;
        if (world.cli !== 'hangs') return world.cli;
        await once(signal, 'abort');
        throw signal.reason;
      },
      shownCommand: (_e, words) => words.slice(0, 2).join(' '),
    },
    tokens,
    audit: {
      write: async (entry) => {
        if (world.auditFails) throw new Error('no byte is free');
        audit.push(entry);
      },
    },
    clock: systemClock,
    log: silentLog,
    tls,
    pools,
    addresses: { private: ['127.0.0.1', '::1'], public: [] },
    firstPort,
    connectionsPerAddress: 1000,
    requestsPerSecond: 1_000_000,
    airflowLimits: {
      take: limits.take,
      enter: (who, whenWaiting) =>
        world.isFull ? Promise.resolve(undefined) : limits.enter(who, whenWaiting),
    },
    ownCommand: { program: 'windsock', data: "/srv/wind sock's" },
  });
  const open = async (record: EnvironmentRecord) => {
    records.set(record.id, record);
    const { door } = gateway;
    const known = door.hasAddress(record) ? record.webserverHostname : undefined;
    const hostname = known ?? (await door.propose(record, new Set()));
    await door.open({ ...record, webserverHostname: hostname });
    return { record, hostname, origin: `https://${hostname}`, port: Number(hostname.split(':')[1]) };
  };
  const ask = (port: number, o: RequestOptions & { body?: string | Buffer } = {}): Promise<Got> =>
    new Promise((resolve, reject) => {
      const req = request({ host: 'localhost', port, ca: authority.rootPem, agent: false, ...o }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (c: Buffer) => chunks.push(c));
        res.on('error', reject);
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      req.on('error', reject);
      req.end(o.body);
    });
  const close = async () => {
    await gateway.close();
    pools.close();
    tls.close();
    airflow.server.closeAllConnections();
    await new Promise((resolve) => airflow.server.close(resolve));
  };
  return { airflow, stores, tokens, gateway, authority, world, records, audit, open, ask, close };
};

export type TestDoor = Awaited<ReturnType<typeof openTestDoor>>;
