import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { findViewSupport, type ViewSupport } from '../airflow/local/view-support.ts';
import { checkPortIsFree } from '../api/loopback.ts';
import type { RunningBuckets } from '../bucket/create-buckets.ts';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import { customDomainFault, listeningOf } from '../config/listening.ts';
import type { Settings } from '../config/settings.ts';
import { FollowedFolders } from '../content/followed.ts';
import { startLoop } from '../environments/loop.ts';
import type { EnvironmentStore, Leaving } from '../environments/ports.ts';
import type { EnvironmentProgress } from '../environments/reconcile.ts';
import type { Placement } from '../environments/record.ts';
import type { OwnCommand } from '../gateway/deps.ts';
import { createGateway } from '../gateway/gateway.ts';
import { openAccessKeyUses } from '../identity/access-key-uses.ts';
import { createAuthorizer } from '../identity/authorizer.ts';
import { newEnvironmentToken } from '../identity/environment-token.ts';
import { executionRoleFault } from '../identity/execution-role.ts';
import { openDirectory } from '../identity/living-directory.ts';
import type { RootAccount } from '../identity/root-account.ts';
import { systemClock } from '../lib/clock.ts';
import { closeProcessWorker } from '../lib/end-processes.ts';
import { textOf } from '../lib/errors.ts';
import { every } from '../lib/keyed-queue.ts';
import { fileLog, type Log } from '../lib/log.ts';
import type { LineSink } from '../lib/log-sinks.ts';
import { createAccessKeyUseStore } from '../store/access-key-uses.ts';
import { createDirectoryStore } from '../store/directory.ts';
import { environmentStore } from '../store/environments.ts';
import { takeOwnership } from '../store/owner-lock.ts';
import { openGivenCertificates } from '../tls/given-certificates.ts';
import { createAirflowLimits } from '../upstream/airflow-limits.ts';
import { createUpstreamPools } from '../upstream/pool.ts';
import { type ServerAccounts, serverAccounts } from './accounts.ts';
import { buildApi } from './build-api.ts';
import { buildBuckets } from './build-buckets.ts';
import { buildDriver } from './build-driver.ts';
import { buildTokens } from './build-tokens.ts';
import { contentSource, remoteBucketsOf } from './content-source.ts';
import { makeExecutionRole } from './execution-role.ts';
import { checkReachable, installationId, makeDataFolder, sweepUnfinished } from './folders.ts';
import { keepHouse } from './housekeeping.ts';
import { loadIdentities, publishEndpoint } from './identities.ts';
import { keepAudit } from './keep-audit.ts';
import { loggedStep } from './logged-step.ts';
import { clusterFolder, openOwnDatabase } from './own-database.ts';
import { pinnedObjects } from './pinned-objects.ts';
import { rolesFrom } from './roles.ts';
import { isOurs, serverFacts, version, writeServerFile } from './server-file.ts';
import { Started } from './started.ts';
import { keepStatusFile } from './status-file.ts';

