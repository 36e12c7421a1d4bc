import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { accountOf, type LocalDriverOptions, placesFor, versionOf } from './context.ts';
import { readSecrets } from './folders.ts';

/** How Airflow 3 calls the DAGs folder: `LocalDagBundle` of its default configuration. */
export const bundle = 'dags-folder';

/** The table by which Airflow's own REST API asks for a file (airflow/models/dagbag.py, DagPriorityParsingRequest). */
const insertRequests = `insert into public.dag_priority_parsing_request (id, bundle_name, relative_fileloc)
  select md5($1 || ':' || path), $1, path from unnest($2::text[]) as path on conflict do nothing`;

const requestsFile = z.object({
  requests: z.array(z.object({ number: z.number(), paths: z.array(z.string()) })),
});
type Requests = z.infer<typeof requestsFile>['requests'];

/** What is kept: a DAG processor that is busy looks at the file seconds later. */
const most = { requests: 20, paths: 20_000 } as const;

/** The newest ones, and the last of all in any case. */
const kept = (requests: Requests): Requests => {
  let paths = 0;
  const from = requests.findLastIndex((request, at) => {
    paths += request.paths.length;
    return paths > most.paths && at < requests.length - 1;
  });
  return requests.slice(from + 1).slice(-most.requests);
};

const readRequests = (file: string): Requests => {
  try {
    return existsSync(file) ? requestsFile.parse(JSON.parse(readFileSync(file, 'utf8'))).requests : [];
  } catch {
    return [];
  }
};

/**
 * Asks an environment's Airflow to look at DAG files before all others, new, changed or gone: on Airflow 3 by rows in its
 * database, on Airflow 2 by a file that the shim reads (`windsock_parsing.py`). Paths are relative to the DAGs folder.
 * @throws when the database refuses
 */
export const askToParse = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  paths: readonly string[],
): Promise<void> => {
  if (paths.length === 0) return;
  if (versionOf(e).major === 3) {
    const { databasePassword } = readSecrets(placesFor(o, e.id));
    await o.databases.ask(e.id, databasePassword, [{ text: insertRequests, values: [bundle, paths] }]);
  } else writeRequest(o, e.id, paths);
};

const writeRequest = (o: LocalDriverOptions, id: EnvironmentId, paths: readonly string[]): void => {
  const file = join(placesFor(o, id).config, 'changed-files.json');
  const before = readRequests(file);
  // numbers grow whatever the clock does
  const number = Math.max(0, ...before.map((request) => request.number)) + 1;
  const requests = kept([...before, { number, paths: [...paths] }]);
  const account = accountOf(o, id);
  writeFileAtomic(file, JSON.stringify({ requests }), {
    mode: 0o640,
    owner: account && { uid: 0, gid: account.gid },
  });
};
