import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importErrorOf } from '../../lib/import-error.ts';
import type { AwsS3Client, ListedObject } from '../aws-s3-client.ts';
import type { LiveContent, LiveFile } from '../content.ts';
import type { AirflowReader, ReadDag } from './airflow-reader.ts';
import type { BucketPlace } from './deployment.ts';
import { stampOf } from './files.ts';

/**
 * Milliseconds until Amazon MWAA has a change of the bucket ("Adding or updating DAGs", MWAA user guide: 30 seconds): what
 * Airflow reads before may be the file of before.
 */
const syncTime = 30_000;

export interface AwsContentOptions {
  readonly s3: Pick<AwsS3Client, 'list'>;
  readonly airflow: AirflowReader;
  readonly place: BucketPlace;
  /** The folder that is deployed. */
  readonly from: string;
}

/** A file of the folder. */
interface LocalFile {
  readonly stamp: string;
  readonly md5: string;
  readonly sha256: string;
  readonly text: string;
}

/** Python reads text with each of its line ends as one. */
const asRead = (text: string): string => text.replace(/\r\n?/g, '\n');

/** A file without one may be a DAG of a factory, too: it is then not waited for. */
const definesDag = (text: string): boolean => /\bDAG\s*\(|@(?:\w+\.)*dag\b/.test(text);

const hashOf = (name: 'md5' | 'sha256', bytes: Buffer): string =>
  createHash(name).update(bytes).digest('hex');

/**
 * What is live in an environment of Amazon MWAA, of what can be known of it: the objects of its bucket, and what Airflow's
 * REST API tells of the DAGs that it made of them. Airflow has a file when the source that it shows is that of the folder.
 */
export class AwsContent {
  readonly #o: AwsContentOptions;
  readonly #local = new Map<string, LocalFile>();
  /** ETags of files by which they could not be imported. */
  readonly #failed = new Map<string, string>();
  /** Sources that Airflow showed, by DAG, with the time at which it read them. */
  readonly #sources = new Map<string, { readonly readAt: number; readonly text: string }>();

  constructor(options: AwsContentOptions) {
    this.#o = options;
  }

  async look(): Promise<LiveContent> {
    const { bucket, prefix } = this.#o.place;
    const listed = await this.#o.s3.list(bucket, prefix);
    const objects = new Map(
      listed.flatMap((one) => (one.key.endsWith('/') ? [] : [[one.key.slice(prefix.length), one] as const])),
    );
    const [dags, errors] = await Promise.all([
      this.#o.airflow.dags(objects),
      this.#o.airflow.importErrors(objects),
    ]);
    const files: LiveFile[] = [];
    for (const [path, object] of objects)
      files.push(await this.#fileOf(path, object, dags.get(path) ?? [], errors.get(path)));
    const gone = [...dags.keys()].filter((path) => !objects.has(path));
    for (const path of gone) files.push({ Path: path, At: 0, State: 'leaving' });
    const version = [...objects].map(([path, { etag }]) => `${path}\0${etag}`).sort();
    return {
      Version: hashOf('sha256', Buffer.from(version.join('\n'))).slice(0, 16),
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
    const local = await this.#localFile(path);
    const isSame = local?.md5 === object.etag;
    const file = { Path: path, At: object.at / 1000, Sha256: isSame ? local.sha256 : `etag ${object.etag}` };
    if (error !== undefined) {
      if (!this.#isOf(path, object, error.at)) return { ...file, State: 'waiting' };
      const { line, message } = importErrorOf(path, error.text);
      const shown = { Message: message, ...(line === undefined ? {} : { Line: line }) };
      return { ...file, State: 'failed', ReadAt: error.at / 1000, Error: shown };
    }
    if (dags.length === 0) {
      if (isSame && definesDag(local.text)) return { ...file, State: 'waiting' };
      return { ...file, At: (object.at + syncTime) / 1000, State: 'no-dag' };
    }
    const isRead = isSame ? await this.#hasRead(path, local.text, object, dags) : true;
    const readAt = Math.max(...dags.map(({ at }) => at));
    const read = { ReadAt: readAt / 1000, Dags: dags.map(({ id }) => id) };
    return { ...file, ...read, State: isRead ? 'read' : 'waiting' };
  }

  /** Whether an error is about this object, and not about the one that was there before. */
  #isOf(path: string, { etag, at }: ListedObject, errorAt: number): boolean {
    const before = this.#failed.get(path);
    if (before !== undefined && before !== etag && errorAt < at + syncTime) return false;
    this.#failed.set(path, etag);
    return true;
  }

  /** The source of an archive is not shown: then the time has to do. */
  async #hasRead(
    path: string,
    text: string,
    object: ListedObject,
    dags: readonly ReadDag[],
  ): Promise<boolean> {
    const [dag] = dags;
    if (dag === undefined || !path.endsWith('.py')) return dags.every(({ at }) => at >= object.at + syncTime);
    const known = this.#sources.get(dag.id);
    const source =
      known?.readAt === dag.at ? known : { readAt: dag.at, text: await this.#o.airflow.source(dag) };
    this.#sources.set(dag.id, source);
    return asRead(source.text) === asRead(text);
  }

  async #localFile(path: string): Promise<LocalFile | undefined> {
    const file = join(this.#o.from, path);
    const stamp = await stampOf(file).catch(() => undefined);
    if (stamp === undefined) return undefined;
    const known = this.#local.get(path);
    if (known?.stamp === stamp) return known;
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const read = { stamp, md5: hashOf('md5', bytes), sha256: hashOf('sha256', bytes), text: String(bytes) };
    this.#local.set(path, read);
    return read;
  }
}
