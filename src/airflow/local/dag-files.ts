import type { ContentFile } from '../../environments/content.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { userOption } from '../user-options.ts';
import { importErrorOf } from './import-error.ts';
import type { ParseResults } from './parse-results.ts';

/** Airflow looks for DAGs in no other files. */
export const isDagName = (path: string): boolean => /\.(py|zip)$/.test(path);

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
 * `core.dagbag_import_timeout` (30 s unless the user says otherwise), after which there is an error.
 */
export const silenceFor = (record: EnvironmentRecord): number => {
  const given = Number(userOption(record, 'core', 'dagbag_import_timeout'));
  return 15_000 + 1_000 * (given > 0 && given < 3_600 ? given : 30);
};

/** The moment of a look, in epoch milliseconds, and how long a file may say nothing. */
interface Look {
  readonly now: number;
  readonly silence: number;
}

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

const isAwaited = (file: PublishedFile, { read, failed }: ParseResults, { now, silence }: Look): boolean =>
  (file.mayDefineDags || read.has(file.path) || failed.has(file.path)) && Math.abs(now - file.at) < silence;

const fileOf = (published: PublishedFile, results: ParseResults, look: Look): ContentFile => {
  const { path, sha256, at } = published;
  const readAt = readAtOf(published, results);
  const [good, bad] = [results.read.get(path), results.failed.get(path)];
  const file = { path, sha256, at, readAt };
  if (readAt === undefined) {
    const state = isAwaited(published, results, look) ? 'waiting' : 'no-dag';
    return { ...file, state };
  }
  if (bad) return { ...file, state: 'failed', error: importErrorOf(path, bad.text) };
  return good ? { ...file, state: 'read', ...dagsOf(good) } : { ...file, state: 'no-dag' };
};

/** What became of each file since it came here. */
export const dagFiles = (
  published: readonly PublishedFile[],
  results: ParseResults,
  look: Look,
): readonly ContentFile[] => {
  const there = new Set(published.map(({ path }) => path));
  const leaving = [...results.read.keys()].filter((path) => !there.has(path));
  const gone = { sha256: undefined, at: look.now, readAt: undefined, state: 'leaving' } as const;
  return [
    ...published.map((file) => fileOf(file, results, look)),
    ...leaving.map((path) => ({ path, ...gone })),
  ];
};
