import type { ContentFile } from '../../environments/content.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { importErrorOf } from '../../lib/import-error.ts';
import { userOption } from '../user-options.ts';
import type { ParseResults, Reading } from './parse-results.ts';

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
type Outcome = Pick<ContentFile, 'state' | 'readAt' | 'dags' | 'leavingDags' | 'error'>;

/** Milliseconds within which one reading notes all DAGs of a file. */
const oneReading = 2_000;

const newest = (dags: Dags): number => dags.reduce((most, { at }) => Math.max(most, at), 0);

/** The DAGs that were noted from then on, and those that are in the table only because Airflow has not let them go yet. */
const dagsSince = (dags: Dags, from: number): Pick<Outcome, 'dags' | 'leavingDags'> => {
  const names = (all: Dags): readonly string[] => all.map(({ dag }) => dag);
  const [now, left] = [dags.filter(({ at }) => at >= from), dags.filter(({ at }) => at < from)];
  return {
    ...(now.length > 0 ? { dags: names(now) } : {}),
    ...(left.length > 0 ? { leavingDags: names(left) } : {}),
  };
};

/** What a reading came to; rows of before it say nothing about it. */
const outcomeOf = (path: string, reading: Reading, results: ParseResults): Outcome => {
  const { began, ended, errors } = reading;
  const bad = results.failed.get(path);
  const dags = dagsSince(results.read.get(path) ?? [], began);
  if (bad && bad.at >= began)
    return { state: 'failed', readAt: ended, ...dags, error: importErrorOf(path, bad.text) };
  if (errors !== 0) return { state: 'failed', readAt: ended, ...dags, error: endedWithoutAWord };
  if (reading.dags > 0 && !dags.dags) return { state: 'failed', readAt: ended, ...dags, error: takenDagIds };
  return { state: dags.dags ? 'read' : 'no-dag', readAt: ended, ...dags };
};

/** Airflow notes one file for each DAG id, the one that it read last. */
const takenDagIds = {
  line: undefined,
  message:
    'Its DAGs have ids that DAGs of another file have, too: Airflow shows those of the file that it read last',
};

const endedWithoutAWord = {
  line: undefined,
  message: 'Airflow ended the program that read this file, or it ended by itself, without an error in it',
};

const isAwaited = ({ mayDefineDags, at }: PublishedFile, { now, silence }: Look): boolean =>
  mayDefineDags && Math.abs(now - at) < silence;

/** Where the DAG processor says nothing, only what Airflow noted of files with a DAG or an error is known. */
const outcomeByTables = (file: PublishedFile, results: ParseResults, look: Look): Outcome => {
  const [good = [], bad] = [results.read.get(file.path), results.failed.get(file.path)];
  if (bad && bad.at >= file.at)
    return { state: 'failed', readAt: bad.at, error: importErrorOf(file.path, bad.text) };
  const readAt = newest(good);
  if (good.length > 0 && readAt >= file.at)
    return { state: 'read', readAt, ...dagsSince(good, readAt - oneReading) };
  return { state: isAwaited(file, look) ? 'waiting' : 'no-dag', readAt: undefined };
};

const outcome = (given: PublishedFile, results: ParseResults, look: Look): Outcome => {
  // the clock was set back since
  const file = given.at > look.now ? { ...given, at: 0 } : given;
  if (results.readings === undefined) return outcomeByTables(file, results, look);
  const reading = results.readings.get(file.path);
  if (reading === undefined)
    return { state: isAwaited(file, look) ? 'waiting' : 'no-dag', readAt: undefined };
  if (reading === 'soon' || reading.began < file.at) return { state: 'waiting', readAt: undefined };
  return outcomeOf(file.path, reading, results);
};

/** What became of each file since it came here; of all of them nothing is known without results. */
export const dagFiles = (
  published: readonly PublishedFile[],
  results: ParseResults | undefined,
  look: Look,
): readonly ContentFile[] => {
  const files = published.map((file): ContentFile => {
    const { path, sha256, at } = file;
    const unknown = { state: 'unknown', readAt: undefined } as const;
    return { path, sha256, at, ...(results ? outcome(file, results, look) : unknown) };
  });
  const there = new Set(published.map(({ path }) => path));
  const leaving = [...(results?.read.keys() ?? [])].filter((path) => !there.has(path));
  const gone = { sha256: undefined, at: look.now, readAt: undefined, state: 'leaving' } as const;
  return [...files, ...leaving.map((path) => ({ path, ...gone }))];
};
