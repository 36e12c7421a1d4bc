import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { type LocalDriverOptions, placesFor, seenFor, versionOf } from './context.ts';
import { readSecrets } from './folders.ts';
import { bundle } from './parse-requests.ts';

/** Epoch milliseconds, and how many errors and DAGs it found: an error also where the parser ended without a word. */
export interface Reading {
  readonly began: number;
  readonly ended: number;
  readonly errors: number;
  readonly dags: number;
}

/** What Airflow made of its DAG files, by path relative to the DAGs folder. */
export interface ParseResults {
  /** Files that define DAGs. */
  readonly read: ReadonlyMap<string, readonly { readonly dag: string; readonly at: number }[]>;
  /**
   * The last reading of each file that the DAG processor knows, as it says: `soon` of one that it has not read yet.
   * Undefined where it says nothing: then only the end is known, of files with a DAG or an error.
   */
  readonly readings: ReadonlyMap<string, Reading | 'soon'> | undefined;
  /** Files that failed to import, with Airflow's whole text. */
  readonly failed: ReadonlyMap<string, { readonly text: string; readonly at: number }>;
}

/** Rows that one look takes: an environment writes what it likes into its own tables. */
const mostRows = 20_000;

const milliseconds = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

const statements = {
  2: {
    read: `select left(fileloc::text, 1200) as file, left(dag_id::text, 250) as dag, ${milliseconds('last_parsed_time')} as at
      from public.dag where is_active and not coalesce(is_subdag, false) order by fileloc limit ${mostRows}`,
    failed: `select left(filename::text, 1200) as file, left(stacktrace::text, 20000) as text, ${milliseconds('timestamp')} as at
      from public.import_error order by id limit 1000`,
  },
  3: {
    read: `select left(relative_fileloc::text, 1200) as file, left(dag_id::text, 250) as dag, ${milliseconds('last_parsed_time')} as at
      from public.dag where not is_stale and bundle_name = '${bundle}' order by relative_fileloc limit ${mostRows}`,
    failed: `select left(filename::text, 1200) as file, left(stacktrace::text, 20000) as text, ${milliseconds('timestamp')} as at
      from public.import_error where bundle_name = '${bundle}' order by id limit 1000`,
  },
} as const;

/** `/usr/local/airflow/dags/pack.zip/inner.py` → `pack.zip`: the file that was published. */
const publishedPath = (file: unknown, dags: string): string => {
  const text = String(file);
  const relative = text.startsWith(`${dags}/`) ? text.slice(dags.length + 1) : text;
  return relative.replace(/(\.zip)\/.*$/s, '$1');
};

/** Bytes of the file that the environment's account writes; what is larger is not read. */
const mostReported = 2 * 1024 * 1024;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const readingOf = (given: unknown): Reading | 'soon' | undefined => {
  if (!Array.isArray(given)) return undefined;
  if (given.length === 0) return 'soon';
  // one of an earlier shim has no number of DAGs
  const [began, ended, errors, dags = 0] = given as unknown[];
  if (!isNumber(began) || !isNumber(ended) || !isNumber(errors) || !isNumber(dags)) return undefined;
  return { began, ended, errors, dags };
};

/** The environment's account writes this text. */
const parsedReport = (text: string): ReadonlyMap<string, Reading | 'soon'> => {
  const { files } = JSON.parse(text) as { files?: unknown };
  if (typeof files !== 'object' || files === null) throw new Error('no files');
  return new Map(
    Object.entries(files).flatMap(([path, given]) => {
      const reading = readingOf(given);
      return reading === undefined ? [] : [[path, reading]];
    }),
  );
};

/** Reads no link, no pipe and nothing large. */
const readReport = async (file: string): Promise<ParseResults['readings']> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > mostReported) return undefined;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
    return parsedReport(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
};

const timeOf = (value: unknown): number => (isNumber(value) ? value : 0);

/** Asks the environment's own tables with its own rights. @throws what the database says */
export const parseResults = async (o: LocalDriverOptions, e: EnvironmentRecord): Promise<ParseResults> => {
  const { databasePassword } = readSecrets(placesFor(o, e.id));
  const { dags } = seenFor(o, e);
  // before the tables: what it says was read stands in them
  const readings = await readReport(placesFor(o, e.id).readFiles);
  const { read, failed } = statements[versionOf(e).major];
  const [readRows = [], failedRows = []] = await o.databases.ask(e.id, databasePassword, [
    { text: read },
    { text: failed },
  ]);
  const results = { read: new Map<string, { dag: string; at: number }[]>(), failed: new Map(), readings };
  for (const row of readRows) {
    const path = publishedPath(row['file'], dags);
    const known = results.read.get(path) ?? [];
    known.push({ dag: String(row['dag']), at: timeOf(row['at']) });
    results.read.set(path, known);
  }
  for (const row of failedRows)
    results.failed.set(publishedPath(row['file'], dags), {
      text: String(row['text']),
      at: timeOf(row['at']),
    });
  return results;
};