export interface ServerOptions {
  readonly settings: Settings & { readonly data: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly userName: string;
  /** How people call the windsock command for this server. */
  readonly ownCommand: OwnCommand;
  /** Shown while it starts. */
  readonly step: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly onProgress: (p: EnvironmentProgress) => void;
  /** Gets the lines of the log as well. */
  readonly alsoLog: LineSink | undefined;
  /** A line for whoever watches the server. */
  readonly tell: (text: string) => void;
  /** Another server has taken over this data folder: stop. */
  readonly onLost: () => void;
}

/** A running Windsock. */
export interface Server {
  readonly folders: DataFolder;
  readonly endpoint: string;
  readonly root: RootAccount;
  readonly accounts: ServerAccounts | undefined;
  /** Whether Airflow has a view of its own. */
  readonly view: ViewSupport;
  readonly log: Log;
  readonly store: EnvironmentStore;
  /** True once the environment's web server may be shown to people. */
  isReachable(id: string): boolean;
  /** True when this data folder has never had an environment. */
  readonly isFirstStart: boolean;
  /** The folders that are followed in the place of a bucket's. */
  readonly followed: FollowedFolders;
  /** Whether another server has the bucket of this name. */
  isElsewhere(bucket: string): boolean;
  /** Makes the role that the first environment names in IAM, where there is none. */
  makeExecutionRole(environment: string, bucket: string): Promise<void>;
  /** Ends every process of Airflow at once; for a stop that is not to wait. */
  hurry(): void;
  /**
   * API and doors first, then the loop, the environments all at once, PostgreSQL last. `keep` leaves Airflow and
   * PostgreSQL running for the next server.
   */
  stop(leaving: Leaving): Promise<void>;
}

const ownDatabase = async (
  o: ServerOptions,
  folders: DataFolder,
  accounts: ServerAccounts | undefined,
  log: Log,
  started: Started,
) => {
  const own = await openOwnDatabase({
    folders,
    accounts,
    url: o.settings.databaseUrl,
    environments: o.settings.maxEnvironments,
    log,
  });
  try {
    const ownership = await takeOwnership(own.db, o.onLost);
    started.add('PostgreSQL', (leaving) => (leaving === 'keep' ? own.leave() : own.stop()));
    started.add('ownership', () => ownership.release());
    started.foundRunning = own.status().adopted;
    return { own, ownership };
  } catch (error) {
    await own.leave();
    throw error;
  }
};

/**
 * Starts everything, in this order: folders, accounts, PostgreSQL, ownership, keys, driver, doors, API, loop.
 * What was started is ended again when a later part fails; what was found running goes on.
 * @throws WindsockError with a text for the person who started it.
 */
export const startServer = async (o: ServerOptions): Promise<Server> => {
  const folders = dataFolder(o.settings.data, o.env);
  makeDataFolder(folders, o.isRoot);
  const log = fileLog(join(folders.logs, 'windsock.log'), o.alsoLog);
  const started = new Started();
  started.add('process worker', closeProcessWorker);
  try {
    log.info('server starting', { version, pid: process.pid, data: folders.root });
    return await start(o, folders, log, started);
  } catch (error) {
    log.error('server not started', { reason: textOf(error) });
    await started.end(started.foundRunning ? 'keep' : 'end', () => {});
    throw error;
  }
};

/** The loop, which asks for objects, begins after they can be read. */
const notYet = (): never => {
  throw new Error('the buckets are not there yet');
};

const start = async (o: ServerOptions, folders: DataFolder, log: Log, started: Started): Promise<Server> => {
  const { settings } = o;
  const clock = systemClock;
  const listening = listeningOf(settings);
  const certificate = listening.named && openGivenCertificates({ ...listening.named, clock, log });
  if (certificate) started.add('certificate of the domain', () => certificate.close());
  // On the first start much is made before the API listens: a port that is taken is told at once.
  if (!existsSync(clusterFolder(folders))) await checkPortIsFree(settings.port, () => createServer());
  const step = loggedStep(o.step, log);
  const issuer = installationId(folders);
  const accounts = await serverAccounts(o.isRoot, issuer);
  if (accounts) await checkReachable(folders, accounts.postgres);
  const { own, ownership } = await step('postgres', () => ownDatabase(o, folders, accounts, log, started));
  // only the owner may empty a log
  started.add('housekeeping', await keepHouse({ folders, log, tell: o.tell }));
  const id = await loadIdentities(folders, { log, signingKeyDays: settings.signingKeyDays });
  started.add('certificate', () => id.tls.close());
  const region = settings.region;
  const store = environmentStore(own.db);
  const {
    audit,
    reader: auditReader,
    strangers,
  } = keepAudit({
    ...{ db: own.db, key: id.auditKey, clock, region, log, started },
    accountId: id.root.accountId,
    file: folders.newestSeal,
    days: settings.auditDays,
  });
  const followed = new FollowedFolders(folders.followed);
  const remote = remoteBucketsOf(settings, clock.now);
  started.add('buckets elsewhere', () => remote.close());
  const source = contentSource({ buckets: folders.buckets, followed, remote, log });
  const view = findViewSupport({
    data: folders.root,
    cache: folders.cache,
    account: accounts?.installer,
  });
  if (view.missing !== undefined) log.warn('view of the file system missing', { reason: view.missing });
  if (view.missingPids !== undefined) log.warn('pid namespace missing', { reason: view.missingPids });
  let endpoint: string | undefined;
  let buckets: RunningBuckets | undefined;
  const driver = buildDriver({
    folders,
    accounts,
    own,
    source,
    followed,
    remote,
    audit,
    keys: id.keys,
    installationId: issuer,
    endpoint: () => endpoint,
    rolesFrom: rolesFrom(settings),
    roleToken: (environmentId) => newEnvironmentToken(id.boxes.environmentTokens, environmentId),
    view,
    userName: o.userName,
    taskLogDays: settings.taskLogDays,
    objects: pinnedObjects(() => buckets ?? notYet(), remote),
    packageHosts: settings.packageHosts,
    strictDags: settings.strictDags,
    python: settings.python,
    env: o.env,
    mayStart: () => ownership.isHeld,
    log,
  });
  const placement: Placement = { driver: 'local', host: 'local' };
  await driver.endUnknown(await store.keys(placement));
  sweepUnfinished(folders, (error) => log.warn('housekeeping failed', { reason: textOf(error) }));
  buckets = await buildBuckets({
    ...{ folders, followed, store, placement, clock, log, started },
    ...{ db: own.db, audit, objectVersionDays: settings.objectVersionDays },
  });
  const directory = await openDirectory(createDirectoryStore(own.db), {
    accountId: id.root.accountId,
    log,
  });
  const authorizer = createAuthorizer({ directory: () => directory.current, clock, region });
  const keyUses = await openAccessKeyUses(createAccessKeyUseStore(own.db), { clock });
  const failed = (error: unknown) => log.warn('housekeeping failed', { reason: textOf(error) });
  const stopNoting = every(60_000, () => keyUses.flush(), failed);
  started.add('access keys', async () => {
    stopNoting();
    await keyUses.flush();
  });
  const tokens = buildTokens({
    ...{ db: own.db, audit, keys: id.keys, installationId: issuer, authorizer, log },
    sessionLimits: { lifetime: settings.sessionHours * 3_600, idle: settings.sessionIdleMinutes * 60 },
    singleUseCliTokens: settings.singleUseCliTokens,
  });
  started.add('sweeping', tokens.startSweeping());
  const pools = createUpstreamPools();
  const { requestsPerSecond } = settings;
  const airflowLimits = createAirflowLimits({ clock, requestsPerSecond });
  const gateway = createGateway({
    environments: store,
    driver,
    tokens,
    audit,
    clock,
    log,
    tls: certificate ?? id.tls,
    pools,
    addresses: listening,
    domain: listening.named?.domain,
    firstPort: settings.doorPort,
    externalPort: settings.externalPort,
    proxies: listening.proxies,
    connectionsPerAddress: settings.connectionsPerAddress,
    requestsPerSecond,
    airflowLimits,
    ownCommand: o.ownCommand,
  });
  const api = buildApi({
    ...{ settings, source, remote, followed, region, placement, root: id.root, boxes: id.boxes },
    ...{ directory, authorizer, keyUses, store, driver, tokens, pools, airflowLimits, clock, log },
    ...{ audit, auditReader, strangers, buckets },
    customDomainFault: (name) =>
      customDomainFault(name, listening, (n) => certificate?.certifies(n) ?? false),
  });
  const { port } = await step('api', () => api.listen(settings.port));
  endpoint = `http://localhost:${port}`;
  publishEndpoint(folders, endpoint, region, id.tls.authority.rootPem);
  const facts = serverFacts(endpoint);
  started.add('server file', writeServerFile(folders, facts));
  const [row] = await own.db.query<{ count: string }>('select count(*) from environments');
  started.add('environments', (leaving) => driver.close(leaving));
  started.add('upstream', () => pools.close());
  started.add('doors', () => gateway.close());
  const loop = await startLoop(
    {
      store,
      driver,
      door: gateway.door,
      clock,
      log,
      onProgress: o.onProgress,
      isOwner: () => ownership.confirm(),
      creationDeadline: settings.creationMinutes * 60_000,
    },
    placement,
  );
  started.add('loop', () => loop.close());
  started.add('signing keys', id.keys.startRotating(failed));
  started.add('API', () => api.close());
  const status = await keepStatusFile({
    file: folders.status,
    server: facts,
    view,
    postgres: () => own.status(),
    environments: () => store.placed(placement),
    components: (environmentId) => driver.components(environmentId),
    content: (environmentId) => driver.contentSummary(environmentId),
    roleFault: (e) =>
      rolesFrom(settings) === 'windsock' ? executionRoleFault(e, directory.current, clock.now()) : undefined,
    isOurs: () => isOurs(folders, facts),
    log,
    now: clock.now,
  });
  const { pid } = facts;
  log.info('server started', { version, pid, endpoint, took: Math.round(performance.now()) });
  return {
    folders,
    endpoint,
    root: id.root,
    accounts,
    view,
    log,
    store,
    isReachable: (environmentId) => driver.webTarget(environmentId) !== undefined,
    isFirstStart: row?.count === '0',
    followed,
    isElsewhere: (bucket) => remote.serverOf(bucket) !== undefined,
    makeExecutionRole: (environment, bucket) =>
      makeExecutionRole(
        { environment, bucket },
        { directory, audit, clock, region, accountId: id.root.accountId },
      ),
    hurry: () => driver.hurry(),
    stop: async (leaving) => {
      const begun = performance.now();
      await status.stopping(leaving);
      await started.end(leaving, (part, error) =>
        log.error('part not stopped', { part, reason: textOf(error) }),
      );
      status.stopped();
      log.info('server stopped', { leaving, took: Math.round(performance.now() - begun) });
    },
  };
};
