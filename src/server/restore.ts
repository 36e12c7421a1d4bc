import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stampAgain } from '../bucket/stamp-again.ts';
import { StoreFiles } from '../bucket/store-files.ts';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import { ensureAccount } from '../lib/accounts.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import { silentLog } from '../lib/log.ts';
import { staleTemporaries, temporaryName } from '../lib/make-once.ts';
import { run } from '../lib/process.ts';
import { closeDoors } from '../store/backup-facts.ts';
import { createBucketTable } from '../store/bucket-table.ts';
import { programsFor } from '../store/postgres/binaries.ts';
import { runningPostmaster, stopPostmaster } from '../store/postgres/postmaster.ts';
import { type ServerAccounts, serverAccounts } from './accounts.ts';
import type { BackupHead } from './backup-format.ts';
import { checkReachable, installationId, makeDataFolder } from './folders.ts';
import { clusterFolder, openOwnDatabase } from './own-database.ts';
import { prepareFolders } from './restore-accounts.ts';
import { unpackBackup } from './restore-files.ts';

export interface RestoreOptions {
  /** Absolute. */
  readonly file: string;
  /** The data folder: empty, or not there. Absolute. */
  readonly to: string;
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface RestoreResult {
  readonly data: string;
  /** ISO 8601. */
  readonly madeAt: string;
  /** Names. */
  readonly environments: readonly string[];
  /** Seconds. */
  readonly took: number;
}

const checkTarget = (to: string): void => {
  if (!existsSync(to) || readdirSync(to).length === 0) return;
  throw new WindsockError(
    'FolderInUse',
    `${to} is not empty. Restore into a folder that is empty or not there.`,
  );
};

/** Earlier restores that were killed: ends their PostgreSQL and removes what they unpacked. */
const removeStale = async (to: string): Promise<void> => {
  for (const stale of staleTemporaries(to)) {
    const cluster = join(stale, 'postgres', 'data');
    const running = runningPostmaster(cluster);
    if (running) await stopPostmaster(running, cluster);
    rmSync(stale, { recursive: true, force: true });
  }
};

const settle = async (o: RestoreOptions, folders: DataFolder, accounts: ServerAccounts | undefined) => {
  const own = await openOwnDatabase({ folders, accounts, url: undefined, log: silentLog });
  try {
    const living = await closeDoors(own.db);
    await stampAgain(createBucketTable(own.db), new StoreFiles(folders.bucketStore));
    const ids = new Set(living.map((one) => one.id));
    for (const name of readdirSync(folders.environments).filter((id) => !ids.has(id)))
      rmSync(join(folders.environments, name), { recursive: true, force: true });
    o.signal.throwIfAborted();
    await prepareFolders(folders, accounts, own.db, living, o.to);
    return living.map((one) => one.name);
  } finally {
    await own.stop();
  }
};

/** Everything is on the disk before the folder gets its name. */
const sync = async (folder: string): Promise<void> => {
  const result = await run('sync', ['-f', folder], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    timeout: 600_000,
  });
  if (result.exitCode !== 0)
    throw new WindsockError('NotOnDisk', `${folder} cannot be written to the disk: ${result.stderr.trim()}`);
};

const installPrograms = async (head: BackupHead, folders: DataFolder): Promise<void> => {
  try {
    await programsFor(head.postgres, folders.programs);
  } catch (cause) {
    if (!(cause instanceof WindsockError) || cause.code !== 'PostgresMajorMissing') throw cause;
    throw new WindsockError(
      'OtherPostgres',
      `This backup holds databases of PostgreSQL ${head.postgres}, which this Windsock does not bring. Restore it with Windsock ${head.windsock}, which made it, and update afterwards.`,
      { cause },
    );
  }
};

const fill = async (o: RestoreOptions, temporary: string): Promise<Omit<RestoreResult, 'took'>> => {
  const folders = dataFolder(temporary, o.env);
  makeDataFolder(folders, o.isRoot);
  const postgres = o.isRoot ? await ensureAccount('windsock-pg') : undefined;
  if (postgres) await checkReachable(folders, postgres);
  o.say('unpacking and checking');
  const { head } = await unpackBackup({ file: o.file, to: temporary, postgres, signal: o.signal }, (head) =>
    installPrograms(head, folders),
  );
  o.say('recovering the databases');
  const environments = await settle(o, folders, await serverAccounts(o.isRoot, installationId(folders)));
  rmSync(join(clusterFolder(folders), 'postmaster.opts'), { force: true });
  await sync(temporary);
  return { data: o.to, madeAt: head.madeAt, environments };
};

const explained = (o: RestoreOptions, error: unknown): unknown => {
  if (o.signal.aborted)
    return new WindsockError('Interrupted', 'The restore was interrupted; nothing was changed.');
  const code = codeOf(error);
  if (code === 'ENOENT' && !existsSync(o.file))
    return new WindsockError('NoBackup', `There is no file ${o.file}.`);
  if (code === 'ENOSPC')
    return new WindsockError('DiskFull', `No space is left for ${o.to}; nothing was changed.`);
  if (code === 'EBUSY')
    return new WindsockError('FolderInUse', `${o.to} is a mount point. Restore into a folder in it.`);
  return error;
};

/**
 * Makes a data folder from a backup, under a temporary name beside it: it gets its name once everything was checked,
 * the databases were recovered, and every token and session from before was made worthless.
 * @throws WindsockError with a text for people
 */
export const restore = async (o: RestoreOptions): Promise<RestoreResult> => {
  const begun = performance.now();
  checkTarget(o.to);
  if (existsSync(dirname(o.to))) await removeStale(o.to);
  const temporary = temporaryName(o.to);
  try {
    const done = await fill(o, temporary);
    renameSync(temporary, o.to);
    return { ...done, took: Math.round((performance.now() - begun) / 100) / 10 };
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw explained(o, error);
  }
};
