import { dirname, relative } from 'node:path';
import type { RolesFrom } from '../../contract/roles-from.ts';
import type { BucketServer, ContentChange, ContentFault } from '../../environments/content.ts';
import { StepFailed } from '../../environments/errors.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { findAccount, isAccountFor } from '../../lib/accounts.ts';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import type { Stop } from '../../lib/stop.ts';
import type { Base, Bases } from '../base.ts';
import { mostProcessesOf, processMemoryOf, sharedMemoryOf } from '../classes.ts';
import type { CliRunner } from '../cli/runner.ts';
import type { Installer } from '../installer.ts';
import type { AssertionKeys, MetadataDatabases, PackageHosts, PinnedObjects } from '../ports.ts';
import type { Sets } from '../sets.ts';
import { parallelismOf } from '../settings.ts';
import { type AirflowVersion, airflowVersions, findVersion } from '../versions.ts';
import type { StartCheck } from './environment.ts';
import { processVariables } from './environment-variables.ts';
import { readFacts } from './facts.ts';
import type { HealthPage } from './health.ts';
import { hasOwnPackages, type OwnPackages, ownPackagesOf, packagesState } from './own-packages.ts';
import { type Places, placesOf } from './places.ts';
import { revisionOf } from './revision.ts';
import { migrationView, type Seen, seenBy, viewOf } from './seen.ts';
import type { Owner } from './strays.ts';
import type { View } from './view.ts';
import type { ViewSupport } from './view-support.ts';

/** Puts an environment's DAGs into a folder and keeps them there. */
export interface DagFolder {
  /** Makes `target` equal to the bucket's tree, readable by `group`; throws SourceUnavailable. */
  publish(
    e: EnvironmentRecord,
    to: { readonly target: string; readonly stateFile: string; readonly group: Account | undefined },
    signal: AbortSignal,
  ): Promise<void>;
  /** Publishes every change within a second or, of a large tree, a few, until stopped; `changed` is told of each. */
  follow(
    e: EnvironmentRecord,
    to: { readonly target: string; readonly stateFile: string; readonly group: Account | undefined },
    changed: (changes: readonly ContentChange[]) => void,
  ): Stop;
  /** The folder of this machine that is followed in the place of the bucket's, if any. */
  followed(e: EnvironmentRecord): string | undefined;
  /** What was published: the version of the tree, since when it is so, and when each file came, in epoch milliseconds. */
  published(stateFile: string): {
    readonly version: string;
    readonly since: number;
    readonly files: ReadonlyMap<string, { readonly sha256: string; readonly at: number }>;
  };
  /** The other server that has the bucket of the environment, if any. */
  elsewhere(e: EnvironmentRecord): BucketServer | undefined;
  /** Why the bucket cannot be read now; undefined while it can. */
  fault(stateFile: string): ContentFault | undefined;
  /** Keeps nothing in mind of an environment that is removed. */
  forget(stateFile: string): void;
}

/** Accounts of their own, when the server runs as root. */
export interface EnvironmentAccounts {
  readonly installer: Account;
  /** The uid of the environment's account, taken at the first call and never given twice. */
  readonly numberFor: (id: EnvironmentId) => Promise<number>;
  /** The number stays spent. */
  readonly release: (id: EnvironmentId) => Promise<void>;
}

export interface LocalDriverOptions {
  readonly environments: string;
  readonly cache: string;
  readonly trash: string;
  readonly shim: string;
  /** PostgreSQL's socket. */
  readonly sockets: string;
  /** Public authorities and ours, in one file. */
  readonly caBundle: string;
  /** Where the API answers; undefined before it does. */
  readonly endpoint: () => string | undefined;
  /** Who gives DAGs the credentials of their execution role. */
  readonly rolesFrom: RolesFrom;
  /** A token by which the processes of this environment are given the credentials of its execution role. */
  readonly roleToken: (id: EnvironmentId) => string;
  readonly view: ViewSupport;
  readonly bases: Bases;
  readonly sets: Sets;
  readonly installer: Installer;
  readonly objects: PinnedObjects;
  readonly packageHosts: PackageHosts;
  /** An update of packages that stops DAGs from working fails. */
  readonly strictDags: boolean;
  readonly databases: MetadataDatabases;
  readonly assertionKeys: AssertionKeys;
  readonly assertionIssuer: string;
  readonly content: DagFolder;
  readonly cli: CliRunner;
  readonly startCheck: StartCheck;
  readonly healthPage: HealthPage;
  /** Undefined: every environment runs under the account of this process. */
  readonly accounts: EnvironmentAccounts | undefined;
  readonly userName: string;
  /** Account that serves PostgreSQL's socket. */
  readonly databasePeer: string | undefined;
  readonly taskLogDays: number;
  readonly bootId: string;
  /** False while another server may be acting on this data folder: then no process is started. */
  readonly mayStart: () => boolean;
  readonly log: Log;
}

export const accountName = (id: EnvironmentId): string => `windsock-${id}`;

/** The version of an environment. @throws StepFailed when this driver does not know it */
export const versionOf = (e: Pick<EnvironmentRecord, 'spec'>): AirflowVersion => {
  const version = findVersion(e.spec.AirflowVersion);
  if (version) return version;
  const known = airflowVersions.map((v) => v.version).join(', ');
  throw new StepFailed(`Airflow ${e.spec.AirflowVersion} is not available here. Available: ${known}`, {
    retry: false,
  });
};

export const placesFor = (o: LocalDriverOptions, id: EnvironmentId): Places => placesOf(o.environments, id);

/** The data folder that the environments are in. */
export const homeOf = (o: LocalDriverOptions): string => dirname(o.environments);

