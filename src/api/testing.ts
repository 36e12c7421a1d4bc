import { SignatureV4 } from '@smithy/signature-v4';
import type { AuditEntry } from '../audit/record.ts';
import { EnvironmentExists, GenerationChanged } from '../environments/errors.ts';
import type { EnvironmentStore } from '../environments/ports.ts';
import { type EnvironmentRecord, noTries } from '../environments/record.ts';
import { accessKeyLookup } from '../identity/access-keys.ts';
import { createAuthorizer } from '../identity/authorizer.ts';
import { identityBoxes } from '../identity/identity-key.ts';
import { livingDirectory } from '../identity/living-directory.ts';
import { createVerifier } from '../identity/sigv4/verify.ts';
import { createS3HeadVerifier } from '../identity/sigv4/verify-s3.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { Sha256 } from '../lib/sha256.ts';
import type { Transaction } from '../lib/transaction.ts';
import { createAirflowLimits } from '../upstream/airflow-limits.ts';
import { createUpstreamPools } from '../upstream/pool.ts';
import type { ApiDeps } from './deps.ts';
import { handleCall } from './pipeline.ts';

/** For tests of this room only: the ports in memory, and a client that signs. */

export const root = {
  accountId: '123456789012',
  accessKeyId: 'AKIAABCDEFGHIJKLMNOP',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
export const region = 'us-east-1';

type Unused = 'findById' | 'openLocks' | 'keys' | 'placed' | 'watch';

const memoryStore = (records: Map<string, EnvironmentRecord>): Omit<EnvironmentStore, Unused> => ({
  // Rolls back by putting the old records in place again.
  inTransaction: async (work) => {
    const before = new Map(records);
    try {
      return await work({} as Transaction);
    } catch (error) {
      records.clear();
      for (const [name, record] of before) records.set(name, record);
      throw error;
    }
  },
  insert: async (_tx, e) => {
    if (records.has(e.name)) throw new EnvironmentExists(e.name);
    const lastUpdate = { Status: 'PENDING', CreatedAt: e.createdAt } as const;
    const record = {
      ...e,
      status: 'CREATING',
      update: undefined,
      generation: 1,
      lastUpdate,
      webserverHostname: undefined,
      progress: undefined,
      suspended: false,
      tries: noTries,
    } as const;
    records.set(e.name, record);
    return record;
  },
  find: async ({ name }) => {
    const found = records.get(name);
    return found?.status === 'DELETED' ? undefined : found;
  },
  findLocked: async (_tx, { name }) => {
    const found = records.get(name);
    return found?.status === 'DELETED' ? undefined : found;
  },
  wasDeleted: async ({ name }) => records.get(name)?.status === 'DELETED',
  list: async (_scope, { after, limit }) =>
    [...records.keys()]
      .sort()
      .filter((name) => after === undefined || name > after)
      .slice(0, limit),
  setTags: async (_tx, id, tags) => {
    const found = [...records.values()].find((e) => e.id === id);
    if (found) records.set(found.name, { ...found, tags });
  },
  countLocked: async () => records.size,
  setDesired: async (_tx, id, expected, change) => {
    const found = [...records.values()].find((e) => e.id === id);
    if (found?.generation !== expected) throw new GenerationChanged(id);
    const record = { ...found, ...change, generation: expected + 1 };
    records.set(record.name, record);
    return record;
  },
  setSuspended: async (_tx, id, expected, suspended) => {
    const found = [...records.values()].find((e) => e.id === id);
    if (found?.generation !== expected) throw new GenerationChanged(id);
    records.set(found.name, { ...found, suspended, generation: expected + 1 });
  },
  setDeleting: async (_tx, id, expected) => {
    const found = [...records.values()].find((e) => e.id === id);
    if (found?.generation !== expected) throw new GenerationChanged(id);
    const record = { ...found, status: 'DELETING', generation: expected + 1 } as const;
    records.set(record.name, record);
    return record;
  },
});

const boxes = identityBoxes(Buffer.alloc(32, 1));

const emptyDirectory = () =>
  livingDirectory(
    {
      inTransaction: (work) => work({} as Transaction),
      load: async () => [],
      save: async () => {},
    },
    [],
  );

/** Fakes of every port, with what was done to them. */
export const fakeWorld = () => {
  const records = new Map<string, EnvironmentRecord>();
  const audited: (AuditEntry & { readonly inTransaction: boolean })[] = [];
  const ended: string[] = [];
  const minted: { readonly kind: string; readonly id: string; readonly identity: string }[] = [];
  const mint = (kind: string) => async (e: { readonly id: string }, _mint: unknown, identity: string) => {
    minted.push({ kind, id: e.id, identity });
    return `${kind}-token`;
  };
  const directory = emptyDirectory();
  const lookup = accessKeyLookup({ root, boxes, clock: systemClock, directory: () => directory.current });
  const deps: ApiDeps = {
    accountId: root.accountId,
    region,
    placement: { driver: 'local', host: 'here' },
    airflowVersions: ['2.7.2', '2.11.0', '2.11.2', '3.0.6', '3.3.1'],
    sharedAirflowUsers: false,
    givesRoles: true,
    roleSessionSeconds: 3_600,
    roleSessions: { take: () => true },
    roleRefusals: { take: () => true },
    quotas: { environments: 10, workers: 25, webservers: 5 },
    environmentFault: ({ EnvironmentClass }) =>
      EnvironmentClass === 'mw1.2xlarge' ? 'mw1.2xlarge needs more than there is.' : undefined,
    customDomainFault: () => undefined,
    verify: (request, service) => createVerifier({ region, service, clock: systemClock, lookup })(request),
    verifyS3: createS3HeadVerifier({ region, clock: systemClock, lookup }),
    authorizer: createAuthorizer({ directory: () => directory.current, clock: systemClock, region }),
    directory,
    boxes,
    keyUses: { last: () => undefined, note: () => {}, flush: async () => {} },
    store: memoryStore(records) as EnvironmentStore,
    sessions: { list: async () => [], endWhere: async () => ({ ended: [], announce: () => {} }) },
    assertions: { sign: async () => 'assertion' },
    driver: {
      webTarget: () => undefined,
      processUid: () => 1_000,
      content: async () => ({
        version: 'v',
        since: 0,
        followed: undefined,
        elsewhere: undefined,
        fault: undefined,
        files: [],
      }),
    },
    pools: createUpstreamPools(),
    airflowLimits: createAirflowLimits({ clock: systemClock, requestsPerSecond: 1_000 }),
    givenOut: { take: () => true },
    calls: { take: () => true },
    lookups: { take: () => true },
    tokens: { webLoginToken: mint('web'), cliToken: mint('cli') },
    audit: {
      write: async (entry, tx) => {
        audited.push({ ...entry, inTransaction: tx !== undefined });
      },
    },
    strangers: { admit: () => true, close: async () => {} },
    auditReader: { findByRequest: async () => [], find: async () => ({ events: [], more: false }) },
    clock: systemClock,
    log: silentLog,
    endAll: async (_tx, id) => {
      ended.push(id);
      return () => void ended.push(`${id} cut`);
    },
  };
  return { deps, records, audited, ended, minted };
};

export type World = ReturnType<typeof fakeWorld>;

/** Changes a record as the loop would. */
export const setRecord = (world: World, name: string, change: Partial<EnvironmentRecord>): void => {
  const record = world.records.get(name);
  if (record) world.records.set(name, { ...record, ...change });
};

const signerOf = (service: string) => new SignatureV4({ service, region, credentials: root, sha256: Sha256 });

/** Headers of a signed request, as an SDK would send it. */
export const signedHeaders = async (
  method: string,
  target: string,
  body: string,
  host = 'localhost',
): Promise<Record<string, string>> => {
  const url = new URL(target, 'http://localhost');
  const signed = await signerOf(target.startsWith('/windsock/') ? 'windsock' : 'airflow').sign({
    method,
    protocol: 'http:',
    hostname: 'localhost',
    path: target.split('?')[0] ?? '',
    query: Object.fromEntries([...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key)])),
    headers: { host, 'content-type': 'application/json', 'user-agent': 'test/1' },
    body,
  });
  return signed.headers;
};

