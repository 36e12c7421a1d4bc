import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isRoot } from './accounts.ts';
import type { Place } from './server.ts';
import { tools } from './tools.ts';

const copy = async (...args: readonly string[]): Promise<void> => {
  await promisify(execFile)('cp', [...args], { timeout: 120_000 });
};

/** The files of an installed Airflow version: a folder, and two files that say what it was made of. */
const filesOf = (bases: string, version: string): readonly string[] =>
  readdirSync(bases)
    .filter((name) => name.startsWith(`airflow-${version}-`) || name === `${version}.json`)
    .map((name) => join(bases, name));

/** Nobody writes to what is installed: where they can be, the files are the same ones. */
const install = async (bases: string, data: string, versions: readonly string[]): Promise<void> => {
  const target = join(data, 'bases');
  mkdirSync(target, { mode: 0o755 });
  const files = versions.flatMap((version) => filesOf(bases, version));
  const how = statSync(bases).dev === statSync(data).dev ? '-al' : '-a';
  if (files.length > 0) await copy(how, ...files, target);
};

/**
 * Makes the data folder of a place with what every first start would make: PostgreSQL and its cluster, and the Airflow
 * versions that tools/test-setup.ts has installed, with the templates of their databases. Secrets, database and
 * environments are for the server to make. Does nothing where the folder is there, or nothing was prepared.
 */
export const prepare = async ({ data }: Place, airflow: readonly string[] = []): Promise<void> => {
  const { golden } = tools();
  if (golden === undefined || existsSync(data)) return;
  const from = join(golden, airflow.length > 0 ? 'airflow' : 'plain');
  mkdirSync(data);
  chmodSync(data, isRoot ? 0o755 : 0o700);
  // by it a server knows a data folder
  mkdirSync(join(data, 'secrets'), { mode: 0o700 });
  await copy('-a', join(from, 'postgres'), join(from, 'programs'), data);
  if (airflow.length > 0) await install(join(from, 'bases'), data, airflow);
};
