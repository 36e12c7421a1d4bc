import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import type { Actual, DriverStep } from '../../environments/plan.ts';
import type {
  AirflowDriver,
  AssertionKeys,
  CliAnswer,
  Lease,
  MetadataDatabases,
  Progress,
  WebTarget,
} from '../../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { ensureAccount, findAccount, removeAccount, uidIsTaken } from '../../lib/accounts.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { textOf } from '../../lib/errors.ts';
import { every } from '../../lib/keyed-queue.ts';
import type { Log } from '../../lib/log.ts';
import type { Account } from '../../lib/process.ts';
import { processes } from '../../lib/process-tree.ts';
import type { Stop } from '../../lib/stop.ts';
import type { Base, Bases } from '../base.ts';
import type { CliRunner } from '../cli/runner.ts';
import { environmentConfiguration } from '../settings.ts';
import { type AirflowVersion, airflowVersions, findVersion } from '../versions.ts';
import { LocalEnvironment, type StartCheck } from './environment.ts';
import { processVariables } from './environment-variables.ts';
import { belongsTo, endLeftOvers, readFacts } from './facts.ts';
import { makeFolders, readSecrets, removeFolders } from './folders.ts';
import { removeOldTaskLogs, rotateComponentLogs } from './logs.ts';
import { type Places, placesOf } from './places.ts';
import { freePort } from './port.ts';
import { migrateTemplate } from './template.ts';

/** Puts an environment's DAGs into a folder and keeps them there. */
export interface DagFolder {
  /** Makes `target` equal to the bucket's tree; throws SourceUnavailable. */
  publish(
    e: EnvironmentRecord,
    target: string,
    stateFile: string,
    group: Account | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** Publishes again within 5 s of every change until stopped. */
  follow(e: EnvironmentRecord, target: string, stateFile: string, group: Account | undefined): Stop;
}

export interface LocalDriverOptions {
  readonly environments: string;
  readonly cache: string;
  readonly trash: string;
  readonly shim: string;
  readonly bases: Bases;
  readonly databases: MetadataDatabases;
  readonly assertionKeys: AssertionKeys;
  readonly assertionIssuer: string;
  readonly content: DagFolder;
  readonly cli: CliRunner;
  readonly startCheck: StartCheck;
  /** Undefined: every environment runs under the account of this process. */
  readonly accounts:
    | {
        readonly installer: Account;
        readonly numberFor: (id: EnvironmentId) => Promise<number>;
        readonly release: (id: EnvironmentId) => Promise<void>;
      }
    | undefined;
  readonly userName: string;
  readonly databasePeer: string | undefined;
  readonly taskLogDays: number;
  readonly bootId: string;
  readonly log: Log;
}

type StepContext = { readonly lease: Lease; readonly report: (p: Progress) => void };

const stopPatience = 15_000;
const readyTimeout = 5 * 60_000;

const nameOf = (id: EnvironmentId): string => `windsock-${id}`;

const versionOf = (e: EnvironmentRecord): AirflowVersion => {
  const version = findVersion(e.spec.AirflowVersion);
  if (version) return version;
  const known = airflowVersions.map((v) => v.version).join(', ');
  throw new StepFailed(`Airflow ${e.spec.AirflowVersion} is not available here. Available: ${known}`, {
    retry: false,
  });
};

/** Runs environments as processes of this machine. */
export class LocalDriver implements AirflowDriver {
  readonly versions = airflowVersions.map((v) => v.version);
  readonly #o: LocalDriverOptions;
  readonly #running = new Map<EnvironmentId, LocalEnvironment>();
  readonly #following = new Map<EnvironmentId, Stop>();
  readonly #databases = new Set<EnvironmentId>();
  readonly #templates = new Set<string>();
  readonly #hints = new Set<(id: EnvironmentId) => void>();
  readonly #stops: Stop[];

