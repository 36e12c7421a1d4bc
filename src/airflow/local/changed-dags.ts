import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContentChange, ContentFile, LiveContent, LiveSummary } from '../../environments/content.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { textOf } from '../../lib/errors.ts';
import { type LocalDriverOptions, placesFor } from './context.ts';
import { dagFiles, isDagName, type PublishedFile, silenceFor } from './dag-files.ts';
import { askToParse } from './parse-requests.ts';
import { type ParseResults, parseResults } from './parse-results.ts';

/** Milliseconds between looks at what Airflow read, between requests for what it did not, and until nobody waits. */
const pauses = { look: 500, ask: 3_000, all: 10_000, askEach: 100, giveUp: 45_000 } as const;
/** Milliseconds for which a look serves whoever asks. */
const shareFor = 200;

/** Bytes of a file in which Airflow's own rule looks for words; DAG files are far smaller. */
const mostRead = 4 * 1024 * 1024;

/**
 * True for what Airflow would import: a zip archive, or a Python file with both words in it (airflow/utils/file.py,
 * might_contain_dag_via_default_heuristic).
 */
const mentionsDags = async (file: string): Promise<boolean> => {
  if (file.endsWith('.zip')) return true;
  if (!file.endsWith('.py')) return false;
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const size = Math.min((await handle.stat()).size, mostRead);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
    const text = buffer.toString('latin1', 0, bytesRead).toLowerCase();
    return text.includes('dag') && text.includes('airflow');
  } finally {
    await handle.close();
  }
};

/** Files of which it is known whether they may define DAGs. */
const mostKnown = 50_000;

/** What is waited for in one environment. */
interface Wait {
  readonly ended: AbortController;
  /** What Airflow was not asked for yet, by path. */
  readonly changes: Map<string, ContentChange>;
  /** Monotonic milliseconds of the last change, and of the last request. */
  changedAt: number;
  askedAt: number;
  /** Files that Airflow imports may have changed, and all that import them must be read again. */
  all: boolean;
  allAskedAt: number;
  /** Epoch milliseconds after which all of them must have been read. */
  readFrom: number;
  /** Something was published: people are told when it was read. */
  isPublished: boolean;
}

const newWait = (): Wait => ({
  ...{ ended: new AbortController(), changes: new Map(), changedAt: 0, askedAt: 0 },
  ...{ all: false, allAskedAt: -pauses.all, readFrom: 0, isPublished: false },
});

const isWaiting = ({ state, readAt }: ContentFile, { readFrom }: Wait): boolean =>
  state === 'waiting' ||
  state === 'leaving' ||
  state === 'unknown' ||
  (state !== 'no-dag' && (readAt ?? 0) < readFrom);

/**
 * Sees to it that Airflow reads what was published soon, and tells what became of it. What it knows stands in the state
 * of the published tree and in Airflow's tables: a server that comes next knows the same.
 */
export class ChangedDags {
  readonly #o: LocalDriverOptions;
  readonly #waits = new Map<EnvironmentId, Wait>();
  /** Looks at Airflow's tables that several callers share: its role has few connections. */
  readonly #looks = new Map<
    EnvironmentId,
    { readonly at: number; readonly results: Promise<ParseResults> }
  >();
  /** Which files may define DAGs, by their bytes. */
  readonly #mentions = new Map<string, boolean>();
  /** The import errors that the log has, by file, and the last trouble. */
  readonly #told = new Map<EnvironmentId, ReadonlyMap<string, string>>();
  readonly #troubles = new Map<EnvironmentId, string>();

  constructor(options: LocalDriverOptions) {
    this.#o = options;
  }

  /** Asks for what changed, and looks until Airflow has read it. */
  changed(e: EnvironmentRecord, changes: readonly ContentChange[]): void {
    const wait = this.#waitFor(e);
    for (const change of changes) wait.changes.set(change.path, change);
    wait.isPublished = true;
  }

  /**
   * Looks at what became of all files after a start. Where Airflow ran on before it, what was published meanwhile may not have
   * been asked for: all is.
   */
  begin(e: EnvironmentRecord, o: { readonly ranBefore: boolean }): void {
    const wait = this.#waitFor(e);
    if (o.ranBefore) wait.all = true;
  }

