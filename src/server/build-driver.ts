import { Bases } from '../airflow/base.ts';
import { createCliRunner } from '../airflow/cli/runner.ts';
import { Installer } from '../airflow/installer.ts';
import { LocalDriver } from '../airflow/local/driver.ts';
import type { ViewSupport } from '../airflow/local/view-support.ts';
import { packageHosts } from '../airflow/package-hosts.ts';
import { packageSources } from '../airflow/package-index.ts';
import type { AssertionKeys, PinnedObjects } from '../airflow/ports.ts';
import { Sets } from '../airflow/sets.ts';
import type { AuditSink } from '../audit/record.ts';
import type { RemoteBuckets } from '../aws/remote-buckets.ts';
import type { DataFolder } from '../config/data-folder.ts';
import type { FollowedFolders } from '../content/followed.ts';
import type { ContentSource } from '../content/source.ts';
import type { RolesFrom } from '../contract/roles-from.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { accountNumbers } from '../store/account-numbers.ts';
import { metadataDatabases } from '../store/metadata-databases.ts';
import { healthPage } from '../upstream/health-page.ts';
import { checkStart } from '../upstream/start-check.ts';
import type { ServerAccounts } from './accounts.ts';
import { dagFolder } from './dag-folder.ts';
import { installShim } from './folders.ts';
import type { OwnDatabase } from './own-database.ts';

export interface BuildDriverInput {
  readonly folders: DataFolder;
  readonly accounts: ServerAccounts | undefined;
  readonly own: OwnDatabase;
  /** The buckets. */
  readonly source: ContentSource;
  readonly followed: FollowedFolders;
  readonly remote: RemoteBuckets;
  readonly audit: AuditSink;
  readonly keys: AssertionKeys;
  readonly installationId: string;
  /** Where the API answers; undefined before it does. */
  readonly endpoint: () => string | undefined;
  readonly rolesFrom: RolesFrom;
  /** A token by which the processes of an environment are given the credentials of its execution role. */
  readonly roleToken: (environmentId: string) => string;
  readonly view: ViewSupport;
  readonly userName: string;
  readonly taskLogDays: number;
  /** The objects that environments name by their versions. */
  readonly objects: PinnedObjects;
  /** Hosts that a requirements.txt may name beside the indexes of this machine. */
  readonly packageHosts: readonly string[];
  /** An update of packages that stops DAGs from working fails. */
  readonly strictDags: boolean;
  /** The interpreter that the settings name. */
  readonly python: string | undefined;
  /** Environment of whoever started the server: PATH, and where packages come from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False while another server may be acting on this data folder. */
  readonly mayStart: () => boolean;
  readonly log: Log;
}

/** The driver that runs environments as processes of this machine, with the rooms it needs. */
export const buildDriver = (i: BuildDriverInput): LocalDriver => {
  const { bases, sets, cache, programs } = i.folders;
  const sources = packageSources(i.env);
  const account = i.accounts?.installer;
  const installer = new Installer({
    ...{ cache, programs, sources, installer: account, python: i.python },
    path: i.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    pidNamespace: i.view.pidNamespace,
  });
  return new LocalDriver({
    environments: i.folders.environments,
    cache,
    trash: i.folders.trash,
    shim: installShim(i.folders),
    sockets: i.folders.sockets,
    caBundle: i.folders.caBundle,
    endpoint: i.endpoint,
    rolesFrom: i.rolesFrom,
    roleToken: i.roleToken,
    view: i.view,
    installer,
    bases: new Bases(bases, installer),
    sets: new Sets(sets, installer),
    objects: i.objects,
    packageHosts: packageHosts(sources, i.packageHosts),
    strictDags: i.strictDags,
    databases: metadataDatabases(i.own.server),
    assertionKeys: i.keys,
    assertionIssuer: i.installationId,
    content: dagFolder({
      ...{ source: i.source, followed: i.followed, remote: i.remote },
      ...{ log: i.log, audit: i.audit },
    }),
    cli: createCliRunner(),
    startCheck: checkStart,
    healthPage,
    accounts: i.accounts && {
      installer: i.accounts.installer,
      ...accountNumbers(i.own.db, i.accounts.range),
    },
    userName: i.userName,
    databasePeer: i.own.server.peer,
    taskLogDays: i.taskLogDays,
    bootId: systemClock.bootId,
    mayStart: i.mayStart,
    log: i.log,
  });
};
