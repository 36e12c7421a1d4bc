import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { type LocalDriverOptions, placesFor, seenFor, versionOf } from './context.ts';
import { readSecrets } from './folders.ts';
import { bundle } from './parse-requests.ts';

/** What Airflow made of its DAG files, by path relative to the DAGs folder. */
export interface ParseResults {
  /** Files that define DAGs. */
  readonly read: ReadonlyMap<string, readonly { readonly dag: string; readonly at: number }[]>;
  /**
   * When the last reading of each file began and ended, as the DAG processor says. Undefined where it says nothing: then
   * only the end is known, of files with a DAG or an error.
   */
  readonly times: ReadonlyMap<string, { readonly began: number; readonly ended: number }> | undefined;
  /** Files that failed to import, with Airflow's whole text. */
  readonly failed: ReadonlyMap<string, { readonly text: string; readonly at: number }>;
}

/** Rows that one look takes: an environment writes what it likes into its own tables. */
const mostRows = 20_000;

const milliseconds = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

const statements = {
  2: {
    read: `select left(fileloc, 1200) as file, left(dag_id, 250) as dag, ${milliseconds('last_parsed_time')} as at
      from dag where is_active and not coalesce(is_subdag, false) order by fileloc limit ${mostRows}`,
    failed: `select left(filename, 1200) as file, left(stacktrace, 20000) as text, ${milliseconds('timestamp')} as at
      from import_error order by id limit 1000`,
  },
  3: {
    read: `select left(relative_fileloc, 1200) as file, left(dag_id, 250) as dag, ${milliseconds('last_parsed_time')} as at
      from dag where not is_stale and bundle_name = '${bundle}' order by relative_fileloc limit ${mostRows}`,
    failed: `select left(filename, 1200) as file, left(stacktrace, 20000) as text, ${milliseconds('timestamp')} as at
      from import_error where bundle_name = '${bundle}' order by id limit 1000`,
  },
} as const;

/** `/usr/local/airflow/dags/pack.zip/inner.py` → `pack.zip`: the file that was published. */
const publishedPath = (file: unknown, dags: string): string => {
  const text = String(file);
  const relative = text.startsWith(`${dags}/`) ? text.slice(dags.length + 1) : text;
  return relative.replace(/(\.zip)\/.*$/s, '$1');
};

const reported = z.object({ files: z.record(z.string(), z.tuple([z.number(), z.number()])) });

/** Bytes of the file that the environment's account writes; what is larger is not read. */
const mostReported = 4 * 1024 * 1024;

/** Reads no link, no pipe and nothing large. */
const readTimes = async (file: string): Promise<ParseResults['times']> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > mostReported) return undefined;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
    const { files } = reported.parse(JSON.parse(buffer.toString('utf8', 0, bytesRead)));
    return new Map(Object.entries(files).map(([path, [began, ended]]) => [path, { began, ended }]));
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
};

/** Asks the environment's own tables with its own rights. @throws what the database says */
export const parseResults = async (o: LocalDriverOptions, e: EnvironmentRecord): Promise<ParseResults> => {
  const { databasePassword } = readSecrets(placesFor(o, e.id));
  const { dags } = seenFor(o, e.id);
  const { read, failed } = statements[versionOf(e).major];
  const ask = (text: string) => o.databases.ask(e.id, databasePassword, text, []);
  const results = {
    read: new Map<string, { dag: string; at: number }[]>(),
    failed: new Map(),
    times: await readTimes(placesFor(o, e.id).readFiles),
  };
  for (const row of await ask(read)) {
    const path = publishedPath(row['file'], dags);
    const known = results.read.get(path) ?? [];
    known.push({ dag: String(row['dag']), at: Number(row['at']) || 0 });
    results.read.set(path, known);
  }
  for (const row of await ask(failed))
    results.failed.set(publishedPath(row['file'], dags), {
      text: String(row['text']),
      at: Number(row['at']) || 0,
    });
  return results;
};
