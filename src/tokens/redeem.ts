import type { Clock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Transaction } from '../lib/transaction.ts';
import { hashOf, type ReadToken } from './jwt.ts';
import type { TokenEnvironment } from './ports.ts';
import { refuseToken } from './refused.ts';
import type { TokenKind } from './token-kind.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

export interface RedeemDeps {
  readonly tokenStore: TokenStore;
  readonly clock: Clock;
  /** CLI tokens work once as well. */
  readonly singleUseCliTokens: boolean;
}

/** What the endpoint that was called wants. */
export interface Wanted {
  readonly kind: TokenKind;
  readonly environment: TokenEnvironment;
}

const checkClaims = (token: ReadToken, wanted: Wanted, now: number): void => {
  const { kind, environment } = wanted;
  if (token.kind !== kind) throw refuseToken('wrong-kind', token, kind, environment.name);
  if (token.environmentId !== environment.id) {
    throw refuseToken('other-environment', token, kind, environment.name);
  }
  if (now >= token.expiresAt) throw refuseToken('expired', token, kind, environment.name);
};

/** Setting the wall clock back must not lengthen a token's life. */
const isOverdue = (row: TokenRecord, clock: Clock): boolean =>
  clock.now() >= row.expiresAt || (row.bootId === clock.bootId && clock.monotonic() >= row.monotonicDeadline);

/**
 * Counts a use of a token and runs `then` in the same transaction: when `then` throws, it was not used. Of any number
 * of simultaneous calls with one token, as many reach `then` as its kind may be used; one, of a kind that works once.
 * Throws TokenRefused.
 */
export const redeemToken = async <T>(
  deps: RedeemDeps,
  token: ReadToken,
  wanted: Wanted,
  then: (tx: Transaction, row: TokenRecord) => Promise<T>,
): Promise<T> => {
  const { kind, environment } = wanted;
  checkClaims(token, wanted, deps.clock.now());
  const most = deps.singleUseCliTokens ? 1 : kind.mostUses;
  const refuse = (reason: 'expired' | 'already-used' | 'used-up' | 'revoked') =>
    refuseToken(reason, token, kind, environment.name);
  const useIn = async (tx: Transaction) => {
    const row = await deps.tokenStore.use(tx, hashOf(token.jti), { now: deps.clock.now(), most });
    if (!row) {
      const state = await deps.tokenStore.state(tx, hashOf(token.jti));
      throw refuse(state === 'used' ? (most === 1 ? 'already-used' : 'used-up') : 'revoked');
    }
    if (row.kind !== kind.kind || row.environmentId !== environment.id) throw refuse('revoked');
    if (isOverdue(row, deps.clock)) throw refuse('expired');
    const done = await then(tx, row);
    failpoint('redeem:before-commit');
    return done;
  };
  const result = await deps.tokenStore.inTransaction(useIn);
  failpoint('redeem:after-commit');
  return result;
};
