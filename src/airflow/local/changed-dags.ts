import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContentChange, ContentFile, LiveContent } from '../../environments/content.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { textOf } from '../../lib/errors.ts';
import { type LocalDriverOptions, placesFor } from './context.ts';
import { dagFiles, isDagName, type PublishedFile, silenceFor } from './dag-files.ts';
import { askToParse } from './parse-requests.ts';
import { type ParseResults, parseResults } from './parse-results.ts';

/** Milliseconds between looks at what Airflow read, between requests for what it did not, and until nobody waits. */
const pauses = { look: 500, ask: 3_000, all: 10_000, giveUp: 45_000 } as const;

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
  /** Monotonic milliseconds of the last change. */
  changedAt: number;
  /** Files that Airflow imports may have changed, and all that import them must be read again. */
  all: boolean;
  allAskedAt: number;
  /** Epoch milliseconds after which all of them must have been read. */
  readFrom: number;
}

const isWaiting = ({ state, readAt }: ContentFile, { readFrom }: Wait): boolean =>
  state === 'waiting' || state === 'leaving' || (state !== 'no-dag' && (readAt ?? 0) < readFrom);

/**
 * Sees to it that Airflow reads what was published soon, and tells what became of it. What it knows stands in the state
 * of the published tree and in Airflow's tables: a server that comes next knows the same.
 */
export class ChangedDags {
  readonly #o: LocalDriverOptions;
  readonly #waits = new Map<EnvironmentId, Wait>();
  /** Which files may define DAGs, by their bytes. */
  readonly #mentions = new Map<string, boolean>();
  /** The import errors that the log has, by file. */
  readonly #told = new Map<EnvironmentId, ReadonlyMap<string, string>>();

  constructor(options: LocalDriverOptions) {
    this.#o = options;
  }

  /** Asks for what changed, and looks until Airflow has read it. */
  changed(e: EnvironmentRecord, changes: readonly ContentChange[]): void {
    const known = this.#waits.get(e.id);
    const wait = known ?? {
      ...{ ended: new AbortController(), changedAt: 0, readFrom: 0 },
      ...{ all: false, allAskedAt: -pauses.all },
    };
    wait.changedAt = performance.now();
    this.#waits.set(e.id, wait);
    void this.#ask(e, wait, changes).catch((error: unknown) => this.#notAsked(e, error));
    if (known === undefined) void this.#follow(e, wait);
  }

  forget(id: EnvironmentId): void {
    this.#waits.get(id)?.ended.abort();
    this.#waits.delete(id);
    this.#told.delete(id);
  }

