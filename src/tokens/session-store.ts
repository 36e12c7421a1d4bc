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
  /** By which listener it was begun. */
  readonly way: SessionWay;
  readonly mint: MintContext;
  readonly airflowIdentity: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The private listener, the public one, or one address that is both. */
export type SessionWay = 'private' | 'public' | 'both';

/** Which sessions; every criterion that is given must hold. */
export interface SessionFilter {
  readonly id?: string;
  readonly environmentId?: string;
  /** ARN of the principal, or the name that Airflow knows. */
  readonly person?: string;
  readonly way?: SessionWay;
}

/** A place in the list: newest first, then by id. */
export interface SessionPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** A living session for those who look after them. */
export interface ListedSession extends WebSession {
  readonly environmentName: string;
  readonly lastSeenAt: number;
}

/** A session that was just ended. */
export type EndedSession = Pick<WebSession, 'id' | 'environmentId' | 'airflowIdentity'>;

export interface SessionStore {
  readonly inTransaction: InTransaction;
  insert(tx: Transaction, session: WebSession, secretHash: Buffer): Promise<void>;
  /** The living session of this secret, seen after `idleSince`; also notes that it was seen. */
  use(secretHash: Buffer, now: number, idleSince: number): Promise<WebSession | undefined>;
  /** Living sessions, newest first. */
  list(
    filter: SessionFilter,
    o: {
      readonly before: SessionPosition | undefined;
      readonly limit: number;
      readonly now: number;
      readonly idleSince: number;
    },
  ): Promise<readonly ListedSession[]>;
  /** False when it had ended before. */
  end(tx: Transaction, id: string, reason: EndReason, now: number): Promise<boolean>;
  /** Ends every living session that matches; gives them. */
  endWhere(
    tx: Transaction,
    filter: SessionFilter,
    reason: EndReason,
    now: number,
  ): Promise<readonly EndedSession[]>;
  /** Deletes at most `limit` sessions that expired before; gives how many. */
  sweep(before: number, limit: number): Promise<number>;
}
