import { createHash } from 'node:crypto';
import { importErrorOf } from '../../lib/import-error.ts';
import type { AwsS3Client, ListedObject } from '../aws-s3-client.ts';
import type { LiveContent, LiveFile } from '../content.ts';
import type { AirflowReader, ReadDag } from './airflow-reader.ts';
import type { BucketPlace } from './deployment.ts';
import { type LocalFile, LocalFiles } from './local-files.ts';

/**
 * Milliseconds after which a parse has certainly seen a change: Amazon MWAA copies the bucket about every 30 seconds ("Adding or
 * updating DAGs", MWAA user guide), and a parse may have begun before.
 */
export const syncTime = 60_000;

/** Milliseconds in which Airflow finds a new file: `scheduler.dag_dir_list_interval` is 5 minutes unless it is set. */
const findTime = 300_000 + syncTime;

export interface AwsContentOptions {
  readonly s3: Pick<AwsS3Client, 'list' | 'head'>;
  readonly airflow: AirflowReader;
  readonly place: BucketPlace;
  /** The folder that is deployed. */
  readonly from: string;
}

/** Python reads text with each of its line ends as one. */
const asRead = (text: string): string => text.replace(/\r\n?/g, '\n');

/** Airflow looks for DAGs in archives, and in Python files with both words (might_contain_dag in airflow/utils/file.py). */
const mayDefineDags = (path: string, text: string | undefined): boolean =>
  path.endsWith('.zip') || (text !== undefined && /dag/i.test(text) && /airflow/i.test(text));

/** A key with other segments is no file of the folder. */
const isPlainPath = (path: string): boolean =>
  path.split('/').every((segment) => !['', '.', '..'].includes(segment));

/**
 * What is live in an environment of Amazon MWAA, as far as it can be known: the objects of its bucket, and what Airflow's REST API
 * tells about the DAGs and import errors that came of them.
 */
export class AwsContent {
  readonly #o: AwsContentOptions;
  readonly #local: LocalFiles;
  /** By path: the ETag of the object that could not be imported. */
  readonly #failed = new Map<string, string>();
  /** By path: the ETag of the object that Airflow was seen to have read. */
  readonly #read = new Map<string, string>();
  /** By ETag, of those that are no MD5: the SHA-256 that S3 knows. */
  readonly #sha256 = new Map<string, string | undefined>();

  constructor(options: AwsContentOptions) {
    this.#o = options;
    this.#local = new LocalFiles(options.from);
  }

  async look(): Promise<LiveContent> {
    const { bucket, prefix } = this.#o.place;
    const listed = await this.#o.s3.list(bucket, prefix);
    const objects = new Map(
      listed.map((one) => [one.key.slice(prefix.length), one] as const).filter(([path]) => isPlainPath(path)),
    );
    const [dags, errors] = await Promise.all([this.#o.airflow.dags(), this.#o.airflow.importErrors()]);
    const files: LiveFile[] = [];
    for (const [path, object] of objects)
      files.push(await this.#fileOf(path, object, dags.get(path) ?? [], errors.get(path)));
    const gone = [...dags.keys()].filter((path) => !objects.has(path));
    for (const path of gone) files.push({ Path: path, At: 0, State: 'leaving' });
    const version = [...objects].map(([path, { etag }]) => `${path}\0${etag}`).sort();
    return {
      Version: createHash('sha256').update(version.join('\n')).digest('hex').slice(0, 16),
      Since: Math.max(0, ...listed.map(({ at }) => at)) / 1000,
      Files: files,
    };
  }

  async #fileOf(
    path: string,
    object: ListedObject,
    dags: readonly ReadDag[],
    error: { readonly at: number; readonly text: string } | undefined,
  ): Promise<LiveFile> {
    const local = await this.#localFile(path, object);
    const Sha256 = local?.sha256 ?? `etag ${object.etag}`;
    const file = { Path: path, At: object.at / 1000, Sha256 };
    if (error !== undefined) {
      if (!this.#isOf(path, object, error.at)) return { ...file, State: 'waiting' };
      const { line, message } = importErrorOf(path, error.text);
      const shown = { Message: message, ...(line === undefined ? {} : { Line: line }) };
      return { ...file, State: 'failed', ReadAt: error.at / 1000, Error: shown };
    }
    if (dags.length === 0) {
      const isAwaited = local !== undefined && mayDefineDags(path, local.text);
      if (isAwaited && Date.now() < object.at + findTime) return { ...file, State: 'waiting' };
      return { ...file, At: (object.at + syncTime) / 1000, State: 'no-dag' };
    }
    const isRead = local === undefined || (await this.#hasRead(path, local.text, object, dags));
    const readAt = Math.max(...dags.map(({ at }) => at));
    const read = { ReadAt: readAt / 1000, Dags: dags.map(({ id }) => id) };
    return { ...file, ...read, State: isRead ? 'read' : 'waiting' };
  }

  /** The file of the folder that the object was made of; undefined when they differ. */
  async #localFile(path: string, { key, etag }: ListedObject): Promise<LocalFile | undefined> {
    const local = await this.#local.find(path, ({ md5 }) => md5 === etag);
    if (local === undefined || local.md5 === etag) return local;
    return local.sha256 === (await this.#sha256Of(key, etag)) ? local : undefined;
  }

  /** Encrypted objects have an ETag that says nothing of their bytes; what was put from here has a SHA-256 as well. */
  async #sha256Of(key: string, etag: string): Promise<string | undefined> {
    if (!this.#sha256.has(etag)) {
      const head = await this.#o.s3.head(this.#o.place.bucket, key);
      this.#sha256.set(etag, head?.etag === etag ? head.sha256 : undefined);
    }
    return this.#sha256.get(etag);
  }

  /** Whether an error is about this object, and not about the one that was there before. */
  #isOf(path: string, { etag, at }: ListedObject, errorAt: number): boolean {
    const before = this.#failed.get(path);
    if (errorAt < at + (before === undefined || before === etag ? 0 : syncTime)) return false;
    this.#failed.set(path, etag);
    return true;
  }

  /** After some time every parse is of this object; before, the text that Airflow shows says so, of a Python file. */
  async #hasRead(
    path: string,
    text: string | undefined,
    object: ListedObject,
    dags: readonly ReadDag[],
  ): Promise<boolean> {
    if (this.#read.get(path) === object.etag) return true;
    const [dag] = dags;
    const isLater = dags.every(({ at }) => at >= object.at + syncTime);
    const isSame =
      isLater ||
      (dag !== undefined && text !== undefined && asRead(await this.#o.airflow.source(dag)) === asRead(text));
    if (isSame) this.#read.set(path, object.etag);
    return isSame;
  }
}