  constructor(options: LocalDriverOptions) {
    this.#o = options;
    const failed = (error: unknown) => options.log.error('housekeeping failed', { reason: textOf(error) });
    this.#stops = [
      every(1_000, () => this.#tend(), failed),
      every(30_000, () => this.#rotate(), failed),
      every(3_600_000, () => this.#removeOldLogs(), failed),
      options.assertionKeys.onChange(() => void this.#publishKeys().catch(failed)),
    ];
  }

  /** Ends what an earlier server left running; call before the first step. */
  async endLeftOvers(): Promise<void> {
    mkdirSync(this.#o.environments, { recursive: true, mode: 0o711 });
    for (const id of readdirSync(this.#o.environments)) {
      const facts = readFacts(this.#places(id).facts);
      if (!(await endLeftOvers(facts, this.#o.bootId, this.#account(id)?.uid))) {
        this.#o.log.error('processes of an earlier start cannot be ended', { environmentId: id });
      }
    }
  }

  async observe(e: EnvironmentRecord): Promise<Actual> {
    const places = this.#places(e.id);
    const version = findVersion(e.spec.AirflowVersion);
    const base = version && this.#o.bases.find(version);
    const running = this.#running.get(e.id);
    return {
      base: base !== undefined,
      template: base !== undefined && (await this.#hasTemplate(base)),
      account: this.#o.accounts === undefined ? e.status !== 'DELETING' : this.#account(e.id) !== undefined,
      folders: existsSync(places.secrets) || (e.status === 'DELETING' && existsSync(places.root)),
      content: this.#following.has(e.id),
      database: await this.#hasDatabase(e),
      configuration: running !== undefined,
      started: running?.started ?? false,
      ready: running?.ready ?? false,
      processes: running !== undefined || this.#hasProcesses(e.id),
    };
  }

  async apply(step: DriverStep, e: EnvironmentRecord, o: StepContext): Promise<void> {
    const report = (text: string) => o.report({ step, state: 'running', text });
    switch (step) {
      case 'base':
        await this.#o.bases.ensure(versionOf(e), report, o.lease.signal);
        return;
      case 'template':
        return this.#template(e, report, o.lease.signal);
      case 'account':
        return this.#makeAccount(e.id);
      case 'folders':
        return makeFolders(this.#places(e.id), this.#account(e.id));
      case 'content':
        return this.#content(e, o.lease.signal);
      case 'database':
        await this.#database(e);
        return;
      case 'configuration':
        return this.#configure(e);
      case 'start':
        return this.#start(e);
      case 'ready':
        await this.#running.get(e.id)?.waitUntilReady(report, o.lease.signal, readyTimeout);
        return;
      case 'stop':
        this.#unfollow(e.id);
        return this.#stop(e.id);
      case 'remove-database':
        await this.#o.databases.drop(e.id);
        this.#databases.delete(e.id);
        return;
      case 'remove-folders':
        return removeFolders(this.#places(e.id), this.#o.trash);
      case 'remove-account':
        await removeAccount(nameOf(e.id));
        await this.#o.accounts?.release(e.id);
        return;
    }
  }

  onChange(hint: (id: EnvironmentId) => void): Stop {
    this.#hints.add(hint);
    return () => this.#hints.delete(hint);
  }

  webTarget(id: EnvironmentId): WebTarget | undefined {
    return this.#running.get(id)?.webTarget;
  }

  async cli(e: EnvironmentRecord, words: readonly string[], o: { signal: AbortSignal }): Promise<CliAnswer> {
    const version = versionOf(e);
    const base = this.#base(version);
    const account = this.#account(e.id);
    return this.#o.cli.run({
      environmentId: e.id,
      airflowVersion: version.version,
      python: base.python,
      words,
      env: this.#variables(e, version, base)('webserver'),
      cwd: this.#places(e.id).home,
      uid: account?.uid,
      gid: account?.gid,
      signal: o.signal,
    });
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    for (const stop of this.#following.values()) stop();
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)));
    this.#running.clear();
  }

  /** Ends every process now, without giving tasks time. */
  hurry(): void {
    for (const environment of this.#running.values()) environment.kill();
  }

  #places(id: EnvironmentId): Places {
    return placesOf(this.#o.environments, id);
  }

  #account(id: EnvironmentId): Account | undefined {
    return this.#o.accounts && findAccount(nameOf(id));
  }

  #base(version: AirflowVersion): Base {
    const base = this.#o.bases.find(version);
    if (!base) throw new StepFailed(`Airflow ${version.version} is not installed`, { retry: true });
    return base;
  }

  async #hasTemplate(base: Base): Promise<boolean> {
    if (!this.#templates.has(base.hash) && (await this.#o.databases.hasTemplate(base.hash)))
      this.#templates.add(base.hash);
    return this.#templates.has(base.hash);
  }

  async #hasDatabase(e: EnvironmentRecord): Promise<boolean> {
    // Asked once a start: `ensure` repairs what is half there and sets the password.
    return e.status === 'DELETING' ? this.#o.databases.hasAny(e.id) : this.#databases.has(e.id);
  }

  #hasProcesses(id: EnvironmentId): boolean {
    const ours = belongsTo(readFacts(this.#places(id).facts), this.#o.bootId);
    const uid = this.#account(id)?.uid;
    return processes().some((p) => ours(p) || (uid !== undefined && p.uid === uid));
  }

  async #template(e: EnvironmentRecord, report: (text: string) => void, signal: AbortSignal): Promise<void> {
    const version = versionOf(e);
    const base = this.#base(version);
    await this.#o.databases.ensureTemplate(base.hash, (address) =>
      migrateTemplate({
        version,
        base,
        cache: this.#o.cache,
        account: this.#o.accounts?.installer,
        userName: this.#o.userName,
        databasePeer: this.#o.databasePeer,
        address,
        report,
        signal,
      }),
    );
  }

  async #makeAccount(id: EnvironmentId): Promise<void> {
    if (!this.#o.accounts) return;
    const number = await this.#o.accounts.numberFor(id);
    if (uidIsTaken(number) && findAccount(nameOf(id))?.uid !== number) {
      await this.#o.accounts.release(id);
      throw new StepFailed(
        `The account number ${number} belongs to somebody else on this machine; another is taken`,
        { retry: true },
      );
    }
    await ensureAccount(nameOf(id), number);
  }

  async #content(e: EnvironmentRecord, signal: AbortSignal): Promise<void> {
    const places = this.#places(e.id);
    const account = this.#account(e.id);
    try {
      await this.#o.content.publish(e, places.dags, places.contentState, account, signal);
    } catch (error) {
      // An environment that has run before goes on with the DAGs it has.
      if (e.status === 'CREATING') throw new StepFailed(textOf(error), { retry: true, cause: error });
      this.#o.log.warn('content not published', { environment: e.name, reason: textOf(error) });
    }
    this.#following.get(e.id)?.();
    this.#following.set(e.id, this.#o.content.follow(e, places.dags, places.contentState, account));
  }

  async #database(e: EnvironmentRecord): Promise<string> {
    const { databasePassword } = readSecrets(this.#places(e.id));
    const { sqlAlchemyUrl } = await this.#o.databases.ensure(
      e.id,
      this.#base(versionOf(e)).hash,
      databasePassword,
    );
    this.#databases.add(e.id);
    return sqlAlchemyUrl;
  }

  async #configure(e: EnvironmentRecord): Promise<void> {
    const places = this.#places(e.id);
    const version = versionOf(e);
    const account = this.#account(e.id);
    const webPort = await freePort();
    const text = environmentConfiguration({
      version,
      record: e,
      secrets: readSecrets(places),
      sqlAlchemyUrl: await this.#database(e),
      publicUrl: `https://${e.webserverHostname}`,
      webPort,
      paths: {
        dags: places.dags,
        logs: places.taskLogs,
        plugins: places.plugins,
        webserverConfig: join(this.#o.shim, 'webserver_config.py'),
      },
    });
    const owner = account && { uid: 0, gid: account.gid };
    writeFileAtomic(places.airflowConfig, text, { mode: 0o640, owner });
    await this.#writeKeys(e.id);
    const base = this.#base(version);
    this.#running.set(
      e.id,
      new LocalEnvironment({
        id: e.id,
        generation: e.generation,
        version,
        places,
        python: base.python,
        account,
        webPort,
        variables: this.#variables(e, version, base),
        startCheck: this.#o.startCheck,
        bootId: this.#o.bootId,
        log: this.#o.log,
        changed: () => this.#hint(e.id),
      }),
    );
  }

  async #start(e: EnvironmentRecord): Promise<void> {
    if (!(await endLeftOvers(readFacts(this.#places(e.id).facts), this.#o.bootId, undefined)))
      throw new StepFailed('Processes of an earlier start cannot be ended', { retry: true });
    this.#running.get(e.id)?.start();
  }

  #variables(
    e: EnvironmentRecord,
    version: AirflowVersion,
    base: Base,
  ): (component: string) => Record<string, string> {
    return (component) =>
      processVariables(
        {
          record: e,
          version,
          base,
          places: this.#places(e.id),
          shim: this.#o.shim,
          account: this.#account(e.id),
          userName: this.#o.userName,
          assertionIssuer: this.#o.assertionIssuer,
          databasePeer: this.#o.databasePeer,
        },
        component,
      );
  }

  async #stop(id: EnvironmentId): Promise<void> {
    const running = this.#running.get(id);
    const account = this.#account(id);
    const gone = running
      ? await running.stop(stopPatience)
      : await endLeftOvers(readFacts(this.#places(id).facts), this.#o.bootId, account?.uid);
    this.#running.delete(id);
    if (!gone) throw new StepFailed('Some processes of the environment cannot be ended', { retry: true });
  }

  #unfollow(id: EnvironmentId): void {
    this.#following.get(id)?.();
    this.#following.delete(id);
  }

  async #writeKeys(id: EnvironmentId): Promise<void> {
    const keys = Object.fromEntries(
      (await this.#o.assertionKeys.publicKeys()).map((key) => [key.kid, key.x]),
    );
    const account = this.#account(id);
    writeFileAtomic(this.#places(id).assertionKeys, JSON.stringify(keys), {
      mode: 0o640,
      owner: account && { uid: 0, gid: account.gid },
    });
  }

  async #publishKeys(): Promise<void> {
    for (const id of this.#running.keys()) await this.#writeKeys(id);
  }

  #hint(id: EnvironmentId): void {
    for (const hint of this.#hints) hint(id);
  }

  async #tend(): Promise<void> {
    await Promise.all([...this.#running.values()].map((environment) => environment.tend()));
  }

  async #rotate(): Promise<void> {
    for (const id of this.#running.keys()) rotateComponentLogs(this.#places(id).componentLogs);
  }

  async #removeOldLogs(): Promise<void> {
    for (const id of this.#running.keys())
      await removeOldTaskLogs(this.#places(id).taskLogs, this.#o.taskLogDays, this.#account(id));
  }
}
