import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Bases } from '../airflow/base.ts';
import { createCliRunner } from '../airflow/cli/runner.ts';
import { LocalDriver } from '../airflow/local/driver.ts';
import { packageSources } from '../airflow/package-index.ts';
import { createApiServer } from '../api/server.ts';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import type { Settings } from '../config/settings.ts';
import { createFolderSource } from '../content/folder-source.ts';
import { type Loop, startLoop } from '../environments/loop.ts';
import type { ContentLocation, EnvironmentStore } from '../environments/ports.ts';
import type { EnvironmentProgress } from '../environments/reconcile.ts';
import type { Placement } from '../environments/record.ts';
import { createGateway } from '../gateway/gateway.ts';
import { accessKeyLookup, loadOrCreateRootAccount, type RootAccount } from '../identity/access-keys.ts';
import { createVerifier } from '../identity/sigv4/verify.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import { fileLog, type Log } from '../lib/log.ts';
import { grantedAirflowRoles } from '../policy/airflow-roles.ts';
import { accountNumbers } from '../store/account-numbers.ts';
import { createAuditStore } from '../store/audit.ts';
import { environmentStore } from '../store/environments.ts';
import { metadataDatabases } from '../store/metadata-databases.ts';
import { takeOwnership } from '../store/owner-lock.ts';
import { createSessionStore } from '../store/sessions.ts';
import { createTokenStore } from '../store/tokens.ts';
import { loadOrCreateAuthority } from '../tls/authority.ts';
import { caBundle } from '../tls/bundle.ts';
import { createTlsIdentity } from '../tls/reload.ts';
import { loadOrCreateSigningKeys } from '../tokens/signing-keys.ts';
import { createTokens } from '../tokens/tokens.ts';
import { checkStart } from '../upstream/start-check.ts';
import { type ServerAccounts, serverAccounts } from './accounts.ts';
import { dagFolder } from './dag-folder.ts';
import { checkReachable, installationId, installShim, makeDataFolder } from './folders.ts';
import { type OwnDatabase, openOwnDatabase } from './own-database.ts';

export interface ServerOptions {
  readonly settings: Settings & { readonly data: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly userName: string;
  /** Shown while it starts. */
  readonly step: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly onProgress: (p: EnvironmentProgress) => void;
  /** Another server has taken over this data folder: stop. */
  readonly onLost: () => void;
}

/** A running Windsock. */
export interface Server {
  readonly folders: DataFolder;
  readonly endpoint: string;
  readonly root: RootAccount;
  readonly accounts: ServerAccounts | undefined;
  readonly log: Log;
  readonly store: EnvironmentStore;
  /** True once the environment's web server may be shown to people. */
  isReachable(id: string): boolean;
  /** True when this data folder has never had an environment. */
  readonly isFirstStart: boolean;
  /** Ends every process of Airflow at once; for a stop that is not to wait. */
  hurry(): void;
  /** API and doors first, then the loop, the environments all at once, PostgreSQL last. */
  stop(): Promise<void>;
}

/** What was started, ended in the opposite order. */
class Started {
  readonly #ends: (() => Promise<void> | void)[] = [];