export const createInput = {
  ExecutionRoleArn: 'arn:aws:iam::123456789012:role/mwaa',
  SourceBucketArn: 'arn:aws:s3:::bucket',
  DagS3Path: 'dags/',
  NetworkConfiguration: { SubnetIds: ['subnet-1', 'subnet-2'] },
};

/** Sends a request as it is. */
export const send = async (
  deps: ApiDeps,
  method: string,
  target: string,
  body: string,
  headers: Record<string, string>,
) => {
  const response = await handleCall(
    {
      method,
      target,
      rawHeaders: Object.entries(headers).flat(),
      body: Buffer.from(body),
      sourceIp: '127.0.0.1',
      requestId: '7a3c3f0e-0000-4000-8000-000000000000',
    },
    deps,
  );
  const json = JSON.parse(response.body) as Record<string, unknown>;
  return {
    status: response.status,
    type: response.headers['x-amzn-errortype'],
    json,
    text: response.body,
    headers: response.headers,
  };
};

/** Sends a signed request; a string is the body as it is. */
export const call = async (world: { deps: ApiDeps }, method: string, target: string, input?: unknown) => {
  const body = input === undefined ? '' : typeof input === 'string' ? input : JSON.stringify(input);
  return send(world.deps, method, target, body, await signedHeaders(method, target, body));
};

export const create = (world: World, name = 'demo', change: object = {}) =>
  call(world, 'PUT', `/environments/${name}`, { ...createInput, ...change });

/** An environment that the loop has brought up. */
export const available = async (world: World, name = 'demo', change: object = {}) => {
  await create(world, name, change);
  setRecord(world, name, { status: 'AVAILABLE', webserverHostname: 'localhost:7443' });
  world.audited.length = 0;
};
