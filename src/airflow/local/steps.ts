import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prefixedNames } from '../../contract/host-prefixes.ts';
import type { ContentChange } from '../../environments/content.ts';
import { publicUrlOf } from '../../environments/custom-domain.ts';
import { StepFailed } from '../../environments/errors.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import {
  dataFolderOf,
  ensureAccount,
  findAccount,
  giveAccountTo,
  isAccountFor,
  removeAccount,
  uidIsTaken,
} from '../../lib/accounts.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { textOf } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Account } from '../../lib/process.ts';
import type { Stop } from '../../lib/stop.ts';
import { connectionsOf } from '../classes.ts';
import { logFolderOf } from '../logging.ts';
import { environmentConfiguration, hasTriggerer, parallelismOf, processesOf } from '../settings.ts';
import { ignoredOptions } from '../user-options.ts';
import { componentsOf } from './commands.ts';
import {
  accountName,
  accountOf,
  baseOf,
  homeOf,
  installationOf,
  type LocalDriverOptions,
  limitsFor,
  ownerFor,
  placesFor,
  revisionFor,
  seenFor,
  variablesFor,
  versionOf,
  viewFor,
} from './context.ts';
import { isDagName } from './dag-files.ts';
import { LocalEnvironment, type LocalEnvironmentOptions } from './environment.ts';
import { livingOf, type ProcessFact, readFacts } from './facts.ts';
import { readSecrets } from './folders.ts';
import { placesOf } from './places.ts';
import { freePort, isPortTaken } from './port.ts';
import { endStrays } from './strays.ts';
import { migrateCommands, runMigration } from './template.ts';

/** Makes the migrated template database of the environment's base. */
export const makeTemplate = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const version = versionOf(e);
  const base = baseOf(o, version);
  await o.databases.ensureTemplate(base.hash, (address) =>
    runMigration({
      commands: migrateCommands,
      version,
      base,
      cache: o.cache,
      account: o.accounts?.installer,
      userName: o.userName,
      databasePeer: o.databasePeer,
      pidNamespace: o.view.pidNamespace,
      address,
      report,
      signal,
    }),
  );
};

/** Makes the environment's account with a number that nobody had before. */
export const makeAccount = async (o: LocalDriverOptions, id: EnvironmentId): Promise<void> => {
  if (!o.accounts) return;
  const number = await o.accounts.numberFor(id);
  failpoint('account:numbered');
  if (uidIsTaken(number) && findAccount(accountName(id))?.uid !== number) {
    await o.accounts.release(id);
    throw new StepFailed(`The account number ${number} belongs to somebody else on this machine`, {
      retry: true,
    });
  }
  await takeAccount(o, id);
  await ensureAccount(accountName(id), number, homeOf(o));
};

/**
 * A data folder and its copy have environments of the same ids, and so accounts of the same names: who ends what
 * runs under one would end the other's.
 */
const takeAccount = async (o: LocalDriverOptions, id: EnvironmentId): Promise<void> => {
  const name = accountName(id);
  const other = dataFolderOf(name);
  if (other === undefined || isAccountFor(name, homeOf(o))) return;
  if (existsSync(placesOf(join(other, 'environments'), id).root))
    throw new StepFailed(
      `The account ${name} belongs to the data folder ${other}, which has this environment too: one of the two is a copy. Use only one of them on this machine, and remove the other`,
      { retry: true },
    );
  await giveAccountTo(name, homeOf(o));
};

export const dropAccount = async (o: LocalDriverOptions, id: EnvironmentId): Promise<void> => {
  // An account that is gone ends this step for good, so it goes last.
  await o.accounts?.release(id);
  failpoint('remove-account:released');
  await removeAccount(accountName(id));
};

/** Copies the DAGs. An environment that has run before goes on with what it has when the bucket is away. */
export const copyContent = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  signal: AbortSignal,
  changed: (changes: readonly ContentChange[]) => void,
): Promise<Stop> => {
  const places = placesFor(o, e.id);
  const to = { target: places.dags, stateFile: places.contentState, group: accountOf(o, e.id) };
  try {
    await o.content.publish(e, to, signal);
  } catch (error) {
    if (e.status === 'CREATING' || e.status === 'UPDATING')
      throw new StepFailed(textOf(error), { retry: true, cause: error });
    o.log.warn('DAGs not published', { environment: e.name, reason: textOf(error) });
  }
  return o.content.follow(e, to, changed);
};

/** Makes the environment's database and gives its URL: secret. */
export const makeDatabase = async (o: LocalDriverOptions, e: EnvironmentRecord): Promise<string> => {
  const { databasePassword } = readSecrets(placesFor(o, e.id));
  const { sqlAlchemyUrl } = await o.databases.ensure(e.id, baseOf(o, versionOf(e)).hash, {
    password: databasePassword,
    connections: connectionsOf(e.spec.EnvironmentClass, parallelismOf(e, versionOf(e))),
    version: e.spec.AirflowVersion,
  });
  return sqlAlchemyUrl;
};

/** For a file that the environment's account may read and not change. */
const readableBy = (account: Account | undefined) => ({
  mode: 0o640,
  owner: account && { uid: 0, gid: account.gid },
});

