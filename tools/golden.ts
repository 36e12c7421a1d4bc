// Makes what every new data folder would make again: PostgreSQL's cluster, and Airflow with the template of its
// database. Nothing of one installation is in it: no secret, no database of a server, no environment.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bases } from '../src/airflow/base.ts';
import { Installer } from '../src/airflow/installer.ts';
import { migrateCommands, runMigration } from '../src/airflow/local/template.ts';
import { packageSources } from '../src/airflow/package-index.ts';
import { findVersion } from '../src/airflow/versions.ts';
import { type DataFolder, dataFolder } from '../src/config/data-folder.ts';
import { codeOf } from '../src/lib/errors.ts';
import { silentLog } from '../src/lib/log.ts';
import { type ServerAccounts, serverAccounts } from '../src/server/accounts.ts';
import { makeDataFolder } from '../src/server/folders.ts';
import { startEmbedded } from '../src/server/own-database.ts';
import type { DatabaseServer } from '../src/store/database-server.ts';
import { metadataDatabases } from '../src/store/metadata-databases.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const versions = ['2.7.2', '3.3.1'] as const;
const deadline = 8 * 60_000;
/** What the golden folders depend on, besides Python. */
const sources = ['src/airflow', 'src/store', 'package-lock.json', 'tools/golden.ts'];

export interface GoldenOptions {
  readonly cache: string;
  /** The Python that installs. */
  readonly python: unknown;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const filesBelow = (path: string): readonly string[] =>
  statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));

/** Changes with everything that is in the folders. */
const keyOf = (python: unknown): string => {
  const hash = createHash('sha256').update(JSON.stringify([python, versions]));
  const files = sources.flatMap((source) => filesBelow(join(root, source)));
  for (const file of files.filter((name) => !name.endsWith('.test.ts')).sort())
    hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
};

interface World {
  readonly folders: DataFolder;
  readonly accounts: ServerAccounts | undefined;
  readonly env: GoldenOptions['env'];
}

const withPostgres = async (w: World, work: (server: DatabaseServer) => Promise<void>): Promise<void> => {
  const { server, postgres } = await startEmbedded({ ...w, log: silentLog });
  try {
    await work(server);
  } finally {
    await postgres.stop();
  }
};

const installAirflow = async (
  w: World,
  server: DatabaseServer,
  bases: Bases,
  name: string,
  signal: AbortSignal,
): Promise<void> => {
  const version = findVersion(name);
  if (!version) throw new Error(`Airflow ${name} is not known`);
  const report = () => {};
  const base = await bases.ensure(version, report, signal);
  const installer = w.accounts?.installer;
  await metadataDatabases(server).ensureTemplate(base.hash, (address) =>
    runMigration({
      ...{ commands: migrateCommands, version, base, cache: w.folders.cache, account: installer },
      ...{ userName: userInfo().username, databasePeer: server.peer, pidNamespace: undefined },
      ...{ address, report, signal },
    }),
  );
};

const basesOf = ({ folders, accounts, env }: World): Bases =>
  new Bases(
    folders.bases,
    new Installer({
      ...{ cache: folders.cache, programs: folders.programs, sources: packageSources(env) },
      ...{ installer: accounts?.installer, python: undefined, pidNamespace: undefined },
      path: env['PATH'] ?? '/usr/bin:/bin',
    }),
  );

/** All of them, or none goes on. */
const installAll = async (w: World, server: DatabaseServer): Promise<void> => {
  const bases = basesOf(w);
  const failed = new AbortController();
  const signal = AbortSignal.any([AbortSignal.timeout(deadline), failed.signal]);
  const all = versions.map((version) => installAirflow(w, server, bases, version, signal));
  try {
    await Promise.all(all);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(all);
    throw error;
  }
};

const keep = (data: string, names: readonly string[], target: string): void => {
  mkdirSync(target);
  for (const name of names) execFileSync('cp', ['-a', join(data, name), target], { timeout: 120_000 });
};

const make = async (folder: string, env: GoldenOptions['env']): Promise<void> => {
  const data = join(folder, 'data');
  const world = { folders: dataFolder(data, env), accounts: await serverAccounts(isRoot, 'golden'), env };
  makeDataFolder(world.folders, isRoot);
  await withPostgres(world, async () => {});
  keep(data, ['postgres', 'programs'], join(folder, 'plain'));
  await withPostgres(world, (server) => installAll(world, server));
  const airflow = join(folder, 'airflow');
  mkdirSync(airflow);
  for (const name of ['bases', 'postgres', 'programs']) renameSync(join(data, name), join(airflow, name));
  rmSync(data, { recursive: true });
  writeManifest(folder);
};

/** Every file that suites link to instead of copying it, with its size. */
const manifestOf = (folder: string): string => join(folder, 'sizes.json');

const writeManifest = (folder: string): void => {
  const bases = join(folder, 'airflow', 'bases');
  const sizes = filesBelow(bases).map((file) => [relative(folder, file), statSync(file).size] as const);
  writeFileSync(manifestOf(folder), JSON.stringify(sizes));
};

/** Files of a golden folder that are gone or have another size: somebody wrote through a link to them. */
export const damagedFiles = (folder: string): readonly string[] => {
  const sizes = JSON.parse(readFileSync(manifestOf(folder), 'utf8')) as readonly [string, number][];
  return sizes
    .filter(([file, size]) => statSync(join(folder, file), { throwIfNoEntry: false })?.size !== size)
    .map(([file]) => file);
};

const move = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    const beside = `${to}.tmp`;
    rmSync(beside, { recursive: true, force: true });
    execFileSync('cp', ['-a', from, beside], { timeout: 300_000 });
    renameSync(beside, to);
  }
};

/**
 * The folder with `plain/` (a cluster, PostgreSQL's programs) and `airflow/` (those, and Airflow installed), made when
 * it is not there; earlier ones are removed. Each account has its own: PostgreSQL refuses a cluster of another.
 */
export const golden = async ({ cache, python, env }: GoldenOptions): Promise<string> => {
  const prefix = `golden-${process.geteuid?.()}-`;
  const target = join(cache, `${prefix}${keyOf(python)}`);
  if (existsSync(target) && damagedFiles(target).length === 0) return target;
  // accounts of the server must get through to it, which they may not below the checkout
  const folder = mkdtempSync('/tmp/windsock-golden-');
  chmodSync(folder, 0o755);
  try {
    await make(folder, env);
    const earlier = readdirSync(cache).filter((one) => one.startsWith(prefix));
    for (const name of earlier) rmSync(join(cache, name), { recursive: true, force: true });
    move(folder, target);
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
