import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Place } from './server.ts';
import { repository } from './tools.ts';

const source = fileURLToPath(new URL('./trivial-airflow', import.meta.url));
const path = process.env['PATH'] ?? '/usr/bin:/bin';

const realUv = (): string => {
  const folders = [join(repository, '.cache', 'uv-0.13.8'), ...path.split(delimiter)];
  const found = folders.map((folder) => join(folder, 'uv')).find((file) => existsSync(file));
  if (!found) throw new Error(`There is no uv in ${folders.join(', ')}`);
  return found;
};

const migrationsFile = (place: Place): string => join(place.folder, 'migrations');
const schedulersFile = ({ folder }: Place): string => join(folder, 'schedulers');

/**
 * Gives the servers of this place an Airflow of small processes instead of the real one, by a uv of our own that
 * comes first on PATH: everything else is the real product. Versions in `real` are installed as ever.
 * Gives the environment variables to start the server with.
 */
export const installTrivialAirflow = (
  place: Place,
  o: { readonly real?: readonly string[] } = {},
): Readonly<Record<string, string>> => {
  const folder = join(place.folder, 'trivial');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  for (const file of ['uv', 'python']) {
    cpSync(join(source, file), join(folder, file));
    chmodSync(join(folder, file), 0o755);
  }
  if (o.real) {
    cpSync(realUv(), join(folder, 'real-uv'), { dereference: true });
    chmodSync(join(folder, 'real-uv'), 0o755);
    writeFileSync(join(folder, 'real-versions'), o.real.map((version) => `${version}\n`).join(''));
  }
  // The processes of every environment write to them, each under an account of its own.
  for (const file of [schedulersFile(place), migrationsFile(place)]) {
    writeFileSync(file, '');
    chmodSync(file, 0o666);
  }
  return { PATH: `${folder}${delimiter}${path}` };
};

/** Every start of a trivial scheduler and every time that two ran at once, of environments that are gone too. */
export const schedulerStarts = (
  place: Place,
): readonly { readonly environmentId: string; readonly what: 'starts' | 'DOUBLE'; readonly pid: number }[] =>
  readFileSync(schedulersFile(place), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [environmentId = '', what, pid] = line.split(' ');
      return { environmentId, what: what === 'DOUBLE' ? 'DOUBLE' : 'starts', pid: Number(pid) };
    });

/** Every migration that was begun: the version whose Airflow did it, whether it went down, what it saw of `secrets`. */
export const migrations = (
  place: Place,
): readonly { readonly by: string; readonly down: boolean; readonly sees: 'open' | 'covered' }[] =>
  readFileSync(migrationsFile(place), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [by = '', downs, sees] = line.split(' ');
      return { by, down: downs === '1', sees: sees === 'covered' ? 'covered' : 'open' };
    });

/** From now on every migration fails with this text; with none they succeed again. */
export const failMigrations = (place: Place, text?: string): void => {
  const file = join(place.folder, 'migration-fails');
  if (text === undefined) rmSync(file, { force: true });
  else writeFileSync(file, text);
};
