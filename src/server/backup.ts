import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DataFolder } from '../config/data-folder.ts';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { removeStaleTemporaries, temporaryName } from '../lib/make-once.ts';
import { ownVersion } from '../lib/own-version.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import { pack, type TarSource } from '../lib/tar.ts';
import { oneFile, walk } from '../lib/walk.ts';
import { livingEnvironments } from '../store/backup-facts.ts';
import { clusterMajor } from '../store/postgres/cluster.ts';
import { clusterEntries } from '../store/postgres/online-backup.ts';
import type { ServerAccounts } from './accounts.ts';
import {
  type BackupEnd,
  type BackupHead,
  backupFormat,
  endName,
  headName,
  platform,
} from './backup-format.ts';
import { installationId } from './folders.ts';
import { clusterFolder, type Embedded, startEmbedded, stopUnlessUsed } from './own-database.ts';

export interface BackupOptions {
  readonly folders: DataFolder;
  readonly accounts: Pick<ServerAccounts, 'postgres'> | undefined;
  /** Absolute. */
  readonly file: string;
  readonly taskLogs: boolean;
  readonly log: Log;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface BackupResult {
  readonly file: string;
  readonly bytes: number;
  /** Names. */
  readonly environments: readonly string[];
  /** Seconds. */
  readonly took: number;
}

/** Of an environment: what is not made anew at its next start. Never the processes that were started for it. */
const ofEnvironment = new Set([
  ...['config', 'dags', 'plugins', 'requirements', 'startup', 'home'],
  ...['secrets.json', 'content.json'],
]);

/** What is being uploaded to a bucket: nobody was told that it is there. */
const isTemporary = (path: string): boolean => path.split('/')[1] === 't';

const jsonEntry = (path: string, value: BackupHead | BackupEnd): TarSource => {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const content = Readable.from([bytes]);
  return { path, kind: 'file', mode: 0o600, modified: Date.now(), size: bytes.length, content };
};

const environmentFolders = (folders: DataFolder): readonly string[] =>
  readdirSync(folders.environments).filter((name) => /^[a-z0-9]{12}$/.test(name));

async function* environmentEntries(o: BackupOptions): AsyncGenerator<TarSource> {
  for (const id of environmentFolders(o.folders)) {
    const [root, named] = [join(o.folders.environments, id), `environments/${id}`];
    const wanted = (path: string): boolean => {
      const [first = '', second] = path.split('/');
      return ofEnvironment.has(first) && (o.taskLogs || first !== 'home' || second !== 'logs');
    };
    yield* walk(root, named, { wanted: (path) => wanted(path) && path.split('/')[0] !== 'home' });
    // Its DAGs may put links to files of others there: only what is their own is taken.
    const home = join(root, 'home');
    const owner = statSync(home, { throwIfNoEntry: false })?.uid;
    yield* walk(home, `${named}/home`, { wanted: (path) => wanted(`home/${path}`), owner });
  }
}

/**
 * The database before the folders: what it knows at its last moment is in a folder that is copied later. Secrets of
 * environments also before it, because one that is deleted meanwhile may take its folder away.
 */
async function* entries(
  o: BackupOptions,
  embedded: Embedded,
  end: () => Promise<BackupEnd>,
): AsyncGenerator<TarSource> {
  const { folders } = o;
  const cluster = clusterFolder(folders);
  yield jsonEntry(headName, {
    format: backupFormat,
    windsock: ownVersion(),
    postgres: clusterMajor(cluster) ?? '',
    platform,
    madeAt: new Date().toISOString(),
    installationId: installationId(folders),
  });
  for (const id of environmentFolders(folders))
    yield* oneFile(join(folders.environments, id, 'secrets.json'), `environments/${id}/secrets.json`);
  o.say('copying the databases');
  yield* clusterEntries(embedded.server.administrator('postgres'), cluster, 'postgres/data');
  o.say('copying keys, environments and buckets');
  yield* walk(folders.secrets, 'secrets');
  yield* oneFile(join(folders.root, 'settings.json'), 'settings.json');
  // where the folder is away, an environment keeps the DAGs that it has
  yield* oneFile(folders.followed, 'followed.json');
  yield* environmentEntries(o);
  yield* walk(folders.buckets, 'buckets');
  yield* walk(folders.bucketStore, 'bucket-store', { wanted: (path) => !isTemporary(path) });
  yield jsonEntry(endName, await end());
}

const write = async (o: BackupOptions, embedded: Embedded, temporary: string): Promise<readonly string[]> => {
  const hash = createHash('sha256');
  let names: readonly string[] = [];
  const end = async (): Promise<BackupEnd> => {
    names = (await livingEnvironments(embedded.server)).map((one) => one.name);
    return { sha256: hash.copy().digest('hex'), environments: [...names] };
  };
  const source = Readable.from(pack(entries(o, embedded, end), hash), { objectMode: false });
  const target = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(source, createGzip({ level: 1 }), target, { signal: o.signal });
  return names;
};

const check = (o: BackupOptions): void => {
  const { file, folders } = o;
  const fail = (code: string, text: string): never => {
    throw new WindsockError(code, text);
  };
  if (clusterMajor(clusterFolder(folders)) === undefined)
    fail(
      'NothingToBackUp',
      `There are no databases in ${folders.root}. Name the data folder of a server with --data.`,
    );
  if (`${file}/`.startsWith(`${folders.root}/`))
    fail(
      'BackupInside',
      `${file} is in the data folder itself. Name a file elsewhere, best on another disk.`,
    );
  if (existsSync(file)) fail('BackupExists', `${file} exists. Name another file, or remove it first.`);
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory())
    fail('NoSuchFolder', `${dirname(file)} is not a folder. Make it first.`);
};

const explained = (o: BackupOptions, error: unknown): unknown => {
  const code = codeOf(error);
  if (o.signal.aborted)
    return new WindsockError('Interrupted', 'The backup was interrupted; nothing was written.');
  if (code === 'ENOSPC')
    return new WindsockError('DiskFull', `No space is left for ${o.file}; nothing was written.`);
  if (code === 'EACCES' || code === 'EROFS')
    return new WindsockError(
      'BackupFailed',
      `The backup is not possible with this account: ${textOf(error)}. Run it as the account that runs the server.`,
    );
  return error;
};

/**
 * Writes everything that cannot be made anew into one file of mode 0600: databases, keys, environments, buckets. The
 * server may run meanwhile; PostgreSQL is started for it where it does not run. The file is whole or not there.
 * @throws WindsockError with a text for people
 */
export const backUp = async (o: BackupOptions): Promise<BackupResult> => {
  const begun = performance.now();
  const temporary = temporaryName(o.file);
  let embedded: Embedded | undefined;
  try {
    check(o);
    await removeStaleTemporaries(o.file);
    embedded = await startEmbedded(o);
    const environments = await write(o, embedded, temporary);
    renameSync(temporary, o.file);
    await syncFolder(dirname(o.file));
    const took = Math.round((performance.now() - begun) / 100) / 10;
    return { file: o.file, bytes: statSync(o.file).size, environments, took };
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explained(o, error);
  } finally {
    if (embedded) await finish(embedded);
  }
};

/** One that was found running stays; one that was started for this ends. */
const finish = async (embedded: Embedded): Promise<void> => {
  if (embedded.postgres.status().adopted) embedded.postgres.leave();
  else await stopUnlessUsed(embedded);
};
