import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { BatchEntry, Seal } from './seal.ts';

/** Where the sealer finds records and leaves seals. */
export interface SealStore {
  readonly inTransaction: InTransaction;
  /** The newest seal. */
  newest(tx: Transaction): Promise<Seal | undefined>;
  /**
   * Takes at most so many records that no seal covers, oldest id first, up to the one with which they have so many
   * characters; they are covered once the transaction commits.
   */
  takeUnsealed(tx: Transaction, most: number, mostText: number): Promise<readonly BatchEntry[]>;
  insert(tx: Transaction, seal: Seal, ids: readonly bigint[]): Promise<void>;
  /** The oldest seals whose records are still there, at most so many. */
  oldestKept(tx: Transaction, most: number): Promise<readonly Seal[]>;
  /** Deletes the records of these seals, and keeps the seals. Gives how many records there were. */
  dropRecords(tx: Transaction, numbers: readonly number[]): Promise<number>;
}

/** The newest seal, kept outside the database. */
export interface NewestSealFile {
  read(): Promise<Seal | undefined>;
  /** Resolves once the disk has it; a write begins after the one before. */
  write(seal: Seal): Promise<void>;
}
