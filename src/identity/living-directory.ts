import type { Log } from '../lib/log.ts';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import {
  type Directory,
  type DirectoryDraft,
  directoryOf,
  draftOf,
  type EntityChange,
  type IamEntity,
} from './directory.ts';
import { settledTrust } from './trust.ts';

/** Where the directory is kept. */
export interface DirectoryStore {
  readonly inTransaction: InTransaction;
  load(): Promise<readonly IamEntity[]>;
  save(tx: Transaction, changes: readonly EntityChange[]): Promise<void>;
}

/** The account's directory, in memory as it is in the database: this server is the only one that writes it. */
export interface LivingDirectory {
  /** As of the last commit. */
  readonly current: Directory;
  /**
   * Runs `work` on a draft, one after another, and writes what it changed together with what `record` writes (the audit
   * entry), all or nothing. What `work` throws changes nothing.
   */
  change<T>(
    work: (draft: DirectoryDraft) => T,
    record: (tx: Transaction, result: T) => Promise<void>,
  ): Promise<T>;
}

interface OpenDeps {
  readonly accountId: string;
  readonly log: Pick<Log, 'warn'>;
}

/** Trust policies as an older version kept them, by names, get the ids of those who have the names now. */
const settle = async (store: DirectoryStore, { accountId, log }: OpenDeps): Promise<void> => {
  const { draft, changes } = draftOf(directoryOf(await store.load()));
  for (const role of draft.all('role')) {
    const { trust, gone } = settledTrust(role.trust, { directory: draft, accountId });
    if (trust !== role.trust) draft.put({ ...role, trust });
    if (gone.length > 0)
      log.warn('trusted names are gone', {
        role: role.name,
        reason: `Nobody has the name ${gone.join(', ')}. Whoever gets it is not trusted; write the trust policy anew if it is meant.`,
      });
  }
  if (changes().length > 0) await store.inTransaction((tx) => store.save(tx, changes()));
};

/** Reads the directory. @throws what the store throws */
export const openDirectory = async (store: DirectoryStore, d: OpenDeps): Promise<LivingDirectory> => {
  await settle(store, d);
  return livingDirectory(store, await store.load());
};

/** A directory that holds these entities now. */
export const livingDirectory = (store: DirectoryStore, entities: readonly IamEntity[]): LivingDirectory => {
  let current = directoryOf(entities);
  let last: Promise<unknown> = Promise.resolve();
  let isCertain = true;
  const run = async <T>(
    work: (draft: DirectoryDraft) => T,
    record: (tx: Transaction, result: T) => Promise<void>,
  ): Promise<T> => {
    // whether a commit counted whose answer got lost is only known by looking
    if (!isCertain) current = directoryOf(await store.load());
    isCertain = true;
    const { draft, changes, result } = draftOf(current);
    const answer = work(draft);
    isCertain = false;
    await store.inTransaction(async (tx) => {
      await store.save(tx, changes());
      await record(tx, answer);
    });
    current = result();
    isCertain = true;
    return answer;
  };
  return {
    get current() {
      return current;
    },
    change: (work, record) => {
      const turn = last.then(() => run(work, record));
      last = turn.catch(() => {});
      return turn;
    },
  };
};