/** The environment's account, once it is made; one that a copy of this data folder uses is not ours. */
export const accountOf = (o: LocalDriverOptions, id: EnvironmentId): Account | undefined => {
  const name = accountName(id);
  return o.accounts && isAccountFor(name, homeOf(o)) ? findAccount(name) : undefined;
};

/** How the processes of an environment are told from all others. */
export const ownerFor = (o: LocalDriverOptions, id: EnvironmentId): Owner => {
  const { root, facts } = placesFor(o, id);
  return { root, uid: accountOf(o, id)?.uid, facts: readFacts(facts), bootId: o.bootId };
};

/** The finished base. @throws StepFailed */
export const baseOf = (o: LocalDriverOptions, version: AirflowVersion): Base => {
  const base = o.bases.find(version);
  if (!base) throw new StepFailed(`Airflow ${version.version} is not installed`, { retry: true });
  return base;
};

/** What the environment has of its own; undefined when it has nothing. @throws StepFailed without its base */
export const packagesOf = (
  o: LocalDriverOptions,
  e: Pick<EnvironmentRecord, 'id' | 'spec'>,
): OwnPackages | undefined =>
  hasOwnPackages(e.spec) ? ownPackagesOf(placesFor(o, e.id), e.spec, baseOf(o, versionOf(e))) : undefined;

/** The same, and undefined without its base as well: for who only looks. */
export const findPackages = (
  o: LocalDriverOptions,
  e: Pick<EnvironmentRecord, 'id' | 'spec'>,
): OwnPackages | undefined => {
  const version = hasOwnPackages(e.spec) ? findVersion(e.spec.AirflowVersion) : undefined;
  const base = version && o.bases.find(version);
  return base && ownPackagesOf(placesFor(o, e.id), e.spec, base);
};

/** The interpreter of the environment, with its own packages. @throws StepFailed when they are not prepared */
export const installationOf = (o: LocalDriverOptions, e: Pick<EnvironmentRecord, 'id' | 'spec'>): Base => {
  const own = packagesOf(o, e);
  if (own === undefined) return baseOf(o, versionOf(e));
  const state = packagesState(own);
  const found = state?.set === undefined ? state && baseOf(o, versionOf(e)) : o.sets.find(state.set);
  if (found === undefined) throw new StepFailed('The packages are not installed', { retry: true });
  return found;
};

/** The folders of an environment, with its own plugins and requirements where it has such. */
const ownPlaces = (o: LocalDriverOptions, e: Pick<EnvironmentRecord, 'id' | 'spec'>): Places => {
  const own = packagesOf(o, e);
  const places = placesFor(o, e.id);
  return own ? { ...places, plugins: own.plugins, requirements: own.requirements } : places;
};

/** Where the programs of an environment find its folders. */
export const seenFor = (o: LocalDriverOptions, e: Pick<EnvironmentRecord, 'id' | 'spec'>): Seen =>
  seenBy(ownPlaces(o, e), o.view.kind);

const viewInput = (o: LocalDriverOptions, base: Base, environmentClass: string) => ({
  kind: o.view.kind,
  data: homeOf(o),
  base,
  shim: o.shim,
  sockets: o.sockets,
  cache: o.cache,
  sharedMemory: sharedMemoryOf(environmentClass),
});

/** What each program of an environment may take. */
export const limitsFor = (
  e: EnvironmentRecord,
): { readonly memory: number; readonly mostProcesses: number } => {
  const { EnvironmentClass } = e.spec;
  return {
    memory: processMemoryOf(EnvironmentClass),
    mostProcesses: mostProcessesOf(EnvironmentClass, parallelismOf(e, versionOf(e))),
  };
};

/** What the programs of an environment see of the machine. */
export const viewFor = (o: LocalDriverOptions, e: EnvironmentRecord): View | undefined =>
  viewOf({ ...viewInput(o, installationOf(o, e), e.spec.EnvironmentClass), places: ownPlaces(o, e) });

/** The same with the packages of the base only, and with more folders; those outside of the data folder are seen anyway. */
export const viewOnBase = (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  more: readonly string[],
): View | undefined => {
  const base = baseOf(o, versionOf(e));
  const view = viewOf({ ...viewInput(o, base, e.spec.EnvironmentClass), places: ownPlaces(o, e) });
  const below = more.map((folder) => relative(homeOf(o), folder)).filter((path) => !path.startsWith('..'));
  return view && { ...view, readOnly: [...view.readOnly, ...below] };
};

/** What a migration by that version sees, which has its home in the cache. */
export const migrationViewFor =
  (o: LocalDriverOptions, e: Pick<EnvironmentRecord, 'spec'>, version: AirflowVersion) =>
  (home: string): View | undefined =>
    migrationView(viewInput(o, baseOf(o, version), e.spec.EnvironmentClass), home);

/** The revision of processes that are started now. */
export const revisionFor = (o: LocalDriverOptions, e: EnvironmentRecord): string =>
  revisionOf(e, [o.endpoint() ?? null, o.rolesFrom]);

/** The environment variables of a component, or of a command (as the web server's). */
export const variablesFor = (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
): ((component: string) => Record<string, string>) => {
  const version = versionOf(e);
  const input = {
    record: e,
    version,
    base: installationOf(o, e),
    places: placesFor(o, e.id),
    seen: seenFor(o, e),
    endpoint: o.endpoint(),
    serverUid: process.geteuid?.() ?? 0,
    rolesFrom: o.rolesFrom,
    roleToken: () => o.roleToken(e.id),
    shim: o.shim,
    account: accountOf(o, e.id),
    userName: o.userName,
    assertionIssuer: o.assertionIssuer,
    databasePeer: o.databasePeer,
  };
  return (component) => processVariables(input, component);
};
