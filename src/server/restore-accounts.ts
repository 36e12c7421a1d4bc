import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../airflow/local/folders.ts';
import { placesOf } from '../airflow/local/places.ts';
import type { DataFolder } from '../config/data-folder.ts';
import {
  canBecome,
  ensureAccount,
  findAccount,
  giveAccountTo,
  removeAccount,
  uidIsTaken,
} from '../lib/accounts.ts';
import { WindsockError } from '../lib/errors.ts';
import type { Account } from '../lib/process.ts';
import { processes } from '../lib/processes.ts';
import { accountNumbers } from '../store/account-numbers.ts';
import type { LivingEnvironment } from '../store/backup-facts.ts';
import type { Database } from '../store/database.ts';
import type { ServerAccounts } from './accounts.ts';

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
const readable = ['config', 'dags', 'plugins', 'requirements', 'startup'];

const giveAway = (root: string, { uid, gid }: Account): void => {
  for (const name of [...writable, ...readable])
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

/** The account of an environment; one that was not there before is in `made` first. */
const accountFor = async (
  db: Database,
  accounts: ServerAccounts,
  e: LivingEnvironment,
  home: string,
  made: string[],
): Promise<Account> => {
  const name = `windsock-${e.id}`;
  const number = await numberOf(db, accounts, e);
  if (!findAccount(name)) made.push(name);
  const account = await ensureAccount(name, number, home);
  await giveAccountTo(name, home);
  return account;
};

/**
 * Makes the folders that a backup leaves out, and gives every environment's account what is its own. The accounts
 * are those of the data folder `home` from now on.
 * @throws WindsockError EnvironmentRuns, OtherAccount
 */
export const prepareFolders = async (
  folders: DataFolder,
  accounts: ServerAccounts | undefined,
  db: Database,
  living: readonly LivingEnvironment[],
  home: string,
): Promise<void> => {
  const made: string[] = [];
  try {
    for (const one of living) {
      const account = accounts && (await accountFor(db, accounts, one, home, made));
      const places = placesOf(folders.environments, one.id);
      makeFolders(places, account);
      if (account) giveAway(places.root, account);
    }
  } catch (error) {
    for (const name of made) await removeAccount(name).catch(() => {});
    throw error;
  }
};
