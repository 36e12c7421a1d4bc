import type { MintContext, Principal } from '../identity/principal.ts';
import type { InTransaction, Transaction } from '../lib/transaction.ts';

/** What is kept of a token. Times are epoch milliseconds; the token itself is never kept. */
export interface TokenRecord {
  /** SHA-256 of the token's `jti`. */
  readonly jtiHash: Buffer;
  readonly kind: 'web' | 'cli';
  readonly environmentId: string;
  readonly mint: MintContext;
  readonly airflowIdentity: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The boot whose monotonic clock `monotonicDeadline` (milliseconds) belongs to. */
  readonly bootId: string;
  readonly monotonicDeadline: number;
}

export interface TokenStore {
  readonly inTransaction: InTransaction;
  insert(tx: Transaction, token: TokenRecord): Promise<void>;
  /**
   * Counts one use of the token and gives it; undefined when it is unknown, revoked or was used `most` times. Of any
   * number of callers, `most` get it.
   */
  use(
    tx: Transaction,
    jtiHash: Buffer,
    o: { readonly now: number; readonly most: number },
  ): Promise<TokenRecord | undefined>;
  /** Why a token could not be used; in the same transaction, so that no second connection is waited for. */
  state(tx: Transaction, jtiHash: Buffer): Promise<'unused' | 'used' | 'revoked' | 'unknown'>;
  /** Revokes every token of an environment. */
  revokeAll(tx: Transaction, environmentId: string, now: number): Promise<void>;
  /** Deletes at most `limit` tokens that expired before; gives how many. */
  sweep(before: number, limit: number): Promise<number>;
}

/** Where tokens write what they did; the audit sink fits. */
export interface TokenAudit {
  write(
    entry: {
      readonly eventName: string;
      readonly readOnly: boolean;
      readonly principal: Principal | undefined;
      readonly sourceIp: string;
      readonly userAgent: string;
      readonly requestId: string;
      readonly environmentId: string;
      readonly requestParameters: Readonly<Record<string, unknown>>;
      readonly responseElements: Readonly<Record<string, unknown>>;
    },
    tx: Transaction,
  ): Promise<void>;
}
