import type { MintContext } from '../identity/principal.ts';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import type { EndReason } from './ports.ts';

/** Whose requests may use a session: those of a browser, or those of a script. Never both. */
export type SessionKind = 'browser' | 'script';

/** A signed-in principal at one environment. Times are epoch milliseconds. */
export interface WebSession {
  readonly id: string;
  readonly kind: SessionKind;
  readonly environmentId: string;
  readonly mint: MintContext;
  readonly airflowIdentity: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface SessionStore {
  readonly inTransaction: InTransaction;
  insert(tx: Transaction, session: WebSession, secretHash: Buffer): Promise<void>;
  /** The living session of this secret; also notes that it was seen. */
  use(secretHash: Buffer, now: number): Promise<WebSession | undefined>;
  /** False when it had ended before. */
  end(tx: Transaction, id: string, reason: EndReason, now: number): Promise<boolean>;
  endAll(tx: Transaction, environmentId: string, reason: EndReason, now: number): Promise<void>;
  /** Deletes at most `limit` sessions that expired before; gives how many. */
  sweep(before: number, limit: number): Promise<number>;
}
