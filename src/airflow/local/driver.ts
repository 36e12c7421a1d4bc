import { existsSync, readdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { ContentChange, LiveContent, LiveSummary } from '../../environments/content.ts';
import type {
  AirflowDriver,
  CliAnswer,
  ComponentStatus,
  Leaving,
  Observation,
  StepContext,
  Waiting,
  WebTarget,
} from '../../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord, EnvironmentSpec } from '../../environments/record.ts';
import { textOf } from '../../lib/errors.ts';
import { every } from '../../lib/keyed-queue.ts';
import type { Stop } from '../../lib/stop.ts';
import type { Base } from '../base.ts';
import { classFault } from '../classes.ts';
import { shownCommand } from '../cli/shown-command.ts';
import { type AirflowVersion, airflowVersions, findVersion } from '../versions.ts';
import { ChangedDags } from './changed-dags.ts';
import {
  accountOf,
  homeOf,
  installationOf,
  type LocalDriverOptions,
  limitsFor,
  packagesOf,
  placesFor,
  revisionFor,
  seenFor,
  variablesFor,
  versionOf,
  viewFor,
} from './context.ts';
import { foldersAreMade, makeFolders, removeFolders, trashOf } from './folders.ts';
import { Jobs, ownKey } from './jobs.ts';
import { removeOldTaskLogs } from './logs.ts';
import { migrateDatabase } from './migrate.ts';
import { setsInUse } from './old-packages.ts';
import { type LocalFacts, type LocalStep, nextStep } from './plan.ts';
import { packagesAreReady, preparePackages } from './prepare-packages.ts';
import { RunningEnvironments } from './running.ts';
import {
  copyContent,
  dropAccount,
  makeAccount,
  makeDatabase,
  makeTemplate,
  writeAssertionKeys,
} from './steps.ts';
import { endAllOf } from './strays.ts';

/** Milliseconds between looks at an environment that is to become ready, and at one whose tasks are to end. */
const lookAgain = { ready: 250, drained: 1_000 } as const;

/** Airflow 3 logs to stdout, between the lines of the answer; only what a test of a DAG or task logs is wanted. */
const quietUnlessTest = (words: readonly string[]): Record<string, string> =>
  words[1] === 'test' ? {} : { AIRFLOW__LOGGING__LOGGING_LEVEL: 'WARNING' };

/** Milliseconds that a set of packages is kept which no environment refers to: 7 days. */
const setsAreKept = 7 * 24 * 3_600_000;

/** The environment as an update wants it. */
const wantedOf = (e: EnvironmentRecord): EnvironmentRecord => ({ ...e, spec: e.update?.wanted ?? e.spec });

/** Where its DAGs come from, and by whose rights, as a key. */
const contentOf = ({ spec }: EnvironmentRecord): string =>
  `${spec.SourceBucketArn} ${spec.ExecutionRoleArn} ${spec.DagS3Path}`;

/** Runs environments as processes of this machine. */
export class LocalDriver implements AirflowDriver {
  readonly versions = airflowVersions.map((v) => v.version);
  readonly #o: LocalDriverOptions;
  readonly #running: RunningEnvironments;
  readonly #jobs: Jobs;
  readonly #changedDags: ChangedDags;
  readonly #following = new Map<EnvironmentId, { readonly from: string; readonly stop: Stop }>();
  readonly #databases = new Set<EnvironmentId>();
  /** The Airflow version of each database's tables, as long as nothing changes it. */
  readonly #schemas = new Map<EnvironmentId, string>();
  readonly #templates = new Set<string>();
  readonly #hints = new Set<(id: EnvironmentId) => void>();
  readonly #stops: Stop[];

  constructor(options: LocalDriverOptions) {
    this.#o = options;
    this.#running = new RunningEnvironments(options, (id) => this.#hint(id));
    this.#jobs = new Jobs((id) => this.#hint(id));
    this.#changedDags = new ChangedDags(options);
    const failed = (error: unknown) => options.log.error('housekeeping failed', { reason: textOf(error) });
    this.#stops = [
      every(1_000, () => this.#running.tend(), failed),
      every(3_600_000, () => this.#removeOldLogs(), failed),
      every(3_600_000, () => this.#removeUnusedSets(), failed),
      options.assertionKeys.onChange(() => void this.#publishKeys().catch(failed)),
    ];
  }

  /** Ends installers, and what runs of environments that are not known any more; call before the first step. */
  async endUnknown(known: readonly EnvironmentId[]): Promise<void> {
    if (!(await this.#o.installer.endStrays()))
      this.#o.log.error('housekeeping failed', { reason: 'installers of an earlier start survive KILL' });
    for (const id of readdirSync(this.#o.environments).filter((name) => !known.includes(name))) {
      if (!(await endAllOf(this.#running.owner(id))))
        this.#o.log.error('processes of an earlier start cannot be ended', { environmentId: id });
    }
  }

  fault({ EnvironmentClass }: Pick<EnvironmentSpec, 'EnvironmentClass'>): string | undefined {
    return classFault(EnvironmentClass, totalmem());
  }

  async observe(e: EnvironmentRecord): Promise<Observation> {
    const facts = await this.#facts(e);
    return {
      next: (phase) => nextStep(facts, phase),
      snapshot: facts.snapshot,
      trouble: this.#running.get(e.id)?.trouble,
    };
  }

  async apply(step: string, e: EnvironmentRecord, o: StepContext): Promise<Waiting | undefined> {
    switch (step as LocalStep) {
      case 'base':
        return this.#installs(versionOf(e), e.id);
      case 'next-base':
        return this.#installs(versionOf(wantedOf(e)), e.id);
      case 'packages':
        return this.#preparesPackages(e);
      case 'next-packages':
        return this.#preparesPackages(wantedOf(e));
      case 'template':
        return this.#jobs.ask(`template of ${versionOf(e).version}`, e.id, (report, signal) =>
          makeTemplate(this.#o, e, report, signal),
        );
      case 'drain':
        await this.#running.drain(e);
        return { again: lookAgain.drained, text: 'waiting for running tasks to end', drains: true };
      case 'ready':
        return this.#becomesReady(e);
      default:
        await this.#makeTrue(step as LocalStep, e, o);
        return undefined;
    }
  }

  onChange(hint: (id: EnvironmentId) => void): Stop {
    this.#hints.add(hint);
    return () => this.#hints.delete(hint);
  }

  webTarget(id: EnvironmentId): WebTarget | undefined {
    return this.#running.webTarget(id);
  }

  processUid(id: EnvironmentId): number | undefined {
    return this.#o.accounts ? accountOf(this.#o, id)?.uid : process.geteuid?.();
  }

  shownCommand(e: EnvironmentRecord, words: readonly string[]): string {
    return shownCommand(versionOf(e).version, words);
  }

  async cli(
    e: EnvironmentRecord,
    words: readonly string[],
    o: { signal: AbortSignal; person: string },
  ): Promise<CliAnswer> {
    const ran = this.#runsAs(e);
    const version = versionOf(ran);
    const account = accountOf(this.#o, e.id);
    return this.#o.cli.run({
      environmentId: e.id,
      airflowVersion: version.version,
      python: installationOf(this.#o, ran).python,
      words,
      env: { ...variablesFor(this.#o, ran)('webserver'), ...quietUnlessTest(words) },
      cwd: seenFor(this.#o, ran).home,
      view: viewFor(this.#o, ran),
      pidNamespace: this.#o.view.pidNamespace,
      ...limitsFor(ran),
      uid: account?.uid,
      gid: account?.gid,
      person: o.person,
      data: homeOf(this.#o),
      signal: o.signal,
    });
  }

  content(e: EnvironmentRecord): Promise<LiveContent> {
    return this.#changedDags.live(e);
  }

  contentSummary(id: EnvironmentId): LiveSummary | undefined {
    return this.#changedDags.summary(id);
  }

  components(id: EnvironmentId): readonly ComponentStatus[] {
    return this.#running.get(id)?.components ?? [];
  }

  async close(leaving: Leaving): Promise<void> {
    for (const stop of this.#stops) stop();
    for (const { stop } of this.#following.values()) stop();
    this.#changedDags.close();
    await Promise.all([this.#jobs.close(), this.#running.close(leaving)]);
  }

  /** Ends every process now, without giving tasks time. */
  hurry(): void {
    this.#running.hurry();
  }

  async #facts(e: EnvironmentRecord): Promise<LocalFacts> {
    const places = placesFor(this.#o, e.id);
    const version = findVersion(e.spec.AirflowVersion);
    const base = version && this.#o.bases.find(version);
    const running = this.#running.get(e.id);
    const leaving = e.status === 'DELETING';
    return {
      base: base !== undefined,
      // Only a database that is not there yet is copied from it.
      template: base !== undefined && (e.status !== 'CREATING' || (await this.#hasTemplate(base))),
      account: this.#o.accounts ? accountOf(this.#o, e.id) !== undefined : !leaving,
      folders: leaving
        ? existsSync(places.root) || existsSync(trashOf(this.#o.trash, places))
        : foldersAreMade(places),
      content: this.#following.get(e.id)?.from === contentOf(e),
      // Asked for once a start: `ensure` mends what is half there.
      database: leaving ? await this.#o.databases.hasAny(e.id) : this.#databases.has(e.id),
      packages: packagesAreReady(this.#o, e),
      schema: leaving || (await this.#schemaOf(e)) === e.spec.AirflowVersion,
      snapshot: e.update !== undefined && (await this.#o.databases.hasSnapshot(e.id)),
      nextBase: this.#hasNextBase(e),
      nextPackages: packagesAreReady(this.#o, wantedOf(e)),
      configuration:
        running !== undefined &&
        !running.isClosed &&
        running.revision === revisionFor(this.#o, e) &&
        !running.lostItsPort,
      started: running?.started ?? false,
      ready: running?.ready ?? false,
      // A creation may fail before anything runs; what follows its DAGs is ended with the rest.
      processes:
        (e.status === 'CREATE_FAILED' && this.#following.has(e.id)) ||
        (await this.#running.hasProcesses(e.id)),
      drained: this.#running.isDrained(e),
    };
  }

  /** Steps that need the environment for themselves and do not take long. */
  async #makeTrue(step: LocalStep, e: EnvironmentRecord, o: StepContext): Promise<void> {
    switch (step) {
      case 'account':
        return makeAccount(this.#o, e.id);
      case 'folders':
        return makeFolders(placesFor(this.#o, e.id), accountOf(this.#o, e.id));
      case 'content':
        this.#unfollow(e.id);
        this.#following.set(e.id, {
          from: contentOf(e),
          stop: await copyContent(this.#o, e, o.lease.signal, (changes) => this.#dagsChanged(e, changes)),
        });
        return;
      case 'database':
        await makeDatabase(this.#o, e);
        this.#databases.add(e.id);
        return;
      case 'migrate':
        this.#schemas.delete(e.id);
        return migrateDatabase(this.#o, e, o);
      case 'configuration':
        return this.#running.replace(e);
      case 'start':
        this.#running.get(e.id)?.start();
        return;
      case 'stop':
        this.#unfollow(e.id);
        return this.#running.stop(e.id);
      case 'snapshot':
        return this.#o.databases.snapshot(e.id, o.lease.signal);
      case 'restore':
        this.#schemas.delete(e.id);
        return this.#o.databases.restore(e.id);
      case 'drop-snapshot':
        return this.#o.databases.dropSnapshot(e.id);
      case 'remove-database':
        await this.#o.databases.drop(e.id);
        this.#databases.delete(e.id);
        this.#schemas.delete(e.id);
        return;
      case 'remove-folders':
        this.#unfollow(e.id);
        await this.#jobs.forget(e.id);
        this.#o.content.forget(placesFor(this.#o, e.id).contentState);
        return removeFolders(placesFor(this.#o, e.id), this.#o.trash);
      case 'remove-account':
        return dropAccount(this.#o, e.id);
      default:
        throw new Error(`the local driver has no step ${step}`);
    }
  }

  /** What is not ready reads all its DAG files when it starts. */
  #dagsChanged(e: EnvironmentRecord, changes: readonly ContentChange[]): void {
    if (this.#running.get(e.id)?.ready) this.#changedDags.changed(e, changes);
  }

  #installs(version: AirflowVersion, id: EnvironmentId): Waiting | undefined {
    return this.#jobs.ask(`Airflow ${version.version}`, id, (report, signal) =>
      this.#o.bases.ensure(version, report, signal),
    );
  }

  #preparesPackages(e: EnvironmentRecord): Promise<Waiting | undefined> | Waiting | undefined {
    const revision = packagesOf(this.#o, e)?.revision;
    return this.#jobs.ask(ownKey(e.id, `packages ${revision}`), e.id, (report, signal) =>
      preparePackages(this.#o, e, report, signal),
    );
  }

  /** What its processes were started with: until an update has prepared its packages, those from before it. */
  #runsAs(e: EnvironmentRecord): EnvironmentRecord {
    if (e.update === undefined || packagesAreReady(this.#o, e)) return e;
    return { ...e, spec: e.update.previous };
  }

  async #becomesReady(e: EnvironmentRecord): Promise<Waiting | undefined> {
    const running = this.#running.get(e.id);
    const text = await running?.lookUntilReady();
    if (text !== undefined) return { again: lookAgain.ready, text };
    await this.#running.endRetired(e.id);
    this.#changedDags.begin(e, { ranBefore: running?.components.some((c) => c.adopted) ?? false });
    return undefined;
  }

  async #hasTemplate(base: Base): Promise<boolean> {
    if (!this.#templates.has(base.hash) && (await this.#o.databases.hasTemplate(base.hash)))
      this.#templates.add(base.hash);
    return this.#templates.has(base.hash);
  }

  async #schemaOf(e: EnvironmentRecord): Promise<string | undefined> {
    const known = this.#schemas.get(e.id) ?? (await this.#o.databases.version(e.id));
    if (known !== undefined) this.#schemas.set(e.id, known);
    return known;
  }

  #hasNextBase({ update }: EnvironmentRecord): boolean {
    const version = update && findVersion(update.wanted.AirflowVersion);
    return update === undefined || (version !== undefined && this.#o.bases.find(version) !== undefined);
  }

  #unfollow(id: EnvironmentId): void {
    this.#following.get(id)?.stop();
    this.#following.delete(id);
    this.#changedDags.forget(id);
  }

  #hint(id: EnvironmentId): void {
    for (const hint of this.#hints) hint(id);
  }

  async #publishKeys(): Promise<void> {
    for (const id of this.#running.ids) await writeAssertionKeys(this.#o, id);
  }

  async #removeUnusedSets(): Promise<void> {
    await this.#o.sets.removeUnused(await setsInUse(this.#o), setsAreKept);
  }

  async #removeOldLogs(): Promise<void> {
    for (const id of this.#running.ids)
      await removeOldTaskLogs(placesFor(this.#o, id).taskLogs, this.#o.taskLogDays, accountOf(this.#o, id));
  }
}
