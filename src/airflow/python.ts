import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { WindsockError } from '../lib/errors.ts';
import { type Account, run } from '../lib/process.ts';

/** An interpreter that the accounts which run Airflow can execute. */
export interface Python {
  readonly file: string;
  /** `3.11.7` */
  readonly version: string;
}

/** Modules that some distributions leave out and Airflow needs. */
const probe = 'import ssl, sqlite3, ctypes, zlib, lzma, platform; print(platform.python_version())';

const tryPython = async (file: string, account: Account | undefined): Promise<Python | undefined> => {
  if (!existsSync(file)) return undefined;
  const result = await run(file, ['-I', '-c', probe], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    account,
    timeout: 20_000,
  }).catch(() => undefined);
  return result?.exitCode === 0 ? { file, version: result.stdout.trim() } : undefined;
};

const matches = (python: Python | undefined, wanted: string): python is Python =>
  python?.version.startsWith(`${wanted}.`) === true;

/** A link may lead into a folder that others cannot enter: what counts is the file it ends at. */
const candidates = (wanted: string, path: string): string[] => {
  const folders = ['/usr/bin', '/usr/local/bin', ...path.split(delimiter).filter((f) => f.startsWith('/'))];
  const files = folders.map((folder) => join(folder, `python${wanted}`)).filter((file) => existsSync(file));
  return [...new Set(files.map((file) => realpathSync(file)))];
};

export interface PythonOptions {
  /** Python versions that will do, the preferred one first. */
  readonly wanted: readonly string[];
  /** The one the settings name. */
  readonly named: string | undefined;
  readonly path: string;
  /** Accounts that must be able to run it. */
  readonly account: Account | undefined;
  /** Lets uv install that version into the data folder and gives its file. */
  readonly install: (wanted: string) => Promise<string>;
}

/**
 * Finds a Python on this machine, else lets uv install one.
 * @throws WindsockError NoPython
 */
export const findPython = async (o: PythonOptions): Promise<Python> => {
  if (o.named !== undefined) {
    const python = await tryPython(o.named, o.account);
    if (o.wanted.some((wanted) => matches(python, wanted))) return python as Python;
    throw new WindsockError(
      'NoPython',
      `${o.named} is not a Python ${o.wanted.join(' or ')} that ${o.account ? `the account ${o.account.name}` : 'this account'} can run`,
    );
  }
  for (const wanted of o.wanted) {
    for (const file of candidates(wanted, o.path)) {
      const python = await tryPython(file, o.account);
      if (matches(python, wanted)) return python;
    }
  }
  const preferred = o.wanted[0] ?? '3.11';
  const python = await tryPython(await o.install(preferred), o.account);
  if (matches(python, preferred)) return python;
  throw new WindsockError(
    'NoPython',
    `The Python ${preferred} that was installed into the data folder does not run`,
  );
};