/** The public keys that the environment's shim verifies assertions with; read again when the file changes. */
export const writeAssertionKeys = async (o: LocalDriverOptions, id: EnvironmentId): Promise<void> => {
  const keys = Object.fromEntries((await o.assertionKeys.publicKeys()).map((key) => [key.kid, key.x]));
  writeFileAtomic(placesFor(o, id).assertionKeys, JSON.stringify(keys), readableBy(accountOf(o, id)));
};

const writeRoleToken = (o: LocalDriverOptions, id: EnvironmentId): void => {
  const account = accountOf(o, id);
  // clients take all of the file, a line end too
  writeFileAtomic(
    placesFor(o, id).roleToken,
    o.roleToken(id),
    account ? readableBy(account) : { mode: 0o600 },
  );
};

/** Copies of what the machine has elsewhere: whom to trust, and where names lead. */
export const writeFilesOfMachine = (o: LocalDriverOptions, id: EnvironmentId): void => {
  const places = placesFor(o, id);
  const how = readableBy(accountOf(o, id));
  if (existsSync(o.caBundle)) writeFileAtomic(places.caBundle, readFileSync(o.caBundle, 'utf8'), how);
  const hosts = existsSync('/etc/hosts') ? readFileSync('/etc/hosts', 'utf8') : '127.0.0.1 localhost\n';
  writeFileAtomic(places.hosts, `${hosts.trimEnd()}\n127.0.0.1 ${prefixedNames.join(' ')}\n`, {
    ...how,
    mode: 0o644,
  });
};

/** The workers of a web server that was killed hold its port for a while. */
const endRestOf = (
  o: LocalDriverOptions,
  id: EnvironmentId,
  living: readonly ProcessFact[],
): Promise<boolean> => {
  return endStrays(
    ownerFor(o, id),
    living.map(({ pid }) => pid),
  );
};

/** What still runs of an earlier start and can be gone on with, and the web server's port that it knows. */
const found = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
): Promise<{ living: readonly ProcessFact[]; webPort: number }> => {
  const facts = readFacts(placesFor(o, e.id).facts);
  const living = livingOf(facts, { bootId: o.bootId, revision: revisionFor(o, e), view: o.view.kind });
  if (facts === undefined || living.length === 0) return { living: [], webPort: await freePort() };
  const webLives = living.some((fact) => fact.component === 'webserver');
  if (!webLives) await endRestOf(o, e.id, living);
  // the others call the web server by its port: without the port they are of no use
  if (!webLives && (await isPortTaken(facts.webPort))) return { living: [], webPort: await freePort() };
  return { living, webPort: facts.webPort };
};

const tellIgnored = (o: LocalDriverOptions, e: EnvironmentRecord): void => {
  const ignored = ignoredOptions(e);
  if (ignored.length === 0) return;
  o.log.warn('options ignored', { environment: e.name, environmentId: e.id, reason: ignored.join(', ') });
};

/** Writes an airflow.cfg that the environment's account can read and not change. */
export const writeConfiguration = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  file: string,
  webPort: number,
): Promise<void> => {
  const [places, seen] = [placesFor(o, e.id), seenFor(o, e)];
  const text = environmentConfiguration({
    version: versionOf(e),
    record: e,
    secrets: readSecrets(places),
    sqlAlchemyUrl: await makeDatabase(o, e),
    publicUrl: publicUrlOf(e),
    webPort,
    dagFiles: [...o.content.published(places.contentState).files.keys()].filter(isDagName).length,
    paths: {
      dags: seen.dags,
      logs: seen.taskLogs,
      plugins: seen.plugins,
      webserverConfig: join(o.shim, 'webserver_config.py'),
    },
  });
  writeFileAtomic(file, text, readableBy(accountOf(o, e.id)));
};

/**
 * Writes airflow.cfg and the keys, and gives the environment that can be started with them. What runs of an
 * earlier start goes on; everything else of the environment is ended.
 * @throws StepFailed
 */
export const configure = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  joins: Pick<LocalEnvironmentOptions, 'changed' | 'spared'>,
): Promise<LocalEnvironment> => {
  const places = placesFor(o, e.id);
  const seen = seenFor(o, e);
  const version = versionOf(e);
  const account = accountOf(o, e.id);
  const { living, webPort } = await found(o, e);
  tellIgnored(o, e);
  await writeConfiguration(o, e, places.airflowConfig, webPort);
  await writeAssertionKeys(o, e.id);
  writeFilesOfMachine(o, e.id);
  writeRoleToken(o, e.id);
  for (const component of componentsOf(version))
    mkdirSync(join(places.componentLogs, logFolderOf(e, component)), { recursive: true, mode: 0o700 });
  const environment = new LocalEnvironment({
    id: e.id,
    revision: revisionFor(o, e),
    version,
    places,
    seen,
    view: viewFor(o, e),
    ...limitsFor(e),
    python: installationOf(o, e).python,
    account,
    webPort,
    webWorkers: processesOf(e, version).web,
    triggerer: hasTriggerer(e),
    logFolder: (component) => logFolderOf(e, component),
    variables: variablesFor(o, e),
    startCheck: o.startCheck,
    healthPage: o.healthPage,
    bootId: o.bootId,
    log: o.log,
    ...joins,
    mayStart: o.mayStart,
  });
  await environment.adopt(living);
  return environment;
};
