import type { Clock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Transaction } from '../lib/transaction.ts';
import { hashOf, type ReadToken, readToken } from './jwt.ts';
import type { TokenEnvironment } from './ports.ts';
import { refuseStranger, refuseToken } from './refused.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { TokenKind } from './token-kind.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

export interface RedeemDeps {
  readonly tokenStore: TokenStore;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly installationId: string;
}

/** What the endpoint that was called wants. */
export interface Wanted {
  readonly kind: TokenKind;
  readonly environment: TokenEnvironment;
}

const checkClaims = (token: ReadToken | undefined, wanted: Wanted, now: number): ReadToken => {
  const { kind, environment } = wanted;
  if (!token) throw refuseStranger(kind, environment.name);
  if (token.kind !== kind) throw refuseToken('wrong-kind', token, kind, environment.name);
  if (token.environmentId !== environment.id) {
    throw refuseToken('other-environment', token, kind, environment.name);
  }
  if (now >= token.expiresAt) throw refuseToken('expired', token, kind, environment.name);
  return token;
};

/** Setting the wall clock back must not lengthen a token's life. */
const isOverdue = (row: TokenRecord, clock: Clock): boolean =>
  clock.now() >= row.expiresAt || (row.bootId === clock.bootId && clock.monotonic() >= row.monotonicDeadline);

/**
 * Uses a token up and runs `then` in the same transaction: when `then` throws, the token is unused again.
 * Of any number of simultaneous calls with one token, one at most reaches `then`.
 * Throws TokenRefused.
 */
export const redeemToken = async <T>(
  deps: RedeemDeps,
  text: string,
  wanted: Wanted,
  then: (tx: Transaction, row: TokenRecord) => Promise<T>,
): Promise<T> => {
  const { kind, environment } = wanted;
  const read = await readToken(text, deps.keys, deps.installationId);
  const token = checkClaims(read, wanted, deps.clock.now());
  const refuse = (reason: 'expired' | 'already-used' | 'revoked') =>
    refuseToken(reason, token, kind, environment.name);
  const result = await deps.tokenStore.inTransaction(async (tx) => {
    const row = await deps.tokenStore.redeem(tx, hashOf(token.jti), deps.clock.now());
    if (!row) {
      const state = await deps.tokenStore.state(tx, hashOf(token.jti));
      throw refuse(state === 'used' ? 'already-used' : 'revoked');
    }
    if (row.kind !== kind.kind || row.environmentId !== environment.id) throw refuse('revoked');
    if (isOverdue(row, deps.clock)) throw refuse('expired');
    const done = await then(tx, row);
    failpoint('redeem:before-commit');
    return done;
  });
  failpoint('redeem:after-commit');
  return result;
};
