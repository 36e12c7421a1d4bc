import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { getFromAirflow } from '../mwaa.ts';

/** A DAG, as Airflow read it last. */
export interface ReadDag {
  readonly id: string;
  /** Names the file in Airflow 2. */
  readonly fileToken: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What Airflow tells of the files in its DAGs folder, by their paths below it. */
export interface AirflowReader {
  dags(): Promise<ReadonlyMap<string, readonly ReadDag[]>>;
  importErrors(): Promise<ReadonlyMap<string, { readonly at: number; readonly text: string }>>;
  /** The source of the file that it is in. */
  source(dag: ReadDag): Promise<string>;
}

/** Both generations of the REST API: dags in /api/v1 have a file token, those in /api/v2 a path relative to their bundle. */
const dagPage = z.object({
  dags: z.array(
    z.object({
      dag_id: z.string(),
      fileloc: z.string(),
      relative_fileloc: z.string().nullish(),
      file_token: z.string().nullish(),
      last_parsed_time: z.string().nullish(),
    }),
  ),
  total_entries: z.number(),
});

const errorPage = z.object({
  import_errors: z.array(z.object({ filename: z.string(), stack_trace: z.string(), timestamp: z.string() })),
  total_entries: z.number(),
});

/** Airflow 2 gives the text itself to whoever does not ask for JSON. */
const sourceAnswer = z.union([z.string(), z.object({ content: z.string().nullish() })]);

/** The most that Airflow gives at once unless it is told otherwise (`api.maximum_page_limit`). */
const pageSize = 100;

/** Entries that are looked at: more is no environment of Amazon MWAA. */
const mostEntries = 20_000;

/** `/usr/local/airflow/dags/pack.zip/inner.py` → `pack.zip`: what is in an archive belongs to the archive. */
const pathOf = (file: string): string => {
  const path = file.startsWith('/') ? file.replace(/^.*?\/dags\//, '') : file;
  return /^(.*?\.zip)\//.exec(path)?.[1] ?? path;
};

const timeOf = (text: string | null | undefined): number => (text ? Date.parse(text) : 0);

/** Airflow of an environment of Amazon MWAA, over InvokeRestApi. */
export const airflowReader = (api: ApiClient, name: string, major: number): AirflowReader => {
  const pages = async <T extends { readonly total_entries: number }>(
    path: string,
    schema: z.ZodType<T>,
    countOf: (page: T) => number,
  ): Promise<readonly T[]> => {
    const all: T[] = [];
    for (let offset = 0; offset < mostEntries; ) {
      const page = await getFromAirflow(api, schema, name, path, { limit: pageSize, offset });
      all.push(page);
      offset += countOf(page);
      if (countOf(page) === 0 || offset >= page.total_entries) break;
    }
    return all;
  };
  return {
    dags: async () => {
      const byPath = new Map<string, ReadDag[]>();
      const found = await pages('/dags', dagPage, ({ dags }) => dags.length);
      for (const dag of found.flatMap(({ dags }) => dags)) {
        const path = pathOf(dag.relative_fileloc ?? dag.fileloc);
        const read = {
          id: dag.dag_id,
          fileToken: dag.file_token ?? undefined,
          at: timeOf(dag.last_parsed_time),
        };
        byPath.set(path, [...(byPath.get(path) ?? []), read]);
      }
      return byPath;
    },
    importErrors: async () => {
      const found = await pages('/importErrors', errorPage, ({ import_errors }) => import_errors.length);
      return new Map(
        found
          .flatMap((page) => page.import_errors)
          .map(({ filename, stack_trace: text, timestamp }) => [
            pathOf(filename),
            { text, at: timeOf(timestamp) },
          ]),
      );
    },
    source: async ({ id, fileToken }) => {
      const which = major === 2 ? (fileToken ?? '') : id;
      const path = `/dagSources/${encodeURIComponent(which)}`;
      const answer = await getFromAirflow(api, sourceAnswer, name, path);
      return typeof answer === 'string' ? answer : (answer.content ?? '');
    },
  };
};