  add(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

const publishEndpoint = (f: DataFolder, endpoint: string, region: string, rootPem: string): void => {
  writeFileAtomic(f.ca, rootPem, { mode: 0o644 });
  writeFileAtomic(f.caBundle, caBundle({ rootPem }), { mode: 0o644 });
  writeFileAtomic(f.endpoint, JSON.stringify({ endpoint, region, caBundle: f.caBundle, ca: f.ca }), {
    mode: 0o644,
  });
};

const identities = async (folders: DataFolder, log: Log) => {
  const authority = await loadOrCreateAuthority(folders.secrets, systemClock.now());
  return {
    root: loadOrCreateRootAccount(folders.rootAccessKey),
    keys: await loadOrCreateSigningKeys(join(folders.secrets, 'signing-keys.json')),
    tls: await createTlsIdentity({ authority, clock: systemClock, log }),
  };
};

const ownDatabase = async (
  o: ServerOptions,
  folders: DataFolder,
  accounts: ServerAccounts | undefined,
  log: Log,
  started: Started,
) => {
  const own = await openOwnDatabase({ folders, accounts, url: o.settings.databaseUrl, log });
  try {
    const release = await takeOwnership(own.db, o.onLost);
    started.add(() => own.stop());
    started.add(release);
  } catch (error) {
    await own.leave();
    throw error;
  }
  return own;
};

type Identities = Awaited<ReturnType<typeof identities>>;

const buildDriver = (
  o: ServerOptions,
  folders: DataFolder,
  accounts: ServerAccounts | undefined,
  own: OwnDatabase,
  id: Identities,
  issuer: string,
  log: Log,
) => {
  const sources = packageSources(o.env);
  const path = o.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const { bases, cache, programs } = folders;
  return new LocalDriver({
    environments: folders.environments,
    cache,
    trash: folders.trash,
    shim: installShim(folders),
    bases: new Bases({
      bases,
      cache,
      programs,
      installer: accounts?.installer,
      path,
      python: o.settings.python,
      sources,
    }),
    databases: metadataDatabases(own.server),
    assertionKeys: id.keys,
    assertionIssuer: issuer,
    content: dagFolder(createFolderSource({ buckets: folders.buckets, log }), log),
    cli: createCliRunner(),
    startCheck: checkStart,
    accounts: accounts && { installer: accounts.installer, ...accountNumbers(own.db, accounts.range) },
    userName: o.userName,
    databasePeer: own.server.peer,
    taskLogDays: o.settings.taskLogDays,
    bootId: systemClock.bootId,
    log,
  });
};

/**
 * Starts everything, in this order: folders, accounts, PostgreSQL, ownership, keys, driver, doors, API, loop.
 * What was started is ended again when a later part fails.
 * @throws WindsockError with a text for the person who started it.
 */
export const startServer = async (o: ServerOptions): Promise<Server> => {
  const started = new Started();
  try {
    return await start(o, started);
  } catch (error) {
    await started.end();
    throw error;
  }
};

const start = async (o: ServerOptions, started: Started): Promise<Server> => {
  const { settings } = o;
  const tag = hashOf(settings.data);
  const folders = dataFolder(settings.data, o.env, tag);
  makeDataFolder(folders, o.isRoot);
  const log = fileLog(join(folders.logs, 'windsock.log'));
  const issuer = installationId(folders);
  const accounts = await serverAccounts(o.isRoot, issuer);
  if (accounts) await checkReachable(folders, accounts.postgres);
  const own = await o.step('postgres', () => ownDatabase(o, folders, accounts, log, started));
  const id = await identities(folders, log);
  started.add(() => id.tls.close());
  const region = settings.region;
  const clock = systemClock;
  const store = environmentStore(own.db);
  const audit = createAuditStore(own.db, { clock, region, accountId: id.root.accountId });
  const driver = buildDriver(o, folders, accounts, own, id, issuer, log);
  await driver.endLeftOvers();
  const tokens = createTokens({
    tokenStore: createTokenStore(own.db),
    sessionStore: createSessionStore(own.db),
    audit,
    keys: id.keys,
    clock,
    installationId: issuer,
    log,
    rolesOf: (mint, e) =>
      grantedAirflowRoles(mint.principal, {
        accountId: e.accountId,
        region: e.region,
        environmentName: e.name,
      }),
  });
  started.add(tokens.startSweeping());
  const gateway = createGateway({
    environments: store,
    driver,
    tokens,
    audit,
    clock,
    log,
    tls: id.tls,
    firstPort: settings.doorPort,
  });
  const placement: Placement = { driver: 'local', host: 'local' };
  let loop: Loop | undefined;
  const api = createApiServer({
    accountId: id.root.accountId,
    region,
    placement,
    airflowVersions: driver.versions,
    verify: createVerifier({ region, service: 'airflow', clock, lookup: accessKeyLookup(id.root) }),
    store,
    tokens,
    audit,
    clock,
    log,
    wake: (environmentId) => loop?.wake(environmentId),
    endAll: (tx, environmentId) => tokens.endAll(tx, environmentId),
    checkContent: checkBucket(folders, log),
  });
  const { port } = await o.step('api', () => api.listen(settings.port));
  const endpoint = `http://localhost:${port}`;
  publishEndpoint(folders, endpoint, region, id.tls.authority.rootPem);
  const [row] = await own.db.query<{ count: string }>('select count(*) from environments');
  started.add(() => driver.close());
  started.add(() => gateway.close());
  loop = await startLoop(
    {
      store,
      driver,
      door: gateway.door,
      clock,
      log,
      onProgress: o.onProgress,
      creationDeadline: settings.creationMinutes * 60_000,
    },
    placement,
  );
  const running = loop;
  started.add(() => running.close());
  started.add(() => api.close());
  log.info('server started', { endpoint, data: settings.data });
  return {
    folders,
    endpoint,
    root: id.root,
    accounts,
    log,
    store,
    isReachable: (environmentId) => driver.webTarget(environmentId) !== undefined,
    isFirstStart: row?.count === '0',
    hurry: () => driver.hurry(),
    stop: async () => {
      await started.end();
      log.info('server stopped');
    },
  };
};

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** A bucket that cannot be listed is a fault of the request; what it holds may change later. */
const checkBucket = (folders: DataFolder, log: Log) => {
  const source = createFolderSource({ buckets: folders.buckets, log });
  return async (where: ContentLocation): Promise<void> => {
    await source.list(where, AbortSignal.timeout(5_000));
  };
};
