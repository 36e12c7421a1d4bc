import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placesOf } from '../airflow/local/places.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { randomId } from '../lib/ids.ts';
import { type Account, run } from '../lib/process.ts';

/** A virtual environment needs 500 MB, PostgreSQL's start 100 MB. */
const leastFreeBytes = 1024 ** 3;

/** One folder after the other: making all of them at once never returns below /proc (Node 24). */
const makeAbove = (folder: string, mode: number): void => {
  if (existsSync(folder)) return;
  makeAbove(dirname(folder), mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // another server that starts on the same new folder was faster
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};

/** Makes a folder of ours with its mode. What stands there must be a folder that belongs to this account. */
const makeFolder = (folder: string, mode: number): void => {
  makeAbove(folder, mode);
  const found = lstatSync(folder);
  const own = process.geteuid?.();
  if (!found.isDirectory()) throw new Error(`${folder} is not a folder`);
  if (own !== 0 && found.uid !== own) throw new Error(`${folder} belongs to another account`);
  chmodSync(folder, mode);
};

/** What a user may put into a data folder before the first start. */
const ofUser = ['settings.json', 'buckets', 'lost+found'];

/** The folder itself: made by us, or empty, or one of ours; its mode stays as it is when it was there. */
const makeRoot = (f: DataFolder, mode: number): void => {
  if (!existsSync(f.root)) makeAbove(f.root, mode);
  if (!statSync(f.root).isDirectory()) throw new Error('it is not a folder');
  const stranger = readdirSync(f.root).find((name) => !ofUser.includes(name) && name !== basename(f.secrets));
  if (stranger !== undefined && !existsSync(f.secrets)) {
    throw new Error(`it holds other files, for instance ${stranger}`);
  }
};

const checkFreeSpace = (folder: string): void => {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= leastFreeBytes) return;
  const free = Math.round((bavail * bsize) / 1024 ** 2);
  throw new WindsockError(
    'DiskFull',
    `Only ${free} MiB are free for ${folder}; at least 1024 MiB are needed. Free some, or name another folder with --data.`,
  );
};

/**
 * Makes the data folder and checks that it can be used.
 * @throws WindsockError DataFolderUnusable, DiskFull
 */
export const makeDataFolder = (f: DataFolder, isRoot: boolean): void => {
  // As root other accounts must get through to what is theirs; as an ordinary account nobody else has business here.
  const outside = isRoot ? 0o755 : 0o700;
  try {
    makeRoot(f, outside);
    makeFolder(f.secrets, 0o700);
    for (const folder of [f.programs, f.postgres, f.sockets, f.bases, f.cache, f.logs])
      makeFolder(folder, outside);
    for (const folder of [f.environments, f.sets]) makeFolder(folder, isRoot ? 0o711 : 0o700);
    makeFolder(f.buckets, outside);
    makeFolder(f.trash, 0o700);
    makeFolder(f.bucketStore, 0o700);
    chmodSync(f.logs, 0o700);
  } catch (error) {
    const why =
      codeOf(error) === 'EACCES' || codeOf(error) === 'EROFS'
        ? 'this account may not write there'
        : textOf(error);
    throw new WindsockError(
      'DataFolderUnusable',
      `The data folder ${f.root} cannot be used: ${why}. Name another with --data.`,
      { cause: error },
    );
  }
  checkFreeSpace(f.root);
};

/**
 * Checks that another account gets through to the data folder.
 * @throws WindsockError DataFolderHidden
 */
export const checkReachable = async (f: DataFolder, account: Account): Promise<void> => {
  const result = await run('/usr/bin/test', ['-x', f.programs], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    account,
    timeout: 10_000,
  });
  if (result.exitCode === 0) return;
  throw new WindsockError(
    'DataFolderHidden',
    `The account ${account.name} cannot enter ${f.root}: a folder above it is closed to others. Name a folder such as /var/lib/windsock with --data.`,
  );
};

/** Every folder that programs write their logs to. */
export const logFolders = (f: DataFolder): readonly string[] => [
  f.logs,
  ...readdirSync(f.environments).flatMap((id) => foldersIn(placesOf(f.environments, id).componentLogs)),
];

/** The folders of an environment's logs, one a log group; none while it is being made. */
const foldersIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [join(folder, entry.name)] : [],
      )
    : [];

/** The id of this installation, made once: issuer of its tokens and assertions. */
export const installationId = (f: DataFolder): string => {
  const file = join(f.secrets, 'installation-id');
  if (!existsSync(file)) {
    // Two servers may start on one new folder: the link is made by one of them only.
    const own = `${file}.${process.pid}`;
    writeFileAtomic(own, randomId(20), { mode: 0o600 });
    try {
      linkSync(own, file);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }
  const id = readFileSync(file, 'utf8').trim();
  if (id !== '') return id;
  throw new WindsockError(
    'InstallationIdDamaged',
    `${file} is empty. Restore it from a backup: accounts and tokens of this data folder belong to it.`,
  );
};

/**
 * Takes away what a killed server left half: installs and migrations. What is large is removed in the background.
 */
export const sweepUnfinished = (f: DataFolder, failed: (error: unknown) => void): void => {
  const found = [
    ...readdirSync(f.bases)
      .filter((name) => name.endsWith('.tmp'))
      .map((name) => join(f.bases, name)),
    ...readdirSync(f.sets)
      .filter((name) => name.endsWith('.tmp'))
      .map((name) => join(f.sets, name)),
    ...readdirSync(f.cache)
      .filter((name) => /^(migrate|packages)-/.test(name))
      .map((name) => join(f.cache, name)),
  ];
  for (const folder of found) renameSync(folder, join(f.trash, `unfinished-${randomId(12)}`));
  for (const name of readdirSync(f.trash).filter((entry) => entry.startsWith('unfinished-')))
    rm(join(f.trash, name), { recursive: true, force: true }).catch(failed);
};

const hashFolder = (folder: string): string => {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex').slice(0, 16);
};

/** Copies the Python shim into the data folder, by content: it outlives the server. Gives the folder. */
export const installShim = (f: DataFolder): string => {
  const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'airflow', 'shim');
  const target = join(f.programs, `shim-${hashFolder(source)}`);
  if (existsSync(target)) return target;
  rmSync(`${target}.tmp`, { recursive: true, force: true });
  cpSync(source, `${target}.tmp`, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  for (const entry of readdirSync(`${target}.tmp`, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  chmodSync(`${target}.tmp`, 0o755);
  renameSync(`${target}.tmp`, target);
  return target;
};
