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
  /** `known` says which paths are files: what is in an archive belongs to the archive. */
  dags(known: ReadonlyMap<string, unknown>): Promise<ReadonlyMap<string, readonly ReadDag[]>>;
  importErrors(
    known: ReadonlyMap<string, unknown>,
  ): Promise<ReadonlyMap<string, { readonly at: number; readonly text: string }>>;
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

/** The most that Airflow gives at once unless it is told otherwise (`api.maximum_page_limit`). */
const pageSize = 100;

/** Entries that are looked at: more is no environment of Amazon MWAA. */
const mostEntries = 20_000;

/** Where Amazon MWAA has the DAGs of an environment. */
const dagsFolder = '/usr/local/airflow/dags/';

/** `/usr/local/airflow/dags/pack.zip/inner.py` → `pack.zip`, where that is a file. */
const pathOf = (file: string, known: ReadonlyMap<string, unknown>): string => {
  const path = file.startsWith(dagsFolder) ? file.slice(dagsFolder.length) : file.replace(/^.*\/dags\//, '');
  const archive = /^(.*?\.zip)\//.exec(path)?.[1];
  return archive !== undefined && known.has(archive) ? archive : path;
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
    dags: async (known) => {
      const byPath = new Map<string, ReadDag[]>();
      const found = await pages('/dags', dagPage, ({ dags }) => dags.length);
      for (const dag of found.flatMap(({ dags }) => dags)) {
        const path = pathOf(dag.relative_fileloc ?? dag.fileloc, known);
        const read = {
          id: dag.dag_id,
          fileToken: dag.file_token ?? undefined,
          at: timeOf(dag.last_parsed_time),
        };
        byPath.set(path, [...(byPath.get(path) ?? []), read]);
      }
      return byPath;
    },
    importErrors: async (known) => {
      const found = await pages('/importErrors', errorPage, ({ import_errors }) => import_errors.length);
      return new Map(
        found
          .flatMap((page) => page.import_errors)
          .map(({ filename, stack_trace: text, timestamp }) => [
            pathOf(filename, known),
            { text, at: timeOf(timestamp) },
          ]),
      );
    },
    source: async ({ id, fileToken }) => {
      const which = major === 2 ? (fileToken ?? '') : id;
      const path = `/dagSources/${encodeURIComponent(which)}`;
      const { content } = await getFromAirflow(api, z.object({ content: z.string() }), name, path);
      return content;
    },
  };
};