  close(): void {
    for (const id of [...this.#waits.keys()]) this.forget(id);
  }

  /** What is live; of an environment whose database does not answer, what was published. */
  async live(e: EnvironmentRecord): Promise<LiveContent> {
    const nothing: ParseResults = { read: new Map(), failed: new Map(), times: undefined };
    const results = await parseResults(this.#o, e).catch(() => nothing);
    return this.#live(e, results);
  }

  async #mayDefineDags(file: string, sha256: string): Promise<boolean> {
    const known = this.#mentions.get(sha256);
    if (known !== undefined) return known;
    const found = await mentionsDags(file);
    if (this.#mentions.size >= mostKnown) this.#mentions.clear();
    this.#mentions.set(sha256, found);
    return found;
  }

  async #live(e: EnvironmentRecord, results: ParseResults): Promise<LiveContent> {
    const { version, since, files } = this.#o.content.published(placesFor(this.#o, e.id).contentState);
    const { dags } = placesFor(this.#o, e.id);
    const published: PublishedFile[] = [];
    for (const [path, { at, sha256 }] of files) {
      const isKnown = results.times?.has(path) || results.read.has(path) || results.failed.has(path);
      const may = isKnown || (await this.#mayDefineDags(join(dags, path), sha256));
      published.push({ path, sha256, at, mayDefineDags: may });
    }
    return {
      followed: this.#o.content.followed(e),
      version,
      since,
      files: dagFiles(published, results, { now: Date.now(), silence: silenceFor(e) }),
    };
  }

  /**
   * A DAG file that is new, gone or changed is asked for by itself. Anything else may be imported or read by every DAG
   * file, as may a Python file that defined no DAG before: then all are asked for, at most once in 10 s.
   */
  async #ask(e: EnvironmentRecord, wait: Wait, changes: readonly ContentChange[]): Promise<void> {
    const { dags } = placesFor(this.#o, e.id);
    const own: string[] = [];
    const others: ContentChange[] = [];
    for (const change of changes) {
      const isDag = change.kind === 'removed' || (await mentionsDags(join(dags, change.path)));
      if (isDag && isDagName(change.path)) own.push(change.path);
      else others.push(change);
    }
    await askToParse(this.#o, e, own);
    const results = await parseResults(this.#o, e);
    const defines = (path: string) => results.read.has(path) || results.failed.has(path);
    const helpers = changes.filter(
      ({ path, kind }) => kind !== 'added' && own.includes(path) && !defines(path),
    );
    if (others.length + helpers.length > 0 || results.failed.size > 0) wait.all = true;
  }

  async #follow(e: EnvironmentRecord, wait: Wait): Promise<void> {
    const { signal } = wait.ended;
    let askedAt = performance.now();
    while (!signal.aborted) {
      await delay(pauses.look, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const waiting = await this.#look(e, wait, askedAt).catch((error: unknown) => {
        this.#notAsked(e, error);
        return undefined;
      });
      if (waiting?.asked) askedAt = performance.now();
      const isOver = waiting?.paths.length === 0 && !wait.all;
      if (isOver || performance.now() - wait.changedAt > silenceFor(e) + pauses.giveUp) break;
    }
    if (this.#waits.get(e.id) === wait) this.#waits.delete(e.id);
    if (!signal.aborted) await this.#tell(e).catch((error: unknown) => this.#notAsked(e, error));
  }

  async #look(
    e: EnvironmentRecord,
    wait: Wait,
    askedAt: number,
  ): Promise<{ readonly paths: readonly string[]; readonly asked: boolean }> {
    const results = await parseResults(this.#o, e);
    const { files } = await this.#live(e, results);
    const waiting = files.filter((file) => isWaiting(file, wait));
    const paths = waiting.map(({ path }) => path);
    const now = performance.now();
    if (wait.all && now - wait.allAskedAt >= pauses.all) {
      wait.all = false;
      wait.allAskedAt = now;
      wait.readFrom = Date.now();
      const all = [...new Set([...results.read.keys(), ...results.failed.keys(), ...paths])];
      await askToParse(this.#o, e, all);
      return { paths: all, asked: true };
    }
    const asks = now - askedAt >= pauses.ask;
    if (asks) await askToParse(this.#o, e, paths);
    return { paths, asked: asks };
  }

  async #tell(e: EnvironmentRecord): Promise<void> {
    const { files, version, since } = await this.live(e);
    const about = { environment: e.name, environmentId: e.id };
    const told = this.#told.get(e.id);
    const failed = new Map(files.flatMap(({ path, error }) => (error ? [[path, shown(error)]] : [])));
    for (const [path, reason] of failed)
      if (told?.get(path) !== reason) this.#o.log.warn('DAG file not imported', { ...about, path, reason });
    this.#told.set(e.id, failed);
    this.#o.log.info('DAGs read', { ...about, version, took: Math.max(0, Date.now() - since) });
  }

  #notAsked(e: EnvironmentRecord, error: unknown): void {
    this.#o.log.warn('DAGs not asked for', {
      environment: e.name,
      environmentId: e.id,
      reason: textOf(error),
    });
  }
}

const shown = ({ line, message }: NonNullable<ContentFile['error']>): string =>
  line === undefined ? message : `line ${line}: ${message}`;