  #waitFor(e: EnvironmentRecord): Wait {
    const known = this.#waits.get(e.id);
    const wait = known ?? newWait();
    wait.changedAt = performance.now();
    this.#waits.set(e.id, wait);
    if (known === undefined) void this.#follow(e, wait);
    return wait;
  }

  summary(id: EnvironmentId): LiveSummary | undefined {
    const { contentState } = placesFor(this.#o, id);
    const { version, since, files } = this.#o.content.published(contentState);
    const failed = this.#told.get(id);
    if (since === 0) return undefined;
    return {
      version,
      since,
      files: files.size,
      failed: failed?.size,
      fault: this.#o.content.fault(contentState),
    };
  }

  forget(id: EnvironmentId): void {
    this.#waits.get(id)?.ended.abort();
    for (const map of [this.#waits, this.#looks, this.#told, this.#troubles]) map.delete(id);
  }

  close(): void {
    for (const id of [...this.#waits.keys()]) this.forget(id);
  }

  /** What is live; where the environment's database does not answer, only what was published is known. */
  async live(e: EnvironmentRecord): Promise<LiveContent> {
    return this.#live(e, await this.#results(e).catch(() => undefined));
  }

  #results(e: EnvironmentRecord): Promise<ParseResults> {
    const known = this.#looks.get(e.id);
    if (known && performance.now() - known.at < shareFor) return known.results;
    const results = parseResults(this.#o, e);
    results.catch(() => {});
    this.#looks.set(e.id, { at: performance.now(), results });
    return results;
  }

  async #mayDefineDags(file: string, sha256: string): Promise<boolean> {
    const known = this.#mentions.get(sha256);
    if (known !== undefined) return known;
    const found = await mentionsDags(file);
    if (this.#mentions.size >= mostKnown) this.#mentions.clear();
    this.#mentions.set(sha256, found);
    return found;
  }

  async #live(e: EnvironmentRecord, results: ParseResults | undefined): Promise<LiveContent> {
    const { dags, contentState } = placesFor(this.#o, e.id);
    const { version, since, files } = this.#o.content.published(contentState);
    const published: PublishedFile[] = [];
    for (const [path, { at, sha256 }] of files) {
      const isKnown = results?.readings?.has(path) || results?.read.has(path) || results?.failed.has(path);
      const may = isKnown || (await this.#mayDefineDags(join(dags, path), sha256));
      published.push({ path, sha256, at, mayDefineDags: may });
    }
    return {
      followed: this.#o.content.followed(e),
      elsewhere: this.#o.content.elsewhere(e),
      fault: this.#o.content.fault(contentState),
      version,
      since,
      files: dagFiles(published, results, { now: Date.now(), silence: silenceFor(e) }),
    };
  }

  /**
   * A DAG file that is new, gone or changed is asked for by itself. Anything else may be imported or read by every DAG
   * file, as may a Python file that defined no DAG before: then all are asked for, at most once in 10 s.
   */
  async #askForChanges(e: EnvironmentRecord, wait: Wait): Promise<void> {
    const changes = [...wait.changes.values()];
    const { dags } = placesFor(this.#o, e.id);
    const own = new Set<string>();
    for (const { path, kind } of changes) {
      const isDag = kind === 'removed' || (await mentionsDags(join(dags, path)));
      if (isDag && isDagName(path)) own.add(path);
    }
    await askToParse(this.#o, e, [...own]);
    const results = await this.#results(e);
    const defines = (path: string) => results.read.has(path) || results.failed.has(path);
    const mayBeImported = ({ path, kind }: ContentChange) =>
      !own.has(path) || (kind !== 'added' && !defines(path));
    if (changes.some(mayBeImported) || results.failed.size > 0) wait.all = true;
    for (const change of changes)
      if (wait.changes.get(change.path) === change) wait.changes.delete(change.path);
    wait.askedAt = performance.now();
  }

  async #follow(e: EnvironmentRecord, wait: Wait): Promise<void> {
    const { signal } = wait.ended;
    for (;;) {
      const left = await this.#look(e, wait).catch((error: unknown) => {
        this.#trouble(e, textOf(error));
        return undefined;
      });
      if (signal.aborted) return;
      if (left !== undefined) this.#troubles.delete(e.id);
      const isOver = left === 0 && !wait.all && wait.changes.size === 0;
      if (isOver || performance.now() - wait.changedAt > silenceFor(e) + pauses.giveUp) break;
      await delay(pauses.look, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
    }
    this.#waits.delete(e.id);
    await this.#tell(e, wait).catch((error: unknown) => this.#trouble(e, textOf(error)));
  }

  /** Asks for what is to be asked for, and gives how many files are still waited for. */
  async #look(e: EnvironmentRecord, wait: Wait): Promise<number> {
    if (wait.changes.size > 0) {
      await this.#askForChanges(e, wait);
      return Number.POSITIVE_INFINITY;
    }
    const results = await this.#results(e);
    const { files } = await this.#live(e, results);
    const paths = files.filter((file) => isWaiting(file, wait)).map(({ path }) => path);
    const now = performance.now();
    if (wait.all && now - wait.allAskedAt >= pauses.all) {
      const all = [...new Set([...results.read.keys(), ...results.failed.keys(), ...paths])];
      await askToParse(this.#o, e, all);
      Object.assign(wait, { all: false, allAskedAt: now, askedAt: now, readFrom: Date.now() });
      return all.length;
    }
    // many are read one after the other: asking again would only begin anew
    if (now - wait.askedAt >= pauses.ask + paths.length * pauses.askEach) {
      await askToParse(this.#o, e, paths);
      wait.askedAt = now;
    }
    return paths.length;
  }

  async #tell(e: EnvironmentRecord, { isPublished }: Wait): Promise<void> {
    const { files, version, since } = await this.live(e);
    const about = { environment: e.name, environmentId: e.id };
    const told = this.#told.get(e.id);
    const failed = new Map(files.flatMap(({ path, error }) => (error ? [[path, shown(error)]] : [])));
    for (const [path, reason] of failed)
      if (told?.get(path) !== reason) this.#o.log.warn('DAG file not imported', { ...about, path, reason });
    this.#told.set(e.id, failed);
    if (isPublished)
      this.#o.log.info('DAGs read', { ...about, version, took: Math.max(0, Date.now() - since) });
  }

  /** Says a reason once, not at every look. */
  #trouble(e: EnvironmentRecord, reason: string): void {
    if (this.#troubles.get(e.id) === reason) return;
    this.#troubles.set(e.id, reason);
    this.#o.log.warn('DAGs not asked for', { environment: e.name, environmentId: e.id, reason });
  }
}

const shown = ({ line, message }: NonNullable<ContentFile['error']>): string =>
  line === undefined ? message : `line ${line}: ${message}`;
