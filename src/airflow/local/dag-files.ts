import type { ContentFile } from '../../environments/content.ts';
import { importErrorOf } from './import-error.ts';
import type { ParseResults } from './parse-results.ts';

/** A file below the DAGs folder, as it was published. */
export interface PublishedFile {
  readonly path: string;
  readonly sha256: string;
  /** Epoch milliseconds at which it came here. */
  readonly at: number;
  /** It may define DAGs, by Airflow's own rule. */
  readonly mayDefineDags: boolean;
}

/**
 * Milliseconds after which a file of which nothing is said has no DAG: `.airflowignore` may name it. Longer than
 * `dagbag_import_timeout`, after which there is an error.
 */
const silence = 45_000;

type Dags = readonly { readonly dag: string; readonly at: number }[];

const newest = (dags: Dags | undefined): number | undefined => dags && Math.max(...dags.map(({ at }) => at));

/** Milliseconds within which one reading notes all DAGs of a file. */
const oneReading = 2_000;

/** The DAGs of the last reading, and those that are in the table only because Airflow has not let them go yet. */
const dagsOf = (dags: Dags): Pick<ContentFile, 'dags' | 'leavingDags'> => {
  const from = (newest(dags) ?? 0) - oneReading;
  const names = (all: Dags): readonly string[] => all.map(({ dag }) => dag);
  const left = names(dags.filter(({ at }) => at < from));
  return {
    dags: names(dags.filter(({ at }) => at >= from)),
    ...(left.length > 0 ? { leavingDags: left } : {}),
  };
};

/** When Airflow read this file after it came here: began to, where that is known. Undefined when it has not. */
const readAtOf = ({ path, at }: PublishedFile, { read, failed, times }: ParseResults): number | undefined => {
  const time = times?.get(path);
  if (time) return time.began >= at ? time.ended : undefined;
  const ended = failed.get(path)?.at ?? newest(read.get(path));
  return ended !== undefined && ended >= at ? ended : undefined;
};

const isAwaited = (file: PublishedFile, { read, failed }: ParseResults, now: number): boolean =>
  (file.mayDefineDags || read.has(file.path) || failed.has(file.path)) && Math.abs(now - file.at) < silence;

const fileOf = (published: PublishedFile, results: ParseResults, now: number): ContentFile => {
  const { path, sha256, at } = published;
  const readAt = readAtOf(published, results);
  const [good, bad] = [results.read.get(path), results.failed.get(path)];
  const file = { path, sha256, at, readAt };
  if (readAt === undefined) {
    const state = isAwaited(published, results, now) ? 'waiting' : 'no-dag';
    return { ...file, state };
  }
  if (bad) return { ...file, state: 'failed', error: importErrorOf(path, bad.text) };
  return good ? { ...file, state: 'read', ...dagsOf(good) } : { ...file, state: 'no-dag' };
};

/** What became of each file since it came here. */
export const dagFiles = (
  published: readonly PublishedFile[],
  results: ParseResults,
  now: number,
): readonly ContentFile[] => {
  const there = new Set(published.map(({ path }) => path));
  const leaving = [...results.read.keys()].filter((path) => !there.has(path));
  const gone = { sha256: undefined, at: now, readAt: undefined, state: 'leaving' } as const;
  return [
    ...published.map((file) => fileOf(file, results, now)),
    ...leaving.map((path) => ({ path, ...gone })),
  ];
};
