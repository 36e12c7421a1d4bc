import { chmodSync, existsSync, lchownSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import { canBecome, ensureAccount, findAccount, removeAccount, uidIsTaken } from '../lib/accounts.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import { silentLog } from '../lib/log.ts';
import { staleTemporaries, temporaryName } from '../lib/make-once.ts';
import { type Account, run } from '../lib/process.ts';
import { processes } from '../lib/process-tree.ts';
import { accountNumbers } from '../store/account-numbers.ts';
import { closeDoors, type LivingEnvironment } from '../store/backup-facts.ts';
import type { Database } from '../store/database.ts';
import { programsFor } from '../store/postgres/binaries.ts';
import { runningPostmaster, stopPostmaster } from '../store/postgres/postmaster.ts';
import { type ServerAccounts, serverAccounts } from './accounts.ts';
import type { BackupHead } from './backup-format.ts';
import { checkReachable, installationId, makeDataFolder } from './folders.ts';
import { clusterFolder, openOwnDatabase } from './own-database.ts';
import { unpackBackup } from './restore-files.ts';

export interface RestoreOptions {
  /** Absolute. */
  readonly file: string;
  /** The data folder: empty, or not there. Absolute. */
  readonly to: string;
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tells data folders apart where a path must be elsewhere. */
  readonly tag: string;
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

const setOwner = (folder: string, uid: number, gid: number): void => {
  lchownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) setOwner(path, uid, gid);
    else lchownSync(path, uid, gid);
  }
};

/** What an environment's account owns; the rest it may read at most (see docs/security.md). */
const writable = ['home', 'tmp'];
const readable = ['config', 'dags', 'plugins'];

const giveAway = (root: string, { uid, gid }: Account): void => {
  lchownSync(root, 0, gid);
  chmodSync(root, 0o750);
  for (const name of [...writable, ...readable].filter((one) => existsSync(join(root, one))))
    setOwner(join(root, name), writable.includes(name) ? uid : 0, gid);
};

/** The account's number from before, or a new one where that belongs to somebody else here. */
const numberOf = async (db: Database, accounts: ServerAccounts, e: LivingEnvironment): Promise<number> => {
  const numbers = accountNumbers(db, accounts.range);
  for (;;) {
    const number = await numbers.numberFor(e.id);
    const there = findAccount(`windsock-${e.id}`);
    const isFree = there ? there.uid === number : !uidIsTaken(number);
    if (there && !isFree)
      throw new WindsockError(
        'OtherAccount',
        `The account windsock-${e.id} exists with another number. Remove it: userdel windsock-${e.id}`,
      );
    if (isFree && canBecome(number)) {
      refuseIfUsed(e, number);
      return number;
    }
    await numbers.release(e.id);
  }
};

const refuseIfUsed = (e: LivingEnvironment, number: number): void => {
  const running = processes().filter((p) => p.uid === number);
  if (running.length === 0) return;
  throw new WindsockError(
    'EnvironmentRuns',
    `The environment ${e.name} runs on this machine (process ${running[0]?.pid}): another data folder uses its account. Stop that server first, or restore on another machine.`,
  );
};

/** Makes the accounts and gives them what is theirs; those that were made go again when that fails. */
const giveAllAway = async (
  folders: DataFolder,
  accounts: ServerAccounts,
  db: Database,
  living: readonly LivingEnvironment[],
): Promise<void> => {
  const made: string[] = [];
  try {
    for (const one of living) {
      const name = `windsock-${one.id}`;
      const number = await numberOf(db, accounts, one);
      if (!findAccount(name)) made.push(name);
      const account = await ensureAccount(name, number);
      const root = join(folders.environments, one.id);
      if (existsSync(root)) giveAway(root, account);
    }
  } catch (error) {
    for (const name of made) await removeAccount(name).catch(() => {});
    throw error;
  }
};

const settle = async (o: RestoreOptions, folders: DataFolder, accounts: ServerAccounts | undefined) => {
  const own = await openOwnDatabase({ folders, accounts, url: undefined, log: silentLog });
  try {
    const living = await closeDoors(own.db);
    const ids = new Set(living.map((one) => one.id));
    for (const name of readdirSync(folders.environments).filter((id) => !ids.has(id)))
      rmSync(join(folders.environments, name), { recursive: true, force: true });
    o.signal.throwIfAborted();
    if (accounts) await giveAllAway(folders, accounts, own.db, living);
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
  const folders = dataFolder(temporary, o.env, o.tag);
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
